"""The connections of one capture, numbered as they appear."""

from __future__ import annotations

from blechannel_capture.events import Connection


class Connections:
    """Gives numbers."""

    def __init__(self) -> None:
        self._count = 0

    def new(self, handle: int, began_ns: int) -> Connection:
        """A connection of that HCI handle or access address."""
        self._count += 1
        return Connection(self._count, handle, began_ns=began_ns)
