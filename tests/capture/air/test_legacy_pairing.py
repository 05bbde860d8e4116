"""Legacy pairing's functions against the specification's sample data, and the search for the temporary key."""

from __future__ import annotations

import struct

import pytest

from blechannel_capture.air import legacy_pairing
from blechannel_capture.air.encryption import aes
from blechannel_capture.air.key_ring import MAX_KEYS, MAX_SEARCHES, KeyRing
from blechannel_capture.air.legacy_pairing import Exchange, c1, search, shortened
from blechannel_capture.errors import CaptureError
from blechannel_capture.events import AttPdu, LinkDecrypted, LongTermKey, SealedPdu, Side, Verdict
from tests.capture.air_traffic import CENTRAL, PERIPHERAL, AirTraffic
from tests.capture.reading import hear
from tests.capture.traffic import HANDLE, HostTraffic
from tests.capture.writing import AIR_FILES, HCI_FILES

# Core Specification, Vol 3 Part H, 2.2.3 and 2.2.4: the worked example.
P1 = bytes.fromhex("05000800000302070710000001010001")
P2 = bytes.fromhex("00000000a1a2a3a4a5a6b1b2b3b4b5b6")
RANDOM = bytes.fromhex("5783d52156ad6f0e6388274ec6702ee0")
REQUEST, RESPONSE = bytes.fromhex("01010000100707"), bytes.fromhex("02030000080005")
RANDOM_CENTRAL, RANDOM_PERIPHERAL = bytes(range(16)), bytes(range(16, 32))


def test_c1_of_the_specification() -> None:
    assert c1(bytes(16), RANDOM, P1, P2).hex() == "1e1e3fef878988ead2a74dc5bef13b86"


def test_s1_of_the_specification() -> None:
    r1, r2 = bytes.fromhex("000f0e0d0c0b0a091122334455667788"), bytes.fromhex("010203040506070899aabbccddeeff00")
    assert aes(bytes(16), r1[8:] + r2[8:]).hex() == "9a1fe1f0e8b0f49b5b4216ae796da062"


def test_the_example_is_put_together_from_its_messages() -> None:
    """The example's p1 and p2 are what the messages and addresses of 2.2.3 give."""
    exchange = Exchange(
        central=bytes.fromhex("a1a2a3a4a5a6"),
        peripheral=bytes.fromhex("b1b2b3b4b5b6"),
        central_is_random=True,
        request=bytes.fromhex("07071000000101"),
        response=bytes.fromhex("05000800000302"),
        random_central=RANDOM,
        random_peripheral=RANDOM,
        confirm_central=bytes.fromhex("1e1e3fef878988ead2a74dc5bef13b86"),
    )
    found = search(exchange)
    assert found is not None
    assert found[0] == 0
    assert found[1] == shortened(aes(bytes(16), RANDOM[8:] + RANDOM[8:]), 8)
    assert found[1][:8] == bytes(8)


def paired(passkey: int, *, size: int = 16, secure: bool = False, mitm: bool = True) -> tuple[AirTraffic, bytes]:
    """A legacy pairing on the air; the short term key."""
    air = AirTraffic()
    air.connect()
    auth = 0x01 | (0x08 if secure else 0) | (0x04 if mitm else 0)
    request, response = bytes([1, 4, 0, auth, 16, 0, 1]), bytes([2, 4, 0, auth, size, 0, 1])
    tk = passkey.to_bytes(16, "big")
    p1 = response[::-1] + request[::-1] + b"\x01\x01"
    p2 = bytes(4) + CENTRAL[::-1] + PERIPHERAL[::-1]
    air.smp(Side.CENTRAL, request)
    air.smp(Side.PERIPHERAL, response)
    air.smp(Side.CENTRAL, b"\x03" + c1(tk, RANDOM_CENTRAL, p1, p2)[::-1])
    air.smp(Side.PERIPHERAL, b"\x03" + c1(tk, RANDOM_PERIPHERAL, p1, p2)[::-1])
    air.smp(Side.CENTRAL, b"\x04" + RANDOM_CENTRAL[::-1])
    air.smp(Side.PERIPHERAL, b"\x04" + RANDOM_PERIPHERAL[::-1])
    return air, shortened(aes(tk, RANDOM_PERIPHERAL[8:] + RANDOM_CENTRAL[8:]), size)


@pytest.mark.parametrize(("passkey", "source"), [(0, "Just Works"), (1234, "passkey 001234")])
@pytest.mark.parametrize("size", [16, 7])
def test_pairings_that_open_themselves(passkey: int, source: str, size: int) -> None:
    air, key = paired(passkey, size=size)
    air.encrypt(key)
    ltk = shortened(bytes(range(1, 17)), size)
    air.smp(Side.PERIPHERAL, b"\x06" + ltk[::-1])
    air.pause_encryption()
    air.encrypt(ltk, seed=7)
    air.write(0x21, b"value")
    heard = hear(AIR_FILES["pcap 256"](air.said), link_keys=KeyRing())
    assert [each.source for each in heard.all(LinkDecrypted)] == [
        f"legacy pairing, {source}" if not passkey else f"legacy pairing with {source}",
        "sent by legacy pairing",
    ]
    assert [each.key for each in heard.all(LongTermKey)] == [ltk]
    assert [each.value for each in heard.all(AttPdu)] == [b"value"]
    assert heard.all(SealedPdu) == []


