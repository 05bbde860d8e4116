"""What identifies or unlocks, in each place that HCI, the air and the files' own notes have for it."""

from __future__ import annotations

import io
import struct

import pytest

from blechannel_capture.containers.pcapng_writer import PcapngWriter
from blechannel_capture.events import Advertised, Side, SmpPdu
from blechannel_capture.packet import LinkType, Packet
from tests.capture.air_traffic import AirTraffic
from tests.capture.anonymising.test_anonymiser import anonymous
from tests.capture.reading import hear
from tests.capture.traffic import HANDLE, PEER, HostTraffic
from tests.capture.writing import AIR_FILES, HCI_FILES, btsnoop, packet_logger

KEY, NAME = bytes(range(0x50, 0x60)), b"Ann's Watch"
EXTENDED = bytes([0x07, 0x21, 0x09, 0x09]) + PEER + b"\x01\x02" + b"\x0c\x09" + NAME

COMMANDS = {
    "link key": (0x040B, PEER + KEY),
    "PIN": (0x040D, PEER + b"\x10" + KEY),
    "stored link key": (0x0C11, b"\x01" + PEER + KEY),
    "LE encryption": (0x2019, struct.pack("<H", HANDLE) + KEY[:10] + KEY),
    "long term key": (0x201A, struct.pack("<H", HANDLE) + KEY),
    "resolving list": (0x2027, b"\x01" + PEER + KEY + KEY),
    "host's name": (0x0C13, NAME),
    "extended advertising data": (0x2037, b"\x00\x03\x00\x0d\x0c\x09" + NAME),
    "extended inquiry response": (0x0C52, b"\x00\x0c\x09" + NAME + bytes(9)),
}
EVENTS = {
    "link key": (0x18, PEER + KEY + b"\x05"),
    "remote name": (0x07, b"\x00" + PEER + NAME),
    "extended inquiry": (0x2F, b"\x01" + PEER + bytes(8) + b"\x0c\x09" + NAME),
    "key of Diffie and Hellman": (0x3E, b"\x09\x00" + KEY + KEY),
    "bond's name": (0x3E, b"\x05" + struct.pack("<H", HANDLE) + KEY[:10]),
    "local address": (0x0E, b"\x01\x09\x10\x00" + PEER),
    "local name": (0x0E, b"\x01\x14\x0c\x00" + NAME),
}
AD = {
    "name": b"\x0c\x09" + NAME,
    "address": b"\x08\x1b" + PEER + b"\x01",
    "temporary key": b"\x11\x10" + KEY,
    "manufacturer": b"\x13\xff\x4c\x00" + KEY,
    "service data": b"\x13\x16\x0f\x18" + KEY,
}


def traces(content: bytes) -> set[bytes]:
    return {each for each in (PEER, NAME, KEY, KEY[:10]) if each in content}


@pytest.mark.parametrize("name", COMMANDS)
def test_commands(name: str) -> None:
    traffic = HostTraffic()
    traffic.command(*COMMANDS[name])
    checked(traffic)


@pytest.mark.parametrize("name", EVENTS)
def test_events(name: str) -> None:
    traffic = HostTraffic()
    traffic.event(*EVENTS[name])
    checked(traffic)


def checked(traffic: HostTraffic) -> None:
    content = HCI_FILES["btsnoop H4"](traffic.said)
    assert traces(content)
    assert not traces(anonymous(content)[0])


@pytest.mark.parametrize("name", AD)
def test_advertisements(name: str) -> None:
    air = AirTraffic()
    air.advertise(b"\x02\x01\x06" + AD[name] + b"\x02\x0a\x00")
    content = AIR_FILES["pcap 256"](air.said)
    copy, _ = anonymous(content)
    assert traces(content)
    assert not traces(copy)
    [before], [after] = hear(content).all(Advertised), hear(copy).all(Advertised)
    assert (after.data[:5], after.data[-3:]) == (before.data[:5], before.data[-3:]), "what tells nobody stays"
    assert hear(copy).damage() == hear(content).damage()


def test_extended_advertisements() -> None:
    air = AirTraffic()
    air.advertise(EXTENDED[8:], kind=0x07, address=EXTENDED[2:8])
    content = AIR_FILES["pcap 256"](air.said)
    copy, _ = anonymous(content)
    assert traces(content) == {PEER, NAME}
    assert not traces(copy)
    assert hear(copy).damage() == hear(content).damage()


@pytest.mark.parametrize("code", [0x03, 0x04, 0x06, 0x07, 0x08, 0x09, 0x0A, 0x0C, 0x0D])
def test_whatever_a_pairings_key_could_be_searched_with(code: int) -> None:
    air = AirTraffic()
    air.connect()
    air.smp(Side.CENTRAL, bytes([code]) + KEY)
    copy, _ = anonymous(AIR_FILES["pcap 256"](air.said))
    assert [(each.code, each.value) for each in hear(copy).all(SmpPdu)] == [(code, bytes(16))]


def test_a_piece_too_short_to_tell_takes_the_rest_with_it() -> None:
    traffic = HostTraffic(acl_bytes=6)
    traffic.connect()
    traffic.smp(Side.CENTRAL, b"\x06" + KEY)
    copy, _ = anonymous(HCI_FILES["btsnoop H4"](traffic.said))
    assert not [each for each in hear(copy).all(SmpPdu) if KEY[6:] in each.value]


NOTES = {
    "new index": (0, b"\x00\x01" + PEER + b"hci0\0\0\0\0"),
    "system note": (12, b"Linux of Ann's Watch\0"),
    "user logging": (13, b"\x06\x0bbluetoothd\0Ann's Watch\0"),
    "control command": (16, PEER + KEY),
}


@pytest.mark.parametrize("name", NOTES)
@pytest.mark.parametrize("is_pcapng", [False, True])
def test_notes_of_btmon(name: str, is_pcapng: bool) -> None:
    opcode, text = NOTES[name]
    content = btsnoop(LinkType.SNOOP_MONITOR, [(0, opcode, text)])
    if is_pcapng:
        file = io.BytesIO()
        PcapngWriter(file).packet(Packet(1, 0, LinkType.SNOOP_MONITOR, opcode, text, 0, 0))
        content = file.getvalue()
    copy, _ = anonymous(content)
    assert traces(content)
    assert not traces(copy)


def test_comments_secrets_and_notes_of_a_file_are_left_out() -> None:
    file = io.BytesIO()
    writer = PcapngWriter(file)
    writer.secrets(5, KEY)
    writer.packet(Packet(1, 9, LinkType.H4, 0, b"\x04\x0e\x00", 0, 0), comment=NAME.decode())
    copy, _ = anonymous(file.getvalue())
    assert not traces(copy)
    assert not traces(anonymous(packet_logger([(0, 0xFC, NAME), (0, 1, b"\x0e\x00")]))[0])
