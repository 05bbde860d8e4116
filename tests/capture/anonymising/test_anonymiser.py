"""Anonymous copies: nothing that points to somebody stays, the same becomes the same, and all else is as it was."""

from __future__ import annotations

import io
import struct

import pytest

from blechannel.roles import Role
from blechannel_capture.anonymising import Anonymiser
from blechannel_capture.capture import Capture
from blechannel_capture.channel.events import ChannelFrame, HandshakeVerified
from blechannel_capture.containers.pcapng_writer import PcapngWriter
from blechannel_capture.events import Advertised, AttPdu, Connected, LongTermKey, Side, SmpPdu, Verdict
from blechannel_capture.ledger import Damage
from tests.capture.air_traffic import CENTRAL, PERIPHERAL, AirTraffic
from tests.capture.channel_traffic import CapturedWorld, honest_life
from tests.capture.reading import Heard, hear
from tests.capture.traffic import HANDLE, PEER, HostTraffic
from tests.capture.writing import AIR_FILES, HCI_FILES

NAME = b"Ann's Watch"
ADVERT = b"\x02\x01\x06" + bytes([len(NAME) + 1, 0x09]) + NAME + b"\x03\x03\x0d\x18"
KEY = bytes(range(0x50, 0x60))


def anonymous(content: bytes, *, values: bool = False, secret: bytes = bytes(16)) -> tuple[bytes, int]:
    """An anonymous copy, and how much was replaced."""
    file, capture = io.BytesIO(), Capture(io.BytesIO(content))
    writer, anonymiser = PcapngWriter(file), Anonymiser(secret, values=values, gatt=capture.gatt)
    for packet, events in capture.steps():
        if packet is not None:
            writer.packet(anonymiser.anonymised(packet, events))
    return file.getvalue(), anonymiser.replaced


def host() -> HostTraffic:
    traffic = HostTraffic()
    reports = b"\x00\x01" + PEER + bytes([len(ADVERT)]) + ADVERT + b"\xc8"
    traffic.event(0x3E, b"\x02\x01" + reports)
    extended = struct.pack("<HB6sBBBbbHB6sB", 0x13, 1, PEER, 1, 0, 0, 0, -50, 0, 0, bytes(6), len(ADVERT)) + ADVERT
    traffic.event(0x3E, b"\x0d\x01" + extended)
    traffic.command(0x200D, bytes(6) + PEER + bytes(13))
    traffic.command(0x2008, bytes([len(ADVERT)]) + ADVERT.ljust(31, b"\0"))
    traffic.command(0x0C13, NAME.ljust(248, b"\0")[:200])
    traffic.connect()
    traffic.event(0x0E, b"\x01\x09\x10\x00" + PEER)
    traffic.event(0x07, b"\x00" + PEER + NAME.ljust(248, b"\0")[:200])
    traffic.command(0x2019, struct.pack("<HQH", HANDLE, 0, 0) + KEY)
    traffic.smp(Side.PERIPHERAL, b"\x08" + KEY)
    traffic.smp(Side.CENTRAL, b"\x09\x01" + PEER)
    traffic.event(0xFF, b"\x01vendor" + PEER)
    traffic.att(Side.CENTRAL, b"\x0a\x03\x00")
    traffic.att(Side.PERIPHERAL, b"\x0b" + b"a value that tells")
    traffic.notify(0x24, b"a longer value that tells " * 20)
    traffic.disconnect()
    return traffic


def air() -> AirTraffic:
    traffic = AirTraffic()
    traffic.advertise(ADVERT)
    traffic.advertise(CENTRAL, kind=3)
    traffic.connect()
    traffic.smp(Side.PERIPHERAL, b"\x06" + KEY)
    traffic.att(Side.PERIPHERAL, b"\x0b" + b"a value that tells")
    return traffic


