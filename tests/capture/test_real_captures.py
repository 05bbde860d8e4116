"""Captures of real devices (../shared/captures): the counts of an independent dissector, and known plain texts."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from blechannel_capture.air import frames
from blechannel_capture.air.key_ring import KeyRing
from blechannel_capture.capture import open_capture
from blechannel_capture.containers.formats import open_container
from blechannel_capture.events import (
    AttPdu,
    Connected,
    Event,
    LinkControl,
    LinkDecrypted,
    LongTermKey,
    SealedPdu,
    SmpPdu,
)
from blechannel_capture.ledger import Damage, Ledger
from blechannel_capture.packet import Packet
from tests.capture.reading import Heard, drain
from tests.capture.traffic import l2cap

RETRANSMITTED_ATT = {"whad": 1, "mikeryan_crackle__tests_04": 1}
"""What the manifest's dissector counts twice: one PDU each was sent again (frame 60 of the second repeats frame 59)."""
SENSOR_TAG_KEY = bytes.fromhex("7f62c053f104a5bbe68b1d896a2ed49c")
"""Published with the capture; sent under the short term key in the capture before it."""


def read(path: Path, keys: KeyRing | None = None) -> Heard:
    with open_capture(path, link_keys=keys or KeyRing(search_passkeys=False)) as capture:
        return drain(capture)


def named(captures: Path, start: str) -> Path:
    [path] = captures.glob(start + "*")
    return path


def rows(captures: Path) -> list[dict[str, str]]:
    with (captures / "MANIFEST.csv").open() as lines:
        return list(csv.DictReader(lines))


def test_every_capture_counts_as_an_independent_dissector_does(captures: Path) -> None:
    table = rows(captures)
    assert len(table) == len(list(captures.iterdir())) - 2
    for row in table:
        heard = read(captures / row["file"])
        again = sum(count for start, count in RETRANSMITTED_ATT.items() if row["file"].startswith(start))
        assert len(heard.all(AttPdu)) == int(row["att_pdus"]) - again, row["file"]
        if row["encapsulation"] != "ppi":  # the manifest's dissector does not follow PPI
            assert len(heard.all(SmpPdu)) == int(row["smp_pdus"]), row["file"]


def test_every_packet_is_counted_and_no_honest_device_attacks(captures: Path) -> None:
    for row in rows(captures):
        with (captures / row["file"]).open("rb") as file:
            assert sum(1 for _ in open_container(file, Ledger()).packets) == int(row["packets"]), row["file"]
        assert read(captures / row["file"], KeyRing()).attacks() == set(), row["file"]


def test_each_format_is_known_by_its_first_bytes(captures: Path) -> None:
    for row in rows(captures):
        with open_capture(captures / row["file"]) as capture:
            assert capture.format.value == row["container"]


def test_a_long_jump_of_a_clock_is_entered(captures: Path) -> None:
    heard = read(named(captures, "bertrandmartel"))
    assert heard.damage()[Damage.TIME_JUMP] == 1


# --- known plain texts ---


def packets(path: Path) -> list[Packet]:
    with path.open("rb") as file:
        return list(open_container(file, Ledger()).packets)


def plain_texts(sealed: Path, opened: Path) -> dict[int, bytes]:
    """By packet: payloads that the published solution shows where the capture has others."""
    changed = {}
    for before, after in zip(packets(sealed), packets(opened), strict=True):
        if before.data != after.data:
            frame = frames.UNWRAP[after.link_type](after)
            assert frame is not None
            changed[after.number] = frame.pdu[2:]
    return changed


def payload(event: Event) -> bytes:
    """What an event was made of, in one link-layer PDU."""
    if isinstance(event, LinkControl):
        return bytes([event.opcode]) + event.value
    if isinstance(event, SmpPdu):
        return l2cap(6, bytes([event.code]) + event.value)
    assert isinstance(event, AttPdu)
    handle = event.handle.to_bytes(2, "little") if event.handle else b""
    return l2cap(4, bytes([event.opcode]) + handle + event.value)


def heard_payloads(heard: Heard, numbers: set[int]) -> dict[int, bytes]:
    kinds = (LinkControl, SmpPdu, AttPdu)
    return {each.packet: payload(each) for each in heard.events if each.packet in numbers and isinstance(each, kinds)}


def test_a_given_key_opens_a_link_byte_for_byte(captures: Path) -> None:
    sealed = named(captures, "mikeryan_crackle__tests_02_ltk_decrypt_known")
    expected = plain_texts(sealed, named(captures, "mikeryan_crackle__tests_02_ltk_decrypt_out"))
    keys = KeyRing()
    keys.add(SENSOR_TAG_KEY, "given")
    heard = read(sealed, keys)
    assert len(expected) == 7
    assert heard_payloads(heard, set(expected)) == expected
    assert [each.source for each in heard.all(LinkDecrypted)] == ["given"]
    assert heard.all(SealedPdu) == []


def test_legacy_pairing_opens_itself_byte_for_byte(captures: Path) -> None:
    sealed = named(captures, "mikeryan_crackle__tests_01_crack_pairing")
    expected = plain_texts(sealed, named(captures, "mikeryan_crackle__tests_01_crack_out"))
    heard = read(sealed, KeyRing())
    assert len(expected) == 3
    assert heard_payloads(heard, set(expected)) == expected
    assert [each.key for each in heard.all(LongTermKey)] == [SENSOR_TAG_KEY]
    assert heard.all(SealedPdu) == []


def test_just_works_opens_itself(captures: Path) -> None:
    heard = read(named(captures, "whad"), KeyRing())
    assert [each.source for each in heard.all(LinkDecrypted)] == ["legacy pairing, Just Works"]
    assert heard.all(SealedPdu) == []
    sealed_before = len(read(named(captures, "whad")).all(SealedPdu))
    assert sealed_before == 81


@pytest.mark.parametrize("start", ["mikeryan_crackle__tests_02_ltk_decrypt_known", "whad"])
def test_without_a_key_and_with_a_wrong_one_it_is_said_why(captures: Path, start: str) -> None:
    path = named(captures, start)
    without = Counter(each.verdict.name for each in read(path).all(SealedPdu))
    keys = KeyRing(search_passkeys=False)
    keys.add(bytes(range(16)), "given")
    wrong = Counter(each.verdict.name for each in read(path, keys).all(SealedPdu))
    assert set(without) == {"NO_KEY"}
    assert set(wrong) == {"WRONG_KEY"}


def test_connections_and_their_addresses(captures: Path) -> None:
    [connected] = read(named(captures, "mikeryan_crackle__tests_01_crack_pairing")).all(Connected)
    assert connected.seen
    assert (connected.connection.central, connected.connection.peripheral) == ("08:3E:8E:E1:0B:3E", "78:C5:E5:6E:DD:E8")
    assert connected.connection.interval_us == 67_500