@pytest.mark.parametrize("missing", range(6))
def test_with_a_message_missing_there_is_no_search(missing: int) -> None:
    air, key = paired(0)
    smp = [n for n, each in enumerate(air.said) if len(each.pdu) > 6 and n]
    assert len(smp) >= 6
    whole = air.said
    air.encrypt(key)
    air.said = [each for n, each in enumerate(whole) if n != smp[missing]]
    heard = hear(AIR_FILES["pcap 256"](air.said), link_keys=KeyRing())
    if missing == 3:  # the peripheral's confirm value is not needed
        assert heard.all(LinkDecrypted)
    else:
        assert {each.verdict for each in heard.all(SealedPdu)} == {Verdict.NO_KEY}


def test_a_pairing_under_secure_connections_is_not_searched() -> None:
    air, key = paired(0, secure=True)
    air.encrypt(key)
    assert {each.verdict for each in hear(AIR_FILES["pcap 256"](air.said), link_keys=KeyRing()).all(SealedPdu)} == {
        Verdict.NO_KEY
    }


def test_a_pairing_whose_connect_ind_was_missed_is_not_searched() -> None:
    """The addresses are in the function."""
    air, key = paired(0)
    air.encrypt(key)
    air.said = air.said[1:]
    heard = hear(AIR_FILES["pcap 256"](air.said), link_keys=KeyRing())
    assert {each.verdict for each in heard.all(SealedPdu)} == {Verdict.NO_KEY}


def test_where_nobody_asks_for_more_than_just_works_one_key_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    ring = KeyRing()
    air, key = paired(0, mitm=False)
    air.encrypt(key)
    assert hear(AIR_FILES["pcap 256"](air.said), link_keys=ring).all(LinkDecrypted)
    other, key = paired(77, mitm=False)
    other.encrypt(key)
    monkeypatch.setattr(legacy_pairing, "PASSKEYS", 100)
    assert not hear(AIR_FILES["pcap 256"](other.said), link_keys=ring).all(LinkDecrypted)
    assert ring.searches_left == MAX_SEARCHES


def test_searches_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(legacy_pairing, "PASSKEYS", 100)
    ring = KeyRing()
    for passkey in [5000] * MAX_SEARCHES + [50]:
        air, key = paired(passkey)
        air.encrypt(key)
        heard = hear(AIR_FILES["pcap 256"](air.said), link_keys=ring)
        assert {each.verdict for each in heard.all(SealedPdu)} == {Verdict.NO_KEY}
    assert hear(AIR_FILES["pcap 256"](air.said), link_keys=KeyRing()).all(LinkDecrypted)


def test_keys_are_bounded() -> None:
    ring = KeyRing()
    for number in range(MAX_KEYS + 5):
        ring.add(number.to_bytes(16, "big"), "met")
    assert len(ring.keys) == MAX_KEYS
    assert ring.newest_first()[0][0] == (MAX_KEYS + 4).to_bytes(16, "big")


def test_a_key_of_a_host_s_log_opens_the_air() -> None:
    host = HostTraffic()
    host.connect()
    host.command(0x2019, struct.pack("<HQH", HANDLE, 0, 0) + bytes(range(16)))
    [found] = hear(HCI_FILES["btsnoop H4"](host.said)).all(LongTermKey)
    ring = KeyRing(search_passkeys=False)
    ring.add(found.key, found.source)
    air = AirTraffic()
    air.connect()
    air.encrypt(bytes(range(16))[::-1])
    air.write(0x21, b"value")
    heard = hear(AIR_FILES["pcap 251"](air.said), link_keys=ring)
    assert [each.value for each in heard.all(AttPdu)] == [b"value"]
    assert heard.all(LinkDecrypted)[0].source == "LE Enable Encryption"


def test_the_search_can_be_switched_off() -> None:
    air, key = paired(0)
    air.encrypt(key)
    heard = hear(AIR_FILES["pcap 256"](air.said), link_keys=KeyRing(search_passkeys=False))
    assert heard.all(LinkDecrypted) == []


def test_a_key_ring_takes_keys_of_sixteen_bytes_newest_first() -> None:
    ring = KeyRing()
    for key, source in ((bytes(16), "one"), (bytes(range(16)), "two"), (bytes(16), "again")):
        ring.add(key, source)
    assert ring.newest_first() == [(bytes(range(16)), "two"), (bytes(16), "one")]
    with pytest.raises(CaptureError, match="16 bytes, this one has 15"):
        ring.add(bytes(15), "short")
