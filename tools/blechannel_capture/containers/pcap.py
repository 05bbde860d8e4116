"""pcap, in microseconds and nanoseconds, of either byte order.

Source: "PCAP Capture File Format" (draft-ietf-opsawg-pcap).
"""

from __future__ import annotations

import struct
from typing import Final

from blechannel_capture.containers.reading import Packets, Reading
from blechannel_capture.errors import NotACapture
from blechannel_capture.packet import LinkType, Packet

HEADER_BYTES: Final = 24
RECORD_BYTES: Final = 16
_MAGICS: Final = {
    bytes.fromhex("a1b2c3d4"): (">", 1000),
    bytes.fromhex("d4c3b2a1"): ("<", 1000),
    bytes.fromhex("a1b23c4d"): (">", 1),
    bytes.fromhex("4d3cb2a1"): ("<", 1),
}
"""Byte order, and the nanoseconds of a fraction's unit."""
MAGICS: Final = tuple(_MAGICS)
LINK_TYPE_MASK: Final = 0xFFFF
"""The upper bits say how long a frame check sequence is, which Bluetooth's link types do not use."""
LINK_TYPES: Final = {each.value: each for each in LinkType if each.value < 1000}
"""Those that a pcap or pcapng file may have."""


def link_type_of(number: int) -> LinkType:
    """The link type of that number.

    Raises:
        NotACapture: none that carries Bluetooth LE.
    """
    if number not in LINK_TYPES:
        raise NotACapture(f"link type {number}: Bluetooth LE comes as {', '.join(map(str, sorted(LINK_TYPES)))}")
    return LINK_TYPES[number]


def read_pcap(reading: Reading) -> Packets:
    """The packets of a pcap file.

    Raises:
        NotACapture: another link than Bluetooth's, or no whole header.
    """
    take, number = reading.source.take, 0
    header = take(HEADER_BYTES)
    if len(header) < HEADER_BYTES:
        raise NotACapture(f"a pcap header has {HEADER_BYTES} bytes; the file has {len(header)}")
    order, unit_ns = _MAGICS[header[:4]]
    link_type = link_type_of(struct.unpack_from(order + "I", header, 20)[0] & LINK_TYPE_MASK)
    unpack = struct.Struct(order + "IIII").unpack
    while True:
        offset = reading.source.offset
        record = take(RECORD_BYTES)
        if len(record) < RECORD_BYTES:
            reading.is_whole(record, RECORD_BYTES, "a record's header", may_end=True)
            return
        seconds, fraction, length, original = unpack(record)
        if not reading.fits(length, "a packet"):
            return
        data = take(length)
        number += 1
        if len(data) < length and not reading.is_whole(data, length, "a packet"):
            return
        reading.number = number
        time_ns = seconds * 1_000_000_000 + fraction * unit_ns
        yield Packet(number, time_ns, link_type, 0, data, max(original - length, 0), offset)
