"""Apple's PacketLogger (`.pklg`), of either byte order. It has no magic: its first records must make sense.

Source: the layout that PacketLogger writes: length, seconds, microseconds (4 bytes each), type (1), packet.
"""

from __future__ import annotations

import struct
from typing import Final

from blechannel_capture.containers.reading import Packets, Reading
from blechannel_capture.ledger import Damage
from blechannel_capture.packet import LinkType, Packet

HEADER_BYTES: Final = 13
_COUNTED: Final = HEADER_BYTES - 4
"""The length does not count itself."""
KINDS: Final = frozenset({0x00, 0x01, 0x02, 0x03, 0x08, 0x09, 0x0A, 0x0B, 0x12, 0x13, *range(0xF7, 0x100)})
"""Commands, events, ACL, SCO, LMP (of classic Bluetooth) and ISO both ways; notes of the program from 0xF7."""
MAX_FIRST_BYTES: Final = 0xFFFF
"""A first record that is longer is no PacketLogger's."""


def byte_order_of(start: bytes) -> str | None:
    """ ">" or "<" where these first bytes could be a PacketLogger file, else None."""
    if len(start) < HEADER_BYTES:
        return None
    for order in "><":
        length, _, micros = struct.unpack_from(order + "III", start)
        if _COUNTED <= length <= MAX_FIRST_BYTES and micros < 1_000_000 and start[12] in KINDS:
            return order
    return None


def read_packet_logger(reading: Reading) -> Packets:
    """The packets of a PacketLogger file."""
    take, number = reading.source.take, 0
    order = byte_order_of(reading.source.peek(HEADER_BYTES)) or ">"
    unpack = struct.Struct(order + "IIIB").unpack
    while True:
        offset = reading.source.offset
        record = take(HEADER_BYTES)
        if len(record) < HEADER_BYTES:
            reading.is_whole(record, HEADER_BYTES, "a record's header", may_end=True)
            return
        counted, seconds, micros, kind = unpack(record)
        length = counted - _COUNTED
        if not reading.fits(length, "a packet"):
            return
        data = take(length)
        number += 1
        if len(data) < length and not reading.is_whole(data, length, "a packet"):
            return
        reading.number = number
        if kind not in KINDS:
            reading.ledger.note(Damage.BAD_BLOCK, f"a record of type {kind:#04x}", packet=number, offset=offset)
        time_ns = seconds * 1_000_000_000 + micros * 1000
        yield Packet(number, time_ns, LinkType.PACKET_LOGGER, kind, data, 0, offset)
