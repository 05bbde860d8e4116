"""What can be wrong with a capture.

::

    BlechannelError
    └── CaptureError              a capture cannot be read as asked
        ├── NotACapture           no format that is known, or a link type that is not Bluetooth LE
        └── DamagedCapture        strict reading met damage (`.entry`)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from blechannel.errors import CaptureError

if TYPE_CHECKING:
    from blechannel_capture.ledger import Entry

__all__ = ["CaptureError", "DamagedCapture", "NotACapture"]


class NotACapture(CaptureError):
    """Bytes of no format that is known, or of a link that does not carry Bluetooth LE."""


class DamagedCapture(CaptureError):
    """Strict reading met damage; `entry` says which, where."""

    def __init__(self, entry: Entry, *, file: str = "") -> None:
        super().__init__(f"{file}: {entry}" if file else str(entry))
        self.entry = entry
