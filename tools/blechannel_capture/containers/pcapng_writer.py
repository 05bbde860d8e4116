"""Writes pcapng: packets of any source as they were, decoded ones as exported PDUs, comments and secrets.

Source: draft-ietf-opsawg-pcapng; link types 201, 254 and 252 of tcpdump.org.
"""

from __future__ import annotations

import struct
from typing import BinaryIO, Final

from blechannel_capture.containers.pcapng import ENHANCED, INTERFACE, SECRETS, SECTION
from blechannel_capture.packet import LinkType, Packet

EXPORTED_PDU: Final = 252
_COMMENT, _RESOLUTION = 1, 9
_NANOSECONDS: Final = 9
_BYTE_ORDER: Final = 0x1A2B3C4D
_UNKNOWN_LENGTH: Final = (1 << 64) - 1
_MAX_LENGTH: Final = (1 << 32) - 1
_H4_TYPE_OF_LOGGER: Final = {0: 1, 1: 4, 2: 2, 3: 2, 8: 3, 9: 3, 0x12: 5, 0x13: 5}


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + _padded(value)


def as_pcap_has_it(packet: Packet) -> tuple[int, bytes] | None:
    """Link type and bytes for a pcap or pcapng file; None for a note of PacketLogger, which has none."""
    data, flags = packet.data, packet.flags
    match packet.link_type:
        case LinkType.SNOOP_H4:
            return 201, struct.pack(">I", flags & 1) + data
        case LinkType.SNOOP_H1:
            kind = (4 if flags & 1 else 1) if flags & 2 else 2
            return 201, struct.pack(">IB", flags & 1, kind) + data
        case LinkType.SNOOP_MONITOR:
            return 254, struct.pack(">HH", flags >> 16, flags & 0xFFFF) + data
        case LinkType.H4 if flags & 3:  # pcapng has said the way: 1 inbound, 2 outbound
            return 201, struct.pack(">I", flags & 1) + data
        case LinkType.PACKET_LOGGER:
            kind_of = _H4_TYPE_OF_LOGGER.get(flags)
            return None if kind_of is None else (201, struct.pack(">IB", flags & 1, kind_of) + data)
        case other:
            return other.value, data


class PcapngWriter:
    """One section; interfaces are added as link types appear. Times are in nanoseconds."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._interfaces: dict[int, int] = {}
        self._block(SECTION, struct.pack("<IHHQ", _BYTE_ORDER, 1, 0, _UNKNOWN_LENGTH))

    def packet(self, packet: Packet, *, comment: str = "") -> bool:
        """Write a packet as it was; False where the format has no place for it."""
        found = as_pcap_has_it(packet)
        if found is None:
            return False
        link_type, data = found
        self.raw(link_type, data, packet.time_ns, missing_bytes=packet.missing_bytes, comment=comment)
        return True

    def raw(self, link_type: int, data: bytes, time_ns: int, *, missing_bytes: int = 0, comment: str = "") -> None:
        """Write bytes of that link type."""
        interface = self._interface(link_type)
        original = min(len(data) + missing_bytes, _MAX_LENGTH)
        head = struct.pack("<IIIII", interface, time_ns >> 32, time_ns & 0xFFFFFFFF, len(data), original)
        options = _option(_COMMENT, comment.encode()) + _option(0, b"") if comment else b""
        self._block(ENHANCED, head + _padded(data) + options)

    def secrets(self, kind: int, data: bytes) -> None:
        """Write a secrets block, such as a key log."""
        self._block(SECRETS, struct.pack("<II", kind, len(data)) + _padded(data))

    def _interface(self, link_type: int) -> int:
        if link_type not in self._interfaces:
            options = _option(_RESOLUTION, bytes([_NANOSECONDS])) + _option(0, b"")
            self._block(INTERFACE, struct.pack("<HHI", link_type, 0, 0) + options)
            self._interfaces[link_type] = len(self._interfaces)
        return self._interfaces[link_type]

    def _block(self, kind: int, body: bytes) -> None:
        length = len(body) + 12
        self._file.write(struct.pack("<II", kind, length) + body + struct.pack("<I", length))
