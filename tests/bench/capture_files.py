"""Large captures, made packet by packet: what a phone's host and its controller say while a watch sends."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from blechannel_capture.containers.btsnoop import EPOCH_US
from blechannel_capture.packet import LinkType
from tests.capture.traffic import HANDLE, INBOX, OUTBOX, HostTraffic
from tests.capture.writing import HciSaid, snoop_flags

VALUE_BYTES: Final = 80
HEADER: Final = b"btsnoop\0" + struct.pack(">II", 1, LinkType.SNOOP_H4.value)
_START_US: Final = EPOCH_US + 1_800_000_000_000_000
_STEP_US: Final = 1250


def record(number: int, flags: int, packet: bytes) -> bytes:
    """One record of btsnoop, 1.25 ms behind the one before."""
    time_us = _START_US + number * _STEP_US
    return struct.pack(">IIIIQ", len(packet), len(packet), flags, 0, time_us) + packet


def att_traffic(count: int, *, value_bytes: int = VALUE_BYTES) -> Iterator[bytes]:
    """A btsnoop file of a connection with that many ATT PDUs: a write without response, three notifications, and so on.

    A controller's event that packets are completed stands behind every fourth, as in a phone's log.
    """
    beginning = HostTraffic()
    beginning.connect()
    yield HEADER
    yield record(0, 3, beginning.said[0].h4)
    completed = b"\x04\x13\x05\x01" + struct.pack("<HH", HANDLE, 1)
    for number in range(1, count + 1):
        value = number.to_bytes(4, "little") * (value_bytes // 4)
        if number % 4:
            att = b"\x1b" + struct.pack("<H", OUTBOX) + value
            flags, head = 1, HANDLE | 2 << 12
        else:
            att = b"\x52" + struct.pack("<H", INBOX) + value
            flags, head = 0, HANDLE
            yield record(number, 3, completed)
        pdu = struct.pack("<HH", len(att), 4) + att
        yield record(number, flags, b"\x02" + struct.pack("<HH", head, len(pdu)) + pdu)


def of_said(said: list[HciSaid]) -> Iterator[bytes]:
    """A btsnoop file of what a host and its controller have said."""
    yield HEADER
    for number, each in enumerate(said):
        yield record(number, snoop_flags(each), each.h4)
