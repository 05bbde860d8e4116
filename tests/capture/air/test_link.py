"""Connections on the air: followed in every envelope, losses and repetitions told apart, encryption taken off."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from blechannel_capture.air.crc import crc24
from blechannel_capture.air.key_ring import KeyRing
from blechannel_capture.events import (
    Advertised,
    AttPdu,
    Connected,
    Disconnected,
    EncryptionChanged,
    LinkControl,
    LinkDecrypted,
    ParametersChanged,
    SealedPdu,
    Side,
    Verdict,
)
from blechannel_capture.ledger import Damage
from tests.capture.air_traffic import CRC_INIT, AirTraffic, retried
from tests.capture.reading import Heard, hear
from tests.capture.writing import AIR_FILES, AirSaid

KEY = bytes(range(16))
WITH_AND_WITHOUT_SENDER = ["pcap 256", "pcap 251"]
"""Whether the sniffer says who has sent a frame is all in which envelopes differ here."""
VALUES = [b"\x01", bytes(range(60)), b"ninety" * 15]


def keys(*known: bytes) -> KeyRing:
    ring = KeyRing(search_passkeys=False)
    for key in known:
        ring.add(key, "given")
    return ring


def talk(air: AirTraffic, values: Sequence[bytes] = VALUES) -> None:
    for value in values:
        air.write(0x21, value)
        air.notify(0x24, value)


def values_of(heard: Heard) -> list[tuple[Side, bytes]]:
    return [(pdu.sender, pdu.value) for pdu in heard.all(AttPdu)]


EXPECTED = [(side, value) for value in VALUES for side in (Side.CENTRAL, Side.PERIPHERAL)]


def whole(key: bytes | None = None) -> AirTraffic:
    air = AirTraffic()
    air.advertise(b"\x02\x01\x06")
    air.connect()
    if key is not None:
        air.encrypt(key)
    talk(air)
    air.control(Side.CENTRAL, 0x02, b"\x13")
    return air


def read(air: AirTraffic, name: str = "pcap 251", link_keys: KeyRing | None = None) -> Heard:
    return hear(AIR_FILES[name](air.said), link_keys=link_keys)


@pytest.mark.parametrize("key", [None, KEY], ids=["in the clear", "encrypted"])
@pytest.mark.parametrize("name", AIR_FILES)
def test_every_envelope_gives_the_same(name: str, key: bytes | None) -> None:
    heard = read(whole(key), name, keys(KEY))
    assert values_of(heard) == EXPECTED
    [connected] = heard.all(Connected)
    assert connected.seen
    assert connected.connection.central == "01:08:3E:8E:E1:0B (random)"
    assert connected.connection.peripheral == "C0:C5:E5:6E:DD:E8 (random)"
    assert connected.connection.interval_us == 30_000
    assert connected.connection.supervision_timeout_ms == 720
    assert [each.kind for each in heard.all(Advertised)] == ["ADV_IND"]
    assert heard.all(Disconnected)[0].reason == 0x13
    assert [each.key for each in heard.all(LinkDecrypted)] == ([KEY] if key else [])
    assert heard.damage() == {}
    assert heard.attacks() == set()


@pytest.mark.parametrize("name", AIR_FILES)
def test_a_capture_that_begins_in_the_middle_is_followed(name: str) -> None:
    air = whole()
    air.said = air.said[2:]
    heard = read(air, name)
    assert values_of(heard) == EXPECTED
    [connected] = heard.all(Connected)
    assert not connected.seen
    assert (connected.connection.central, connected.connection.interval_us) == ("", 0)


def without(numbers: set[int]) -> Callable[[list[AirSaid]], list[AirSaid]]:
    return lambda said: [each for number, each in enumerate(said) if number not in numbers]


@pytest.mark.parametrize("name", WITH_AND_WITHOUT_SENDER)
def test_every_frame_that_is_missed_costs_what_was_in_it_and_no_more(name: str) -> None:
    count = len(whole().said)
    for lost in range(2, count - 1):
        air = whole()
        air.said = without({lost})(air.said)
        heard = read(air, name)
        values = values_of(heard)
        assert len(EXPECTED) - len(values) in (0, 1)
        assert all(value in EXPECTED for value in values)
        assert heard.attacks() == set()
        if len(values) < len(EXPECTED):
            assert set(heard.damage()) & {Damage.GAP, Damage.UNFINISHED, Damage.ORPHAN}


@pytest.mark.parametrize("both", [True, False])
@pytest.mark.parametrize("name", WITH_AND_WITHOUT_SENDER)
def test_every_frame_that_is_sent_again_counts_once(name: str, both: bool) -> None:
    count = len(whole(KEY).said)
    for again in range(2, count - 1, 2):
        air = whole(KEY)
        air.said = retried(air.said, again, both=both)
        heard = read(air, name, keys(KEY))
        assert values_of(heard) == EXPECTED
        repeated = sum(len(each.pdu) > 2 for each in air.said[again : again + (2 if both else 1)])
        assert heard.damage() == ({Damage.RETRANSMITTED: repeated} if repeated else {})


def test_a_frame_with_a_wrong_checksum_says_nothing() -> None:
    air = whole()
    air.said = [
        AirSaid(s.access_address, s.pdu, b"\0\0\0", s.sender, s.time_ns, s.channel) if n == 2 else s
        for n, s in enumerate(air.said)
    ]
    heard = read(air)
    assert heard.damage()[Damage.BAD_CRC] == 1
    assert values_of(heard) == EXPECTED[1:]


# --- encryption ---


@pytest.mark.parametrize("lost", range(10, 26))
def test_sealed_frames_behind_a_gap_are_found_again(lost: int) -> None:
    air = whole(KEY)
    air.said = without({lost})(air.said)
    heard = read(air, link_keys=keys(KEY))
    assert len(EXPECTED) - len(values_of(heard)) in (0, 1)
    assert heard.all(SealedPdu) == []


def test_each_missing_step_of_starting_is_said() -> None:
    """Without the exchanged halves of key and nonce nothing opens, and it is the capture's fault."""
    for step in ("request", "response"):
        air = AirTraffic()
        air.connect()
        air.encrypt(KEY)
        talk(air)
        lost = 1 if step == "request" else 4
        assert air.said[lost].pdu[2] == (0x03 if step == "request" else 0x04)
        air.said = without({lost})(air.said)
        heard = read(air, link_keys=keys(KEY))
        assert values_of(heard) == []
        assert {each.verdict for each in heard.all(SealedPdu)} == {Verdict.CAPTURE_GAP}


