"""HCI: connections of either event, their parameters, encryption, keys and advertisements; what is malformed."""

from __future__ import annotations

import struct

import pytest

from blechannel_capture.events import (
    Advertised,
    AttPdu,
    Connected,
    Disconnected,
    EncryptionChanged,
    Known,
    LongTermKey,
    ParametersChanged,
    Side,
)
from blechannel_capture.ledger import Damage
from tests.capture.reading import Heard, hear
from tests.capture.traffic import HANDLE, HostTraffic
from tests.capture.writing import HCI_FILES


def read(traffic: HostTraffic, name: str = "btsnoop H4") -> Heard:
    return hear(HCI_FILES[name](traffic.said))


@pytest.mark.parametrize("local", [Side.CENTRAL, Side.PERIPHERAL])
@pytest.mark.parametrize("enhanced", [None, 0x0A, 0x29])
def test_a_connection_s_beginning(enhanced: int | None, local: Side) -> None:
    traffic = HostTraffic(local)
    traffic.connect(enhanced=enhanced, interval=36)
    [connected] = read(traffic).all(Connected)
    connection = connected.connection
    assert connected.seen
    assert (connection.interval_us, connection.latency, connection.supervision_timeout_ms) == (45_000, 2, 720)
    assert (connection.local, connection.local_known) == (local, Known.SEEN)
    peer = "80:11:22:33:44:55 (random)"
    assert (connection.central, connection.peripheral) == (("", peer) if local is Side.CENTRAL else (peer, ""))


def test_a_connection_that_failed_is_none() -> None:
    traffic = HostTraffic()
    traffic.event(0x3E, bytes([1, 0x3E]) + bytes(17))
    assert read(traffic).events == []


def test_parameters_and_encryption_and_the_end() -> None:
    traffic = HostTraffic()
    traffic.connect()
    traffic.event(0x3E, struct.pack("<BBHHHH", 3, 0, HANDLE, 80, 4, 500))
    traffic.event(0x08, struct.pack("<BHB", 0, HANDLE, 1))
    traffic.event(0x08, struct.pack("<BHB", 0, HANDLE, 0))
    traffic.event(0x59, struct.pack("<BHBB", 0, HANDLE, 1, 16))
    traffic.disconnect(0x08)
    heard = read(traffic)
    [changed] = heard.all(ParametersChanged)
    assert (changed.connection.interval_us, changed.connection.latency) == (100_000, 4)
    assert [each.encrypted for each in heard.all(EncryptionChanged)] == [True, False, True]
    assert [each.reason for each in heard.all(Disconnected)] == [8]


def test_what_failed_changes_nothing() -> None:
    traffic = HostTraffic()
    traffic.connect()
    traffic.event(0x3E, struct.pack("<BBHHHH", 3, 1, HANDLE, 80, 4, 500))
    traffic.event(0x08, struct.pack("<BHB", 6, HANDLE, 0))
    traffic.event(0x05, struct.pack("<BHB", 2, HANDLE, 0))
    assert [type(each) for each in read(traffic).events] == [Connected]


def test_events_about_connections_that_are_not_known_say_nothing() -> None:
    traffic = HostTraffic()
    traffic.event(0x3E, struct.pack("<BBHHHH", 3, 0, 7, 80, 4, 500))
    traffic.event(0x08, struct.pack("<BHB", 0, 7, 1))
    traffic.event(0x05, struct.pack("<BHB", 0, 7, 0))
    traffic.command(0x2019, struct.pack("<HQH", 7, 0, 0) + bytes(16))
    heard = read(traffic)
    assert heard.events == []
    assert heard.damage() == {}


def test_keys_of_both_sides_are_found_most_significant_byte_first() -> None:
    traffic = HostTraffic()
    traffic.connect()
    traffic.command(0x2019, struct.pack("<HQH", HANDLE, 1, 2) + bytes(range(16)))
    traffic.command(0x201A, struct.pack("<H", HANDLE) + bytes(range(16)))
    found = read(traffic).all(LongTermKey)
    assert [each.key for each in found] == [bytes(range(15, -1, -1))] * 2
    assert [each.source for each in found] == ["LE Enable Encryption", "LE Long Term Key Request Reply"]


def test_two_connections_at_once_and_a_handle_that_is_used_again() -> None:
    traffic = HostTraffic()
    for handle in (1, 2):
        traffic.connect(handle=handle)
    traffic.att(Side.CENTRAL, b"\x0a\x01\x00", handle=1)
    traffic.att(Side.CENTRAL, b"\x0a\x02\x00", handle=2)
    traffic.acl(b"\x09\x00\x04\x00\x0b", sent=False, handle=1)
    traffic.connect(handle=1)
    traffic.att(Side.CENTRAL, b"\x0a\x03\x00", handle=1)
    heard = read(traffic)
    assert [(each.connection.number, each.handle) for each in heard.all(AttPdu)] == [(1, 1), (2, 2), (3, 3)]
    assert heard.damage() == {Damage.UNFINISHED: 1}


