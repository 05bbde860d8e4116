"""Which handles our service has on a connection: from discovery where it was captured, else from the first frame."""

from __future__ import annotations

from typing import Final

from blechannel.gatt import INBOX_UUID, OUTBOX_UUID
from blechannel.wire.fragments import FRAGMENT_HEADER_BYTES
from blechannel.wire.frames import KIND_OF, Info, Pair1, Reconnect1
from blechannel.wire.header import FRAME_HEADER_BYTES
from blechannel_capture.gatt_map import Confidence, GattMap

FIRST_FRAGMENT: Final = 0x80
"""A frame's beginning, number 0."""
_INFO_KIND: Final = KIND_OF[Info]
_OPENING_KINDS: Final = (KIND_OF[Pair1], KIND_OF[Reconnect1])
INFO_BYTES: Final = 26
"""INFO's body in version 1; later versions may be longer."""


def is_info(value: bytes) -> bool:
    """Whether a notification looks like the first fragment of a watch."""
    return (
        len(value) >= FRAGMENT_HEADER_BYTES + FRAME_HEADER_BYTES
        and value[0] == FIRST_FRAGMENT
        and value[1] == 0
        and value[2] == _INFO_KIND
        and value[3] == 0
        and value[4] >= INFO_BYTES
    )


def is_opening(value: bytes) -> bool:
    """Whether a write looks like the first fragment of a phone, after an INFO on the same connection."""
    at = FRAGMENT_HEADER_BYTES
    return len(value) >= at + FRAME_HEADER_BYTES and value[0] == FIRST_FRAGMENT and value[at] in _OPENING_KINDS


class Handles:
    """Our two characteristics on one connection; None while unknown."""

    def __init__(self, gatt: GattMap) -> None:
        self._gatt = gatt
        self.inbox: int | None = None
        self.outbox: int | None = None

    def look(self) -> None:
        """Take what the map says now."""
        for handle, attribute in self._gatt.attributes.items():
            if attribute.uuid == INBOX_UUID:
                self.inbox = handle
            elif attribute.uuid == OUTBOX_UUID:
                self.outbox = handle

    def is_outbox(self, handle: int, value: bytes) -> bool:
        """Whether a notification on that handle is ours."""
        if self.outbox is None and is_info(value):
            self.outbox = handle
            self._gatt.learn(handle, OUTBOX_UUID, Confidence.INFERRED)
        return handle == self.outbox

    def is_inbox(self, handle: int, value: bytes) -> bool:
        """Whether a write to that handle is ours."""
        if self.inbox is None and self.outbox is not None and is_opening(value):
            self.inbox = handle
            self._gatt.learn(handle, INBOX_UUID, Confidence.INFERRED)
        return handle == self.inbox