def test_a_forged_sealed_frame_is_a_tag_failure() -> None:
    air = whole(KEY)
    number = next(n for n, s in enumerate(air.said) if n > 12 and len(s.pdu) > 8)
    s = air.said[number]
    pdu = s.pdu[:-1] + bytes([s.pdu[-1] ^ 1])
    air.said[number] = AirSaid(s.access_address, pdu, crc24(pdu, CRC_INIT), s.sender, s.time_ns, s.channel)
    heard = read(air, link_keys=keys(KEY))
    assert [each.verdict for each in heard.all(SealedPdu)] == [Verdict.TAG_FAILURE]
    assert len(values_of(heard)) == len(EXPECTED) - 1


@pytest.mark.parametrize("known", [(KEY,), (KEY, bytes(16)), (), (bytes(16),)])
def test_a_key_is_changed_while_connected(known: tuple[bytes, ...]) -> None:
    air = AirTraffic()
    air.connect()
    air.encrypt(KEY)
    talk(air, VALUES[:1])
    air.pause_encryption()
    air.encrypt(bytes(16), seed=9)
    talk(air, VALUES[1:])
    air.control(Side.CENTRAL, 0x02, b"\x13")
    heard = read(air, link_keys=keys(*known))
    expected = (EXPECTED[:2] if KEY in known else []) + (EXPECTED[2:] if bytes(16) in known else [])
    assert values_of(heard) == expected
    assert [each.encrypted for each in heard.all(EncryptionChanged)] == [True, False, True]


def test_a_link_is_not_sealed_after_encryption_is_paused() -> None:
    air = AirTraffic()
    air.connect()
    air.encrypt(KEY)
    air.pause_encryption()
    talk(air)
    assert values_of(read(air, link_keys=keys(KEY))) == EXPECTED
    assert values_of(read(air)) == EXPECTED


# --- control ---


def test_parameters_that_change() -> None:
    air = AirTraffic()
    air.connect()
    air.control(Side.CENTRAL, 0x00, bytes([2]) + b"\x06\x00" + b"\x50\x00\x03\x00\xc8\x00" + b"\x20\x00")
    air.control(Side.CENTRAL, 0x00, b"\x02")
    heard = read(air)
    [changed] = heard.all(ParametersChanged)
    connection = changed.connection
    assert (connection.interval_us, connection.latency, connection.supervision_timeout_ms) == (100_000, 3, 2000)
    assert len(heard.all(LinkControl)) == 2
