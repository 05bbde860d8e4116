"""What lets a stranger in the room recognise a watch, or read what it measures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from blechannel.gatt import SERVICE_UUID
from blechannel_capture import att
from blechannel_capture.events import Advertised, AttPdu, Connection, Event
from blechannel_capture.findings.finding import Certainty, Finding, Kind, Level
from blechannel_capture.gatt_map import GattMap, short_uuid
from blechannel_capture.recent import remember

REMEMBERED: Final = 1 << 16
"""Advertisements whose addresses are compared, and findings that are not told twice."""
SERVICE_DATA_128: Final = 0x21
_LOCAL_NAMES: Final = (0x08, 0x09)
OUR_UUID: Final = bytes.fromhex(SERVICE_UUID.replace("-", ""))[::-1]
PERSONAL: Final = {
    "0x2A37": "heart rate",
    "0x2A46": "new alerts",
    "0x2A25": "a serial number",
    "0x2A9D": "body weight",
    "0x2A1C": "body temperature",
    "0x2A35": "blood pressure",
}
"""Values of standard characteristics that should not be in the clear."""


def ad_structures(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Type and value of each AD structure; ends at the first that does not fit."""
    at = 0
    while at + 1 < len(data) and data[at] and at + 1 + data[at] <= len(data):
        yield data[at + 1], data[at + 2 : at + 1 + data[at]]
        at += 1 + data[at]


class Linkability:
    """Looks at what is in the clear."""

    def __init__(self, gatt: Callable[[Connection], GattMap]) -> None:
        self._gatt = gatt
        self._addresses: dict[bytes, str] = {}
        self._told: dict[tuple[str, str], None] = {}

    def look(self, event: Event) -> Iterator[Finding]:
        """See Watcher."""
        if type(event) is AttPdu:
            if event.handle and not event.connection.encrypted:
                yield from self._value(event)
        elif isinstance(event, Advertised):
            yield from self._advertised(event)

    def end(self) -> Iterator[Finding]:
        """See Watcher."""
        return iter(())

    def _advertised(self, event: Advertised) -> Iterator[Finding]:
        structures = list(ad_structures(event.data))
        ours = [value[16:] for kind, value in structures if kind == SERVICE_DATA_128 and value[:16] == OUR_UUID]
        for data in ours:
            before = self._addresses.get(data, event.address)
            remember(self._addresses, data, before, REMEMBERED)
            if before != event.address and self._is_new("advert", data.hex()):
                detail = f"the same service data under two addresses, {before} and {event.address}"
                yield Finding(Kind.LINKABLE, Level.ATTACK, Certainty.CERTAIN, (event.packet,), 0, detail)
            named = any(kind in _LOCAL_NAMES and value for kind, value in structures)
            if named and self._is_new("name", event.address):
                detail = f"{event.address} shows its name to everybody"
                yield Finding(Kind.LINKABLE, Level.WEAKNESS, Certainty.CERTAIN, (event.packet,), 0, detail)

    def _value(self, pdu: AttPdu) -> Iterator[Finding]:
        if pdu.opcode not in (att.NOTIFICATION, att.INDICATION):
            return
        attribute = self._gatt(pdu.connection).attributes.get(pdu.handle)
        if attribute is None:
            return
        what = PERSONAL.get(short_uuid(attribute.uuid))
        if what is not None and self._is_new("plain", f"{pdu.connection.number} {pdu.handle}"):
            detail = f"{what} passes in the clear ({short_uuid(attribute.uuid)}, handle {pdu.handle})"
            number = pdu.connection.number
            yield Finding(Kind.PLAINTEXT, Level.WEAKNESS, Certainty.CERTAIN, (pdu.packet,), number, detail)

    def _is_new(self, *what: str) -> bool:
        key = (what[0], what[1])
        if key in self._told:
            return False
        remember(self._told, key, None, REMEMBERED)
        return True
