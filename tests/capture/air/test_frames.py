"""Envelopes of the air, checksums, and what noise and damage look like in them."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest

from blechannel_capture.air.crc import crc24
from blechannel_capture.air.frames import UNWRAP, AirFrame
from blechannel_capture.air.link_decoder import MAX_LINKS, MAX_STRANGERS
from blechannel_capture.events import Advertised, AttPdu, Connected, Side
from blechannel_capture.ledger import Damage
from blechannel_capture.packet import LinkType, Packet
from tests.capture.air_traffic import ACCESS_ADDRESS, AirTraffic
from tests.capture.reading import hear
from tests.capture.writing import AIR_FILES, START_NS, AirSaid, nordic, pcap, ppi, with_phdr

SAID = AirSaid(ACCESS_ADDRESS, b"\x01\x00", b"\x0a\x0b\x0c", Side.CENTRAL, START_NS, 12)


def unwrap(link_type: LinkType, data: bytes) -> AirFrame | None:
    return UNWRAP[link_type](Packet(1, START_NS, link_type, 0, data, 0, 0))


def test_checksums_that_others_have_computed() -> None:
    """An advertisement and an LL_ENC_REQ of a published capture; the second one's init stands in its CONNECT_IND."""
    advertisement = bytes.fromhex("0009e8dd6ee5c578020105")
    assert crc24(advertisement, 0x555555).hex() == "c63c96"
    encryption = bytes.fromhex("0f170300000000000000000000875fb27e3d016b9fea6ec7cc")
    assert crc24(encryption, 0xAC1369).hex() == "6b7787"


@pytest.mark.parametrize(
    ("link_type", "data", "sender", "channel", "rssi"),
    [
        (LinkType.LE_LINK_LAYER, SAID.bare, Side.UNKNOWN, None, None),
        (LinkType.LE_LINK_LAYER_WITH_PHDR, with_phdr(SAID), Side.CENTRAL, 12, -40),
        (LinkType.LE_LINK_LAYER_WITH_PHDR, with_phdr(SAID, way=3), Side.PERIPHERAL, 12, -40),
        (LinkType.LE_LINK_LAYER_WITH_PHDR, with_phdr(SAID, way=1), Side.UNKNOWN, 12, -40),
        (LinkType.PPI, ppi(SAID), Side.UNKNOWN, 2426, -40),
        (LinkType.NORDIC_BLE, nordic(SAID, version=1), Side.CENTRAL, 12, -40),
        (LinkType.NORDIC_BLE, nordic(SAID, version=2), Side.CENTRAL, 12, -40),
        (LinkType.NORDIC_BLE, nordic(SAID, version=3, kind=2), Side.CENTRAL, 12, -40),
    ],
)
def test_what_each_envelope_says(
    link_type: LinkType, data: bytes, sender: Side, channel: int | None, rssi: int | None
) -> None:
    frame = unwrap(link_type, data)
    assert frame is not None
    assert (frame.access_address, frame.pdu, frame.crc) == (ACCESS_ADDRESS, b"\x01\x00", b"\x0a\x0b\x0c")
    assert (frame.sender, frame.channel, frame.rssi_dbm) == (sender, channel, rssi)
    assert not frame.decrypted


@pytest.mark.parametrize("link_type", UNWRAP)
def test_what_is_too_short_is_no_frame(link_type: LinkType) -> None:
    whole = {
        LinkType.LE_LINK_LAYER: SAID.bare,
        LinkType.LE_LINK_LAYER_WITH_PHDR: with_phdr(SAID),
        LinkType.PPI: ppi(SAID),
        LinkType.NORDIC_BLE: nordic(SAID),
    }[link_type]
    assert unwrap(link_type, whole) is not None
    assert [unwrap(link_type, whole[:length]) for length in range(len(whole))] == [None] * len(whole)


def test_other_packets_of_the_sniffer_are_passed_over() -> None:
    for version in (1, 2, 3):
        assert unwrap(LinkType.NORDIC_BLE, nordic(SAID, version=version, kind=0x0E)) is None
    odd = bytearray(nordic(SAID))
    odd[3] = 9
    assert unwrap(LinkType.NORDIC_BLE, bytes(odd)) is None
    assert unwrap(LinkType.PPI, ppi(SAID, link=105)) is None


def test_a_ppi_header_without_bluetooth_s_field() -> None:
    frame = unwrap(LinkType.PPI, struct.pack("<BBHI", 0, 0, 8, 147) + SAID.bare)
    assert frame is not None
    assert (frame.channel, frame.rssi_dbm) == (None, None)


def test_a_checksum_is_believed_where_the_sniffer_has_checked_it() -> None:
    for wrong in (with_phdr(SAID, crc_ok=False), nordic(SAID, crc_ok=False)):
        link_type = LinkType.LE_LINK_LAYER_WITH_PHDR if wrong[0] == 12 else LinkType.NORDIC_BLE
        frame = unwrap(link_type, wrong)
        assert frame is not None
        assert frame.crc_ok is False


