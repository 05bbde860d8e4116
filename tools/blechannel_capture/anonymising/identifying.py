"""Which bytes of ATT PDUs tell who somebody is, or which device this is (Assigned Numbers, 3.8)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from blechannel_capture import att
from blechannel_capture.events import Connection, Disconnected, Event
from blechannel_capture.gatt_map import GattMap, full_uuid, short_uuid

IDENTIFYING: Final = {
    "0x2A00": "device name",
    "0x2A03": "reconnection address",
    "0x2A23": "system identifier",
    "0x2A25": "serial number",
    "0x2A2A": "regulatory certification data",
    "0x2A46": "new alert",
    "0x2A67": "location and speed",
    "0x2A85": "date of birth",
    "0x2A87": "e-mail address",
    "0x2A8A": "first name",
    "0x2A90": "last name",
    "0x2A9A": "user index",
    "0x2AAE": "latitude",
    "0x2AAF": "longitude",
    "0x2AB5": "location name",
    "0x2AC3": "object identifier",
    "0x2ABE": "object name",
    "0x2B84": "set identity resolving key",
    "0x2B97": "bearer provider name",
    "0x2BBD": "call friendly name",
    "0x2BFF": "UDI for medical devices",
}
REST: Final = 1 << 20
"""An end beyond every PDU's: the pieces that follow belong to it."""
_ONE_HANDLE: Final = (att.READ_REQUEST, att.READ_BLOB_REQUEST)
_MANY_HANDLES: Final = (att.READ_MULTIPLE_REQUEST, att.READ_MULTIPLE_VARIABLE_REQUEST)
_ANSWERS: Final = frozenset(
    {
        *(att.READ_RESPONSE, att.READ_BLOB_RESPONSE, att.READ_MULTIPLE_RESPONSE),
        *(att.READ_MULTIPLE_VARIABLE_RESPONSE,),
    }
)
_PREPARED: Final = (att.PREPARE_WRITE_REQUEST, att.PREPARE_WRITE_RESPONSE)

Span = tuple[int, int]


class Identifying:
    """Keeps what an answer needs of its question; links are told apart by their handles or access addresses."""

    def __init__(self, gatt: Callable[[Connection], GattMap]) -> None:
        self._gatt = gatt
        self._links: dict[int, Connection] = {}
        self._asked: dict[int, bool] = {}

    def learn(self, event: Event) -> None:
        """Whose link is whose."""
        connection = getattr(event, "connection", None)
        if isinstance(event, Disconnected):
            self._links.pop(event.connection.handle, None)
            self._asked.pop(event.connection.handle, None)
        elif connection is not None:
            self._links[connection.handle] = connection

    def is_encrypted(self, link: int) -> bool:
        """Whether what passes on that link is sealed."""
        connection = self._links.get(link)
        return connection is not None and connection.encrypted

    def spans(self, link: int, pdu: bytes) -> Iterator[Span]:
        """From where to where the beginning of a PDU names somebody; at least its opcode is there."""
        opcode = pdu[0]
        if opcode in _ONE_HANDLE:
            self._asked[link] = self._is_named(link, pdu[1:3])
        elif opcode in _MANY_HANDLES:
            self._asked[link] = any(self._is_named(link, pdu[at : at + 2]) for at in range(1, len(pdu), 2))
        elif opcode == att.READ_BY_TYPE_REQUEST:
            self._asked[link] = _is_identifying(pdu[5:])
        elif opcode in _ANSWERS:
            if self._asked.get(link):
                yield 1, REST
        elif opcode == att.READ_BY_TYPE_RESPONSE:
            if self._asked.get(link):
                yield from _of_each(pdu)
        elif opcode == att.MULTIPLE_NOTIFICATION:
            yield from self._notified(link, pdu)
        elif att.HAS_HANDLE[opcode] and self._is_named(link, pdu[1:3]):
            yield 5 if opcode in _PREPARED else 3, REST

    def _notified(self, link: int, pdu: bytes) -> Iterator[Span]:
        at = 1
        while at + 4 <= len(pdu):
            end = at + 4 + int.from_bytes(pdu[at + 2 : at + 4], "little")
            if self._is_named(link, pdu[at : at + 2]):
                yield at + 4, end
            at = end

    def _is_named(self, link: int, handle: bytes) -> bool:
        connection = self._links.get(link)
        if connection is None:
            return False
        attribute = self._gatt(connection).attributes.get(int.from_bytes(handle, "little"))
        return attribute is not None and short_uuid(attribute.uuid) in IDENTIFYING


def _is_identifying(uuid: bytes) -> bool:
    return len(uuid) in (2, 16) and short_uuid(full_uuid(uuid)) in IDENTIFYING


def _of_each(pdu: bytes) -> Iterator[Span]:
    """The values of a Read By Type Response, without their handles."""
    length = pdu[1] if len(pdu) > 1 else 0
    if length <= 2:
        yield 1, REST
        return
    for at in range(2, len(pdu), length):
        is_cut = at + length > len(pdu)
        yield at + 2, REST if is_cut else at + length
