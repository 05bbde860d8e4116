"""Writes capture files of every kind that is read: the tests' own, so that each byte of a file is known."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from blechannel_capture.containers.btsnoop import EPOCH_US
from blechannel_capture.events import Side
from blechannel_capture.host.hci_packets import ACL, COMMAND, EVENT, ISO, SCO
from blechannel_capture.packet import LinkType

ADVERTISING: Final = 0x8E89BED6
"""The access address of advertisements."""
START_NS: Final = 1_800_000_000_000_000_000
"""When the captures of the tests begin; whole microseconds, which every format can say."""

Record = tuple[int, bytes]
"""Time in nanoseconds, and bytes."""


@dataclass(frozen=True, slots=True)
class HciSaid:
    """One packet between host and controller."""

    kind: int
    sent: bool
    """By the host."""
    data: bytes
    time_ns: int = START_NS

    @property
    def h4(self) -> bytes:
        """With its type byte."""
        return bytes([self.kind]) + self.data


@dataclass(frozen=True, slots=True)
class AirSaid:
    """One frame of the link layer."""

    access_address: int
    pdu: bytes
    crc: bytes
    sender: Side
    time_ns: int = START_NS
    channel: int = 37

    is_coded: bool = False
    """On the PHY that repeats each bit, whose frames have a coding indicator."""

    @property
    def bare(self) -> bytes:
        """As on the air, without the preamble."""
        return struct.pack("<I", self.access_address) + b"\x01" * self.is_coded + self.pdu + self.crc


# --- containers ---


def btsnoop(link_type: LinkType, records: Sequence[tuple[int, int, bytes]], *, drops: Sequence[int] = ()) -> bytes:
    """Of (time, flags, bytes); `drops` are the cumulative counts, 0 where there are none."""
    written = b"btsnoop\0" + struct.pack(">II", 1, link_type.value)
    for number, (time_ns, flags, data) in enumerate(records):
        dropped = drops[number] if number < len(drops) else 0
        when = time_ns // 1000 + EPOCH_US
        written += struct.pack(">IIIIQ", len(data), len(data), flags, dropped, when) + data
    return written


def pcap(link_type: LinkType, records: Sequence[Record], *, order: str = "<", nanoseconds: bool = False) -> bytes:
    """Of either byte order and resolution."""
    magic, unit_ns = (0xA1B23C4D, 1) if nanoseconds else (0xA1B2C3D4, 1000)
    written = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, link_type.value)
    for time_ns, data in records:
        seconds, rest = divmod(time_ns, 1_000_000_000)
        written += struct.pack(order + "IIII", seconds, rest // unit_ns, len(data), len(data)) + data
    return written


def option(code: int, value: bytes, order: str = "<") -> bytes:
    """One option of a pcapng block."""
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    """One block of pcapng."""
    body += bytes(-len(body) % 4)
    length = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + length + body + length


def section(order: str = "<", options: bytes = b"") -> bytes:
    """A section's header."""
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1) + options, order)


def interface(link_type: int, order: str = "<", options: bytes = b"", snap_bytes: int = 0) -> bytes:
    """An interface's description."""
    return block(1, struct.pack(order + "HHI", link_type, 0, snap_bytes) + options, order)


def enhanced(units: int, data: bytes, order: str = "<", *, on: int = 0, options: bytes = b"") -> bytes:
    """A packet; `units` as the interface counts time."""
    head = struct.pack(order + "IIIII", on, units >> 32, units & 0xFFFFFFFF, len(data), len(data))
    return block(6, head + data + bytes(-len(data) % 4) + options, order)


def pcapng(link_type: LinkType, records: Sequence[Record], *, order: str = "<", flags: Sequence[int] = ()) -> bytes:
    """One section with one interface that counts nanoseconds; `flags` are epb_flags."""
    written = section(order) + interface(link_type.value, order, option(9, b"\x09", order))
    for number, (time_ns, data) in enumerate(records):
        options = option(2, struct.pack(order + "I", flags[number]), order) if flags else b""
        written += enhanced(time_ns, data, order, options=options)
    return written