def test_what_the_sniffer_has_decrypted_is_not_decrypted_again() -> None:
    air = AirTraffic()
    air.connect()
    air.encrypt(bytes(16))
    sealed = len(air.said)
    air.write(0x21, b"value")
    plain = AirTraffic()
    plain.connect()
    plain.write(0x21, b"value")
    opened = plain.said[1:]
    records = [(each.time_ns, with_phdr(each)) for each in air.said[:sealed]]
    for before, after in zip(air.said[sealed:], opened, strict=True):
        said = AirSaid(
            ACCESS_ADDRESS, before.pdu[:1] + after.pdu[1:], after.crc, before.sender, before.time_ns, before.channel
        )
        records.append((said.time_ns, with_phdr(said, decrypted=True)))
    heard = hear(pcap(LinkType.LE_LINK_LAYER_WITH_PHDR, records))
    assert [each.packet for each in heard.events][-1] == len(records) - 1
    assert heard.damage() == {}


def test_a_decrypted_frame_may_have_the_length_of_the_sealed_one() -> None:
    pdu = b"\x02" + bytes([7 + 4]) + b"\x03\x00\x04\x00\x0a\x01\x00"
    said = AirSaid(ACCESS_ADDRESS, pdu, bytes(3), Side.CENTRAL, START_NS, 12)
    link_type = LinkType.LE_LINK_LAYER_WITH_PHDR
    assert hear(pcap(link_type, [(START_NS, with_phdr(said, decrypted=True))])).all(AttPdu)
    assert hear(pcap(link_type, [(START_NS, with_phdr(said))])).damage() == {Damage.MALFORMED: 1}


# --- advertisements ---


def test_advertisements_of_every_kind() -> None:
    air = AirTraffic()
    for kind in range(16):
        if kind != 5:
            air.advertise(b"\x02\x01\x06", kind=kind, is_random=kind != 0)
    heard = hear(AIR_FILES["pcap 256"](air.said))
    kinds = [each.kind for each in heard.all(Advertised)]
    assert kinds[:5] == ["ADV_IND", "ADV_DIRECT_IND", "ADV_NONCONN_IND", "SCAN_REQ", "SCAN_RSP"]
    assert kinds[5:] == ["ADV_SCAN_IND", "ADV_EXT_IND", *(f"type {kind}" for kind in range(8, 16))]
    assert [each.kind for each in heard.all(Advertised) if each.data] == [
        "ADV_IND",
        "ADV_NONCONN_IND",
        "SCAN_RSP",
        "ADV_SCAN_IND",
    ]
    addresses = {each.kind: each.address for each in heard.all(Advertised)}
    assert addresses["ADV_IND"] == "C0:C5:E5:6E:DD:E8"
    assert addresses["SCAN_RSP"] == "C0:C5:E5:6E:DD:E8 (random)"
    assert addresses["ADV_EXT_IND"] == ""


def test_advertisements_that_are_too_short_say_nothing() -> None:
    air = AirTraffic()
    air.advertise(b"", address=b"short")
    air.advertise(b"", kind=5)
    assert hear(AIR_FILES["pcap 251"](air.said)).events == []


def test_a_frame_whose_length_is_another_is_entered() -> None:
    said = AirSaid(0x8E89BED6, b"\x00\x09abc", crc24(b"\x00\x09abc", 0x555555), Side.UNKNOWN)
    heard = hear(AIR_FILES["pcap 251"]([said]))
    assert heard.events == []
    assert heard.damage() == {Damage.MALFORMED: 1}


def noise(count: int) -> list[AirSaid]:
    """What a promiscuous sniffer takes for frames: each access address once."""
    return [
        AirSaid(0x40000000 + 0x10001 * number, b"\x02\x01x", bytes(3), Side.UNKNOWN, START_NS + number * 1_000_000)
        for number in range(count)
    ]


def test_noise_is_no_connection_and_is_bounded() -> None:
    count = MAX_STRANGERS + 50
    heard = hear(AIR_FILES["pcap 251"](noise(count)))
    assert heard.events == []
    assert heard.damage() == {Damage.STRAY: count}
    assert {each.packet for each in heard.ledger.entries} == set(range(1, count + 1))


@pytest.mark.parametrize(
    ("link_type", "wrap"), [(LinkType.LE_LINK_LAYER_WITH_PHDR, with_phdr), (LinkType.NORDIC_BLE, nordic)]
)
def test_noise_with_a_checksum_that_is_wrong_is_no_connection(link_type: LinkType, wrap: Callable[..., bytes]) -> None:
    heard = hear(pcap(link_type, [(each.time_ns, wrap(each, crc_ok=False)) for each in noise(50)]))
    assert heard.events == []
    assert heard.damage() == {Damage.BAD_CRC: 50}


@pytest.mark.parametrize(("between", "connections"), [(MAX_STRANGERS - 1, 1), (MAX_STRANGERS, 0)])
def test_a_stranger_is_forgotten_when_there_are_too_many(between: int, connections: int) -> None:
    first, *others = noise(between + 1)
    assert len(hear(AIR_FILES["pcap 251"]([first, *others, first])).all(Connected)) == connections


@pytest.mark.parametrize(("between", "connections"), [(MAX_LINKS - 1, MAX_LINKS), (MAX_LINKS, MAX_LINKS + 2)])
def test_the_oldest_connection_is_given_up_when_there_are_too_many(between: int, connections: int) -> None:
    first, *others = [each for each in noise(between + 1) for _ in range(2)]
    heard = hear(AIR_FILES["pcap 251"]([first, *others, first, first]))
    assert len(heard.all(Connected)) == connections