@pytest.mark.parametrize("name", HCI_FILES)
def test_nothing_that_points_to_somebody_stays_in_a_host_s_capture(name: str) -> None:
    content = HCI_FILES[name](host().said)
    copy, replaced = anonymous(content)
    for trace in (PEER, NAME, KEY):
        assert trace in content
        assert trace not in copy
    assert replaced >= 14
    before, after = hear(content), hear(copy)
    assert [type(each) for each in after.events] == [type(each) for each in before.events]
    assert list(map(repr_of, after.all(AttPdu))) == list(map(repr_of, before.all(AttPdu)))
    assert after.damage() == before.damage() == {}
    [connected], [advert, extended] = after.all(Connected), after.all(Advertised)
    assert connected.connection.peripheral == advert.address == extended.address != "80:11:22:33:44:55 (random)"
    assert len(advert.data) == len(ADVERT)
    assert advert.data == extended.data
    assert [each.key for each in after.all(LongTermKey)] == [bytes(16)]
    assert {each.value.strip(b"\0") for each in after.all(SmpPdu)} == {b""}


def repr_of(pdu: AttPdu) -> tuple[int, Side, int, int, bytes]:
    return pdu.packet, pdu.sender, pdu.opcode, pdu.handle, pdu.value


@pytest.mark.parametrize("name", AIR_FILES)
def test_nothing_that_points_to_somebody_stays_in_a_capture_of_the_air(name: str) -> None:
    content = AIR_FILES[name](air().said)
    copy, _ = anonymous(content)
    for trace in (PERIPHERAL, CENTRAL, NAME, KEY):
        assert trace not in copy
    before, after = hear(content), hear(copy)
    assert after.damage() == before.damage(), "checksums are made anew"
    assert [type(each) for each in after.events] == [type(each) for each in before.events]
    assert Damage.BAD_CRC not in after.damage()
    [connected], [advert, _] = after.all(Connected), after.all(Advertised)
    assert connected.connection.peripheral == advert.address
    assert advert.address.endswith("(random)")


def both(secret: bytes) -> tuple[str, str]:
    host_copy, air_copy = (
        hear(anonymous(content, secret=secret)[0])
        for content in (HCI_FILES["btsnoop H4"](host().said), AIR_FILES["pcap 256"](air().said))
    )
    return host_copy.all(Advertised)[0].address, air_copy.all(Advertised)[0].address


def test_the_same_secret_gives_the_same_names_and_another_one_others() -> None:
    assert both(b"s" * 16) == both(b"s" * 16)
    assert both(b"s" * 16)[0] != both(b"t" * 16)[0]


def test_the_kind_of_an_address_stays() -> None:
    for top in (0x00, 0x40, 0x80, 0xC0):
        traffic = AirTraffic()
        traffic.advertise(b"", address=bytes([1, 2, 3, 4, 5, top | 5]))
        [advert] = hear(anonymous(AIR_FILES["pcap 256"](traffic.said))[0]).all(Advertised)
        assert int(advert.address[:2], 16) & 0xC0 == top


@pytest.mark.parametrize("values", [True, False])
def test_values_go_only_where_that_is_wanted(values: bool) -> None:
    content = HCI_FILES["btsnoop H4"](host().said)
    copy, _ = anonymous(content, values=values)
    assert (b"a value that tells" in copy) is not values
    assert (b"longer value" in copy) is not values
    before, after = hear(content).all(AttPdu), hear(copy).all(AttPdu)
    assert [(each.opcode, each.handle, len(each.value)) for each in after] == [
        (each.opcode, each.handle, len(each.value)) for each in before
    ]


def test_our_channel_can_still_be_verified() -> None:
    """Nothing of it points to anybody: it stays as it was."""
    world = honest_life(world=CapturedWorld("anonymous"))
    content = HCI_FILES["btsnoop H4"](world.taps[Role.PHONE].said)
    copy, _ = anonymous(content, values=True)
    heard: Heard = hear(copy, key_log=world.key_log(Role.PHONE))
    assert len(heard.all(HandshakeVerified)) == 2
    assert {each.verdict for each in heard.all(ChannelFrame)} == {Verdict.OK}