def packet_logger(records: Sequence[tuple[int, int, bytes]], *, order: str = ">") -> bytes:
    """Of (time, type, bytes)."""
    written = b""
    for time_ns, kind, data in records:
        seconds, rest = divmod(time_ns, 1_000_000_000)
        written += struct.pack(order + "IIIB", len(data) + 9, seconds, rest // 1000, kind) + data
    return written


# --- HCI in every file that carries it ---

_LOGGER_TYPE: Final = {(COMMAND, True): 0, (EVENT, False): 1, (ACL, True): 2, (ACL, False): 3} | {
    (SCO, True): 8,
    (SCO, False): 9,
    (ISO, True): 0x12,
    (ISO, False): 0x13,
}
_MONITOR_OPCODE: Final = {(COMMAND, True): 2, (EVENT, False): 3, (ACL, True): 4, (ACL, False): 5} | {
    (SCO, True): 6,
    (SCO, False): 7,
    (ISO, True): 18,
    (ISO, False): 19,
}

Said = Sequence[HciSaid]


def snoop_flags(said: HciSaid) -> int:
    """Bit 0: received; bit 1: a command or an event."""
    return (0 if said.sent else 1) | (2 if said.kind in (COMMAND, EVENT) else 0)


def _with_direction(said: HciSaid) -> bytes:
    return struct.pack(">I", 0 if said.sent else 1) + said.h4


def _monitored(said: HciSaid, adapter: int = 0) -> bytes:
    return struct.pack(">HH", adapter, _MONITOR_OPCODE[said.kind, said.sent]) + said.data


def _records(said: Said, envelope: Callable[[HciSaid], bytes]) -> list[Record]:
    return [(each.time_ns, envelope(each)) for each in said]


def _snoop_h4(said: Said) -> bytes:
    return btsnoop(LinkType.SNOOP_H4, [(each.time_ns, snoop_flags(each), each.h4) for each in said])


def _snoop_h1(said: Said) -> bytes:
    return btsnoop(LinkType.SNOOP_H1, [(each.time_ns, snoop_flags(each), each.data) for each in said])


def _snoop_monitor(said: Said) -> bytes:
    opcodes = [_MONITOR_OPCODE[each.kind, each.sent] for each in said]
    records = [(each.time_ns, opcode, each.data) for each, opcode in zip(said, opcodes, strict=True)]
    return btsnoop(LinkType.SNOOP_MONITOR, records)


def _logged(order: str) -> Callable[[Said], bytes]:
    def write(said: Said) -> bytes:
        types = [_LOGGER_TYPE[each.kind, each.sent] for each in said]
        records = [(each.time_ns, kind, each.data) for each, kind in zip(said, types, strict=True)]
        return packet_logger(records, order=order)

    return write


HCI_FILES: Final[dict[str, Callable[[Said], bytes]]] = {
    "btsnoop H1": _snoop_h1,
    "btsnoop H4": _snoop_h4,
    "btsnoop monitor": _snoop_monitor,
    "PacketLogger big": _logged(">"),
    "PacketLogger little": _logged("<"),
    "pcap 201 us little": lambda said: pcap(LinkType.H4_WITH_DIRECTION, _records(said, _with_direction)),
    "pcap 201 us big": lambda said: pcap(LinkType.H4_WITH_DIRECTION, _records(said, _with_direction), order=">"),
    "pcap 201 ns little": lambda said: pcap(
        LinkType.H4_WITH_DIRECTION, _records(said, _with_direction), nanoseconds=True
    ),
    "pcap 254 ns big": lambda said: pcap(LinkType.MONITOR, _records(said, _monitored), order=">", nanoseconds=True),
    "pcapng 187 little": lambda said: pcapng(
        LinkType.H4, _records(said, lambda each: each.h4), flags=[2 if each.sent else 1 for each in said]
    ),
    "pcapng 201 big": lambda said: pcapng(LinkType.H4_WITH_DIRECTION, _records(said, _with_direction), order=">"),
    "pcapng 254 little": lambda said: pcapng(LinkType.MONITOR, _records(said, _monitored)),
}
"""Every container and envelope for HCI that says the direction."""


# --- the air in every file that carries it ---


def with_phdr(said: AirSaid, *, crc_ok: bool = True, way: int | None = None, decrypted: bool = False) -> bytes:
    """Link type 256: who sent it is said in the flags, on the connection."""
    said_way = {Side.CENTRAL: 2, Side.PERIPHERAL: 3}.get(said.sender, 0) if way is None else way
    flags = 0x0001 | 0x0002 | 0x0400 | (0x0800 if crc_ok else 0) | said_way << 7 | (0x0008 if decrypted else 0)
    flags |= 0x8000 if said.is_coded else 0
    return struct.pack("<BbbBIH", said.channel, -40, -90, 0, said.access_address, flags) + said.bare


def ppi(said: AirSaid, link: int = 147) -> bytes:
    """Link type 192 as Ubertooth writes it, which does not say who sent it."""
    field = struct.pack("<BHBIbbbB", 0, 2402 + 2 * said.channel, 0, said.time_ns // 100 & 0xFFFFFFFF, -40, -41, -42, 1)
    field = field.ljust(16, b"\0")
    return (
        struct.pack("<BBHI", 0, 0, 8 + 4 + len(field), link) + struct.pack("<HH", 30006, len(field)) + field + said.bare
    )


def nordic(said: AirSaid, *, version: int = 3, crc_ok: bool = True, kind: int | None = None) -> bytes:
    """Link type 272, versions 1 to 3; since the last one advertisements are another kind of packet."""
    if kind is None:
        kind = 2 if version == 3 and said.access_address == ADVERTISING else 6
    flags = (1 if crc_ok else 0) | (2 if said.sender is Side.CENTRAL else 0)
    flags |= 0x20 if said.is_coded else 0
    radio = struct.pack("<BBBBHI", 10, flags, said.channel, 40, 7, said.time_ns // 1000 & 0xFFFFFFFF)
    length = len(radio) + len(said.bare)
    head = struct.pack("<BBBHB", 6, length & 0xFF, 1, 9, kind)
    if version > 1:
        head = struct.pack("<HBHB", length, version, 9, kind)
    return b"\x04" + head + radio + said.bare


AIR_FILES: Final[dict[str, Callable[[Sequence[AirSaid]], bytes]]] = {
    "pcap 251": lambda said: pcap(LinkType.LE_LINK_LAYER, [(each.time_ns, each.bare) for each in said]),
    "pcap 256": lambda said: pcap(LinkType.LE_LINK_LAYER_WITH_PHDR, [(each.time_ns, with_phdr(each)) for each in said]),
    "pcap 192": lambda said: pcap(LinkType.PPI, [(each.time_ns, ppi(each)) for each in said]),
    "pcap 192 with 251": lambda said: pcap(LinkType.PPI, [(each.time_ns, ppi(each, 251)) for each in said]),
    "pcap 272 version 1": lambda said: pcap(
        LinkType.NORDIC_BLE, [(each.time_ns, nordic(each, version=1)) for each in said]
    ),
    "pcap 272 version 2": lambda said: pcap(
        LinkType.NORDIC_BLE, [(each.time_ns, nordic(each, version=2)) for each in said]
    ),
    "pcapng 272 version 3": lambda said: pcapng(LinkType.NORDIC_BLE, [(each.time_ns, nordic(each)) for each in said]),
    "pcap 256 coded": lambda said: pcap(
        LinkType.LE_LINK_LAYER_WITH_PHDR, [(each.time_ns, with_phdr(replace(each, is_coded=True))) for each in said]
    ),
    "pcapng 272 coded": lambda said: pcapng(
        LinkType.NORDIC_BLE, [(each.time_ns, nordic(replace(each, is_coded=True))) for each in said]
    ),
    "pcapng 251 big": lambda said: pcapng(
        LinkType.LE_LINK_LAYER, [(each.time_ns, each.bare) for each in said], order=">"
    ),
}
"""Every container and envelope for the air."""
