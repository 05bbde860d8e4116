"""Values that say who somebody is, in every PDU that can carry them; others stay."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest

from blechannel_capture.events import AttPdu, Side
from tests.capture.air_traffic import AirTraffic
from tests.capture.anonymising.test_anonymiser import anonymous
from tests.capture.reading import hear
from tests.capture.traffic import HostTraffic
from tests.capture.writing import AIR_FILES, HCI_FILES

NAME, SERIAL, LEVEL = b"Ann's Watch", b"SN-0815-4711", b"harmless value"
NAMED, NUMBERED, OTHER = 0x03, 0x12, 0x15
Traffic = HostTraffic | AirTraffic


def declared(handle: int, uuid: int) -> bytes:
    return struct.pack("<HBHH", handle - 1, 0x12, handle, uuid)


def discovered(traffic: Traffic) -> None:
    """Three characteristics: a name, a serial number, and one that says nothing of anybody."""
    traffic.connect()
    traffic.att(Side.CENTRAL, struct.pack("<BHHH", 0x08, 1, 0xFFFF, 0x2803))
    found = declared(NAMED, 0x2A00) + declared(NUMBERED, 0x2A25) + declared(OTHER, 0x2A19)
    traffic.att(Side.PERIPHERAL, b"\x09\x07" + found)


def asks(opcode: int, body: bytes, answer: bytes) -> Callable[[Traffic], None]:
    def ask(traffic: Traffic) -> None:
        traffic.att(Side.CENTRAL, bytes([opcode]) + body)
        traffic.att(Side.PERIPHERAL, answer)

    return ask


def says(side: Side, pdu: bytes) -> Callable[[Traffic], None]:
    return lambda traffic: traffic.att(side, pdu)


def handle(number: int) -> bytes:
    return struct.pack("<H", number)


TELLING = {
    "read": asks(0x0A, handle(NAMED), b"\x0b" + NAME),
    "read of a serial number": asks(0x0A, handle(NUMBERED), b"\x0b" + SERIAL),
    "read blob": asks(0x0C, handle(NUMBERED) + bytes(2), b"\x0d" + SERIAL),
    "read by type": asks(0x08, struct.pack("<HHH", 1, 0xFFFF, 0x2A00), b"\x09\x0d" + handle(NAMED) + NAME),
    "read by type, twice": asks(
        0x08,
        struct.pack("<HHH", 1, 0xFFFF, 0x2A25),
        b"\x09\x0e" + handle(NUMBERED) + SERIAL + handle(NUMBERED + 9) + SERIAL,
    ),
    "read multiple": asks(0x0E, handle(OTHER) + handle(NAMED), b"\x0f\x64" + NAME),
    "notification": says(Side.PERIPHERAL, b"\x1b" + handle(NUMBERED) + SERIAL),
    "indication": says(Side.PERIPHERAL, b"\x1d" + handle(NUMBERED) + SERIAL),
    "multiple notification": says(
        Side.PERIPHERAL, b"\x23" + handle(OTHER) + handle(1) + b"\x64" + handle(NUMBERED) + handle(12) + SERIAL
    ),
    "write": says(Side.CENTRAL, b"\x12" + handle(NAMED) + NAME),
    "write command": says(Side.CENTRAL, b"\x52" + handle(NAMED) + NAME),
    "prepare write": says(Side.CENTRAL, b"\x16" + handle(NAMED) + bytes(2) + NAME),
    "long": says(Side.PERIPHERAL, b"\x1b" + handle(NUMBERED) + 20 * b"x" + SERIAL + 300 * b"y" + SERIAL),
}


@pytest.mark.parametrize("name", TELLING)
@pytest.mark.parametrize("is_air", [False, True], ids=["host", "air"])
def test_what_names_somebody_goes_without_being_asked(name: str, is_air: bool) -> None:
    traffic: Traffic = AirTraffic() if is_air else HostTraffic(acl_bytes=27)
    discovered(traffic)
    TELLING[name](traffic)
    traffic.notify(OTHER, LEVEL)
    content = AIR_FILES["pcap 256"](traffic.said) if isinstance(traffic, AirTraffic) else as_file(traffic)
    before, copy = hear(content).all(AttPdu), anonymous(content)[0]
    after = hear(copy).all(AttPdu)
    assert any(NAME in each.value or SERIAL in each.value for each in before)
    assert not any(NAME in each.value or SERIAL in each.value for each in after)
    assert after[-1].value == LEVEL, "what names nobody stays"
    assert [(each.opcode, each.handle, len(each.value)) for each in after] == [
        (each.opcode, each.handle, len(each.value)) for each in before
    ]


def as_file(traffic: HostTraffic) -> bytes:
    return HCI_FILES["btsnoop H4"](traffic.said)


def test_answers_without_a_question_and_broken_ones_are_no_trouble() -> None:
    traffic = HostTraffic()
    discovered(traffic)
    for pdu in (b"\x0b" + LEVEL, b"\x23\x12\x00\xff\xff", b"\x23\x12"):
        traffic.att(Side.PERIPHERAL, pdu)
    asks(0x08, struct.pack("<HHH", 1, 0xFFFF, 0x2A00), b"\x09")(traffic)
    asks(0x08, struct.pack("<HHH", 1, 0xFFFF, 0x2A00), b"\x09\x01" + NAME)(traffic)
    asks(0x08, struct.pack("<HH", 1, 0xFFFF) + b"odd", b"\x09\x0d" + handle(OTHER) + LEVEL[:11])(traffic)
    traffic.disconnect()
    traffic.att(Side.PERIPHERAL, b"\x1b" + handle(NUMBERED) + LEVEL)
    copy, _ = anonymous(as_file(traffic))
    assert NAME not in copy
    assert LEVEL in copy


def test_a_name_becomes_the_same_wherever_it_stands() -> None:
    """In an advertisement, in a value of an attribute that is not known, and in one that is."""
    traffic = HostTraffic()
    traffic.command(0x2008, b"\x0d\x0c\x09" + NAME + bytes(18))
    traffic.connect()
    traffic.att(Side.CENTRAL, b"\x0a" + handle(0x77))
    traffic.att(Side.PERIPHERAL, b"\x0b" + NAME)
    discovered(traffic)
    TELLING["read"](traffic)
    copy, _ = anonymous(as_file(traffic))
    read = [each.value for each in hear(copy).all(AttPdu) if each.opcode == 0x0B]
    assert NAME not in copy
    assert read[0] == read[1]
    assert copy.count(read[0]) == 3