def test_classic_links_are_passed_over() -> None:
    traffic = HostTraffic()
    traffic.event(0x03, b"\x00\x40\x00" + bytes(6) + b"\x01\x00")
    traffic.event(0x03, b"\x04\x41\x00" + bytes(6) + b"\x01\x00")
    traffic.pdu(Side.CENTRAL, 1, b"\x02\x01\x00\x00")
    traffic.disconnect()
    traffic.att(Side.CENTRAL, b"\x0a\x01\x00")
    traffic.att(Side.CENTRAL, b"\x0a\x02\x00", handle=0x41)
    heard = read(traffic)
    assert [each.handle for each in heard.all(AttPdu)] == [1, 2]
    assert [each.connection.handle for each in heard.all(Connected)] == [0x40, 0x41]
    traffic.event(0x03, b"\x00\x42\x00" + bytes(6) + b"\x01\x00")
    traffic.connect(handle=0x42)
    traffic.att(Side.CENTRAL, b"\x0a\x03\x00", handle=0x42)
    assert [each.handle for each in read(traffic).all(AttPdu)] == [1, 2, 3]


# --- the middle of a conversation ---


@pytest.mark.parametrize("local", [Side.CENTRAL, Side.PERIPHERAL])
@pytest.mark.parametrize(
    ("sender", "pdu"), [(Side.CENTRAL, b"\x52\x21\x00x"), (Side.CENTRAL, b"\x0a\x21\x00"), (Side.CENTRAL, b"\x1e")]
)
def test_which_side_the_host_is_is_guessed_from_what_only_clients_say(local: Side, sender: Side, pdu: bytes) -> None:
    traffic = HostTraffic(local)
    traffic.att(Side.PERIPHERAL, b"\x1b\x24\x00x")
    traffic.att(sender, pdu)
    traffic.att(Side.PERIPHERAL, b"\x1b\x24\x00x")
    heard = read(traffic)
    [connected] = heard.all(Connected)
    assert not connected.seen
    assert (connected.connection.local, connected.connection.local_known) == (local, Known.GUESSED)
    assert [each.sender for each in heard.all(AttPdu)] == [Side.UNKNOWN, sender, Side.PERIPHERAL]


def test_without_a_direction_nothing_is_guessed() -> None:
    """H4 without flags says which way commands and events go, and no more."""
    traffic = HostTraffic()
    traffic.att(Side.CENTRAL, b"\x52\x21\x00x")
    content = HCI_FILES["pcapng 187 little"](traffic.said).replace(b"\x02\0\x04\0\x02\0\0\0", b"\x02\0\x04\0\0\0\0\0")
    heard = hear(content)
    assert [each.sender for each in heard.all(AttPdu)] == [Side.UNKNOWN]
    assert heard.all(Connected)[0].connection.local_known is Known.UNKNOWN


# --- advertisements ---


def test_advertisements_of_both_kinds() -> None:
    traffic = HostTraffic()
    one = b"\x00\x01" + bytes.fromhex("665544332211") + b"\x03\x02\x01\x06\xc8"
    two = b"\x04\x00" + bytes.fromhex("665544332211") + b"\x00\xd8"
    traffic.event(0x3E, b"\x02\x02" + one + two)
    odd = b"\x09\x00" + bytes(6) + b"\x00\x00"
    traffic.event(0x3E, b"\x02\x01" + odd)
    for kind in (0x0013, 0x001B, 0x0000):
        report = struct.pack("<HB6sBBBbbHB6sB", kind, 1, bytes(6), 1, 0, 0, 0, -50, 0, 0, bytes(6), 3) + b"\x02\x01\x06"
        traffic.event(0x3E, b"\x0d\x01" + report)
    found = read(traffic).all(Advertised)
    assert [each.kind for each in found] == ["ADV_IND", "SCAN_RSP", "type 9", "ADV_IND", "SCAN_RSP", "ADV_EXT_IND"]
    assert [each.rssi_dbm for each in found] == [-56, -40, 0, -50, -50, -50]
    assert found[0].address == "11:22:33:44:55:66 (random)"
    assert found[1].address == "11:22:33:44:55:66"
    assert [each.data for each in found] == [b"\x02\x01\x06", b"", b""] + [b"\x02\x01\x06"] * 3


# --- what contradicts itself ---

MALFORMED = {
    "an empty event": (4, False, b""),
    "an event that is too short": (4, False, b"\x3e\x05\x01"),
    "an event that is too long": (4, False, b"\x3e\x00\x01"),
    "an end of a connection that says more": (4, False, b"\x05\x05\x00\x40\x00\x13"),
    "a connection event without its end": (4, False, b"\x3e\x02\x01\x00"),
    "an advertisement that says more than it has": (4, False, b"\x3e\x03\x02\x02\x00"),
    "a meta event without a subevent": (4, False, b"\x3e\x00"),
    "a command that is too short": (1, True, b"\x19"),
    "a command that says more": (1, True, b"\x19\x20\x1c\x00"),
    "data without a header": (2, True, b"\x40\x00"),
    "data that says more": (2, True, b"\x40\x00\x09\x00\x02\x00\x04\x00\x0b"),
    "data that says less": (2, True, b"\x40\x00\x01\x00\x02\x00\x04\x00\x0b"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_contradicts_itself_is_entered_and_the_rest_read(name: str) -> None:
    traffic = HostTraffic()
    traffic.connect()
    kind, sent, data = MALFORMED[name]
    traffic.add(kind, data, sent=sent)
    traffic.att(Side.CENTRAL, b"\x0a\x01\x00")
    heard = read(traffic)
    assert heard.damage()[Damage.BAD_PACKET] == 1
    assert {each.packet for each in heard.ledger.entries} == {2}
    assert [each.handle for each in heard.all(AttPdu)] == [1]
    assert heard.all(Disconnected) == []


def test_an_empty_packet_and_an_unknown_type_are_passed_over() -> None:
    traffic = HostTraffic()
    traffic.add(9, b"vendor", sent=True)
    assert read(traffic).events == []
    assert read(traffic).damage() == {}
