"""btsnoop, as Android, BlueZ's btmon and Bumble write it.

Source: RFC 1761 (snoop), with the time since year 0 and Bluetooth's data link types: 1001 (H1), 1002 (H4) and BlueZ's
2001 (monitor), from the descriptions of Android and BlueZ.
"""

from __future__ import annotations

import struct
from typing import Final

from blechannel_capture.containers.reading import Packets, Reading
from blechannel_capture.errors import NotACapture
from blechannel_capture.ledger import Damage
from blechannel_capture.packet import MAX_PACKET_BYTES, LinkType, Packet

MAGIC: Final = b"btsnoop\0"
EPOCH_US: Final = 0x00DCDDB30F2F8000
"""1970 in microseconds of btsnoop's clock."""
_HEADER: Final = struct.Struct(">8sII")
_RECORD: Final = struct.Struct(">IIIIQ")
_KINDS: Final = {1001: LinkType.SNOOP_H1, 1002: LinkType.SNOOP_H4, 2001: LinkType.SNOOP_MONITOR}


def read_btsnoop(reading: Reading) -> Packets:
    """The packets of a btsnoop file.

    Raises:
        NotACapture: another data link than Bluetooth's, or no whole header.
    """
    take, number = reading.source.take, 0
    header = take(_HEADER.size)
    if len(header) < _HEADER.size:
        raise NotACapture(f"a btsnoop header has {_HEADER.size} bytes; the file has {len(header)}")
    _, _, kind = _HEADER.unpack(header)
    if kind not in _KINDS:
        raise NotACapture(f"btsnoop with data link {kind}: known are {', '.join(map(str, _KINDS))}")
    link_type, size, unpack = _KINDS[kind], _RECORD.size, _RECORD.unpack
    dropped_before, offset = 0, reading.source.offset
    while True:
        record = take(size)
        if len(record) < size:
            reading.is_whole(record, size, "a record's header", may_end=True)
            return
        original, length, flags, dropped, time_us = unpack(record)
        if length > MAX_PACKET_BYTES and not reading.fits(length, "a packet"):
            return
        data = take(length)
        number += 1
        if len(data) < length and not reading.is_whole(data, length, "a packet"):
            return
        reading.number = number
        if dropped > dropped_before:
            reading.ledger.note(Damage.DROPPED, f"{dropped - dropped_before} packets", packet=number, offset=offset)
        dropped_before = dropped
        missing = original - length if original > length else 0
        # A writer without a calendar counts from its own start.
        time_ns = (time_us - EPOCH_US if time_us >= EPOCH_US else time_us) * 1000
        yield Packet(number, time_ns, link_type, flags, data, missing, offset)
        offset += size + length
