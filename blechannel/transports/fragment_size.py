"""What every transport holds the size of a fragment to."""

from __future__ import annotations

from blechannel.errors import LocalProtocolError
from blechannel.limits import MAX_FRAGMENT_BYTES, MIN_FRAGMENT_BYTES

DEFAULT_FRAGMENT_BYTES = 244
"""What one link-layer packet of 251 bytes carries."""


def check_fragment_bytes(max_fragment_bytes: int) -> int:
    """The same number.

    Raises:
        LocalProtocolError: outside what BLE allows.
    """
    if not MIN_FRAGMENT_BYTES <= max_fragment_bytes <= MAX_FRAGMENT_BYTES:
        raise LocalProtocolError(f"a fragment is {MIN_FRAGMENT_BYTES} to {MAX_FRAGMENT_BYTES} bytes at most")
    return max_fragment_bytes
