"""Which attribute is behind a handle: learned from discovery, from a file, or from what passes.

Source: Core Specification, Vol 3 Part G, 4.4 to 4.7 (discovery), Part F, 3.4.3 and 3.4.4 (its PDUs).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Any, Final

from blechannel_capture import att
from blechannel_capture.errors import CaptureError
from blechannel_capture.events import AttPdu

PRIMARY_SERVICE, SECONDARY_SERVICE, CHARACTERISTIC = 0x2800, 0x2801, 0x2803
MAP_VERSION: Final = 1
MAX_SERVICES: Final = 1000
"""More than any device has; each is looked at for every attribute."""
BASE_UUID_TAIL: Final = "-0000-1000-8000-00805f9b34fb"


class Confidence(IntEnum):
    """How an attribute is known; a higher one replaces a lower one."""

    INFERRED = 1
    """From the bytes that passed there."""
    CACHED = 2
    """From another capture of the same device, which may have changed since."""
    IMPORTED = 3
    """From a file that somebody gave."""
    DISCOVERED = 4
    """Discovery was captured."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """What is behind one handle."""

    uuid: str
    """In its long form, lower case."""
    confidence: Confidence
    service: str = ""
    """The service's UUID; empty where it is not known."""


def full_uuid(little_endian: bytes) -> str:
    """2 or 16 bytes as on the air, in the long form; raises ValueError for another length."""
    if len(little_endian) == 2:
        return f"0000{little_endian[1]:02x}{little_endian[0]:02x}{BASE_UUID_TAIL}"
    if len(little_endian) != 16:
        raise ValueError(f"a UUID of {len(little_endian)} bytes")
    digits = little_endian[::-1].hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def short_uuid(uuid: str) -> str:
    """ "0x2A37" for an assigned number, else the long form."""
    is_assigned = uuid.startswith("0000") and uuid.endswith(BASE_UUID_TAIL)
    return f"0x{uuid[4:8].upper()}" if is_assigned else uuid


@dataclass(slots=True)
class GattMap:
    """One server's attributes by handle, and the discovery that is under way."""

    attributes: dict[int, Attribute] = field(default_factory=dict)
    services: list[tuple[int, int, str]] = field(default_factory=list)
    """First handle, last handle, UUID."""
    _asked: int = 0
    """The attribute type of the Read By Type or Group Type request that is open; 0 for none."""
    _sought: bytes = b""
    """The UUID of the service that is sought by it."""

    def learn(self, handle: int, uuid: str, confidence: Confidence) -> None:
        """Take an attribute's type, unless something better is known."""
        known = self.attributes.get(handle)
        if known is None or known.confidence <= confidence:
            self.attributes[handle] = Attribute(uuid, confidence, self.service_of(handle))

    def service_of(self, handle: int) -> str:
        """The UUID of the service around a handle; empty where none is known."""
        return next((uuid for first, last, uuid in self.services if first <= handle <= last), "")

    def take_over(self, other: GattMap, confidence: Confidence) -> None:
        """What another connection or a file knows, with at most that confidence."""
        self.services += [each for each in other.services if each not in self.services]
        for handle, each in other.attributes.items():
            self.learn(handle, each.uuid, min(confidence, each.confidence))

    def as_object(self) -> dict[str, Any]:
        """What `json.dumps` takes, and `from_object` gives back."""
        return {
            "services": [{"first": first, "last": last, "uuid": uuid} for first, last, uuid in self.services],
            "attributes": [
                {"handle": handle, "uuid": each.uuid, "known": each.confidence.name.lower()}
                for handle, each in sorted(self.attributes.items())
            ],
        }

    @classmethod
    def from_object(cls, given: Any) -> GattMap:
        """Raises KeyError, TypeError or ValueError for what `as_object` never gives."""
        gatt = cls(services=[(int(s["first"]), int(s["last"]), str(s["uuid"])) for s in given["services"]])
        for each in given["attributes"]:
            gatt.learn(int(each["handle"]), str(each["uuid"]), Confidence[each["known"].upper()])
        return gatt

    def hear(self, pdu: AttPdu) -> None:
        """Learn from one PDU; what contradicts itself teaches nothing."""
        value = pdu.value
        if pdu.opcode == att.FIND_BY_TYPE_VALUE_REQUEST:
            is_service = int.from_bytes(value[4:6], "little") == PRIMARY_SERVICE
            self._sought = value[6:] if is_service and len(value) in (8, 22) else b""
        elif pdu.opcode == att.FIND_BY_TYPE_VALUE_RESPONSE and self._sought:
            for at in range(0, len(value) - 3, 4):
                self._service(value[at : at + 4] + self._sought)
        elif pdu.opcode in (att.READ_BY_TYPE_REQUEST, att.READ_BY_GROUP_TYPE_REQUEST):
            self._asked = int.from_bytes(value[4:6], "little") if len(value) == 6 else 0
        elif pdu.opcode == att.READ_BY_GROUP_TYPE_RESPONSE and self._asked in (PRIMARY_SERVICE, SECONDARY_SERVICE):
            self._services(value)
        elif pdu.opcode == att.READ_BY_TYPE_RESPONSE and self._asked == CHARACTERISTIC:
            self._characteristics(value)
        elif pdu.opcode == att.FIND_INFORMATION_RESPONSE:
            self._information(value)

    def _services(self, value: bytes) -> None:
        for entry in _entries(value, (6, 20)):
            self._service(entry)

    def _service(self, entry: bytes) -> None:
        """First handle, last handle, UUID, as on the air."""
        first, last = int.from_bytes(entry[:2], "little"), int.from_bytes(entry[2:4], "little")
        found = (first, last, full_uuid(entry[4:]))
        if len(self.services) < MAX_SERVICES and found not in self.services:
            self.services.append(found)

    def _characteristics(self, value: bytes) -> None:
        for entry in _entries(value, (7, 21)):
            self.learn(int.from_bytes(entry[3:5], "little"), full_uuid(entry[5:]), Confidence.DISCOVERED)

    def _information(self, value: bytes) -> None:
        size = {1: 4, 2: 18}.get(value[0], 0) if value else 0
        if not size:
            return
        for at in range(1, len(value) - size + 1, size):
            handle = int.from_bytes(value[at : at + 2], "little")
            # Discovery of characteristics knows a value's type; here it is the same one.
            self.learn(handle, full_uuid(value[at + 2 : at + size]), Confidence.DISCOVERED)


def _entries(value: bytes, sizes: tuple[int, ...]) -> list[bytes]:
    """The list after its entries' length; nothing where the length is not one that can be."""
    size = value[0] if value else 0
    if size not in sizes:
        return []
    return [value[at : at + size] for at in range(1, len(value) - size + 1, size)]


def dump_map(maps: list[GattMap], path: Path) -> None:
    """Write what all of them know into one file."""
    merged = GattMap()
    for each in maps:
        merged.take_over(each, Confidence.DISCOVERED)
    path.write_text(json.dumps({"version": MAP_VERSION, **merged.as_object()}, indent=2) + "\n", encoding="utf-8")


def load_map(path: Path) -> GattMap:
    """Read what `dump_map` wrote.

    Raises:
        CaptureError: it is no such file.
        OSError: it cannot be read.
    """
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
        if given["version"] != MAP_VERSION:
            raise CaptureError(f"{path}: a map of version {given['version']}; this program reads {MAP_VERSION}")
        return GattMap.from_object(given)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise CaptureError(f"{path} holds no attributes as `capture gatt --save` writes them") from error
