"""L2CAP: pieces to PDUs in every cut, signalling, credit-based channels, and what contradicts itself."""

from __future__ import annotations

import struct
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blechannel_capture.att import HAS_HANDLE, NAMES, name_of
from blechannel_capture.events import AttPdu, Connection, Event, Side, Signal, SmpPdu
from blechannel_capture.l2cap import MAX_PDU_BYTES, Assembly, Channels
from blechannel_capture.ledger import Damage, Ledger
from tests.capture.traffic import l2cap


def assemble(pieces: list[bytes], ledger: Ledger) -> list[bytes]:
    """The PDUs that those pieces of one give."""
    assembly = Assembly(ledger)
    found = [assembly.begin(pieces[0], 1)] + [assembly.go_on(piece, 2) for piece in pieces[1:]]
    assembly.drop("the test ended")
    return [each for each in found if each is not None]


@settings(max_examples=60)
@given(st.binary(max_size=60), st.lists(st.integers(0, 64), max_size=6))
def test_any_cut_of_a_pdu_gives_the_pdu(payload: bytes, cuts: list[int]) -> None:
    whole = l2cap(4, payload)
    edges = sorted({0, len(whole), *(cut for cut in cuts if cut < len(whole))})
    pieces = [whole[start:end] for start, end in pairwise(edges)]
    ledger = Ledger()
    assert assemble(pieces, ledger) == [whole]
    assert ledger.counts == {}


def test_the_longest_pdu() -> None:
    whole = l2cap(4, bytes(0xFFFF))
    assert len(whole) == MAX_PDU_BYTES
    assert assemble([whole[:1000], whole[1000:]], Ledger()) == [whole]


@pytest.mark.parametrize(
    ("pieces", "found", "damage"),
    [
        ([l2cap(4, b"one") + b"more"], [l2cap(4, b"one")], Damage.MALFORMED),
        ([l2cap(4, b"one")[:5], b"ne and more"], [l2cap(4, b"one")[:5] + b"ne"], Damage.MALFORMED),
        ([l2cap(4, b"one")[:5]], [], Damage.UNFINISHED),
        ([b"\x03"], [], Damage.UNFINISHED),
    ],
)
def test_pieces_that_are_too_many_or_too_few(pieces: list[bytes], found: list[bytes], damage: Damage) -> None:
    ledger = Ledger()
    assert assemble(pieces, ledger) == found
    assert ledger.counts == {damage: 1}


def test_a_continuation_without_a_beginning_and_a_beginning_without_its_end() -> None:
    ledger = Ledger()
    assembly = Assembly(ledger)
    assert assembly.go_on(b"ne", 1) is None
    assert assembly.begin(l2cap(4, b"one")[:5], 2) is None
    assert assembly.begin(l2cap(4, b"two"), 3) == l2cap(4, b"two")
    assert [(each.damage, each.packet) for each in ledger.entries] == [(Damage.ORPHAN, 1), (Damage.UNFINISHED, 2)]
    assert "5 of 7 bytes" in ledger.entries[1].detail


# --- channels ---


class Talk:
    """Both sides of one connection."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self._channels = Channels(Connection(1, 0x40), self.ledger)

    def say(self, sender: Side, cid: int, payload: bytes) -> Event | None:
        return self._channels.take(l2cap(cid, payload), sender, 1, 0)

    def signal(self, sender: Side, code: int, identifier: int, value: bytes) -> Event | None:
        return self.say(sender, 5, struct.pack("<BBH", code, identifier, len(value)) + value)


def test_att_pdus_of_every_opcode() -> None:
    for opcode in range(256):
        event = Talk().say(Side.CENTRAL, 4, bytes([opcode]) + b"\x21\x00value")
        assert isinstance(event, AttPdu)
        expected = (0x21, b"value") if HAS_HANDLE[opcode] else (0, b"\x21\x00value")
        assert (event.opcode, event.handle, event.value) == (opcode, *expected)
        assert name_of(opcode) == NAMES.get(opcode, f"opcode {opcode:#04x}")


def test_short_pdus_of_the_fixed_channels() -> None:
    talk = Talk()
    cut = talk.say(Side.CENTRAL, 4, b"\x52\x21")
    assert isinstance(cut, AttPdu)
    assert (cut.handle, cut.value) == (0, b"\x21")
    smp = talk.say(Side.CENTRAL, 6, b"\x05\x03")
    assert isinstance(smp, SmpPdu)
    assert (smp.code, smp.value) == (5, b"\x03")
    for cid in (4, 6):
        assert talk.say(Side.CENTRAL, cid, b"") is None
    assert talk.ledger.counts == {Damage.MALFORMED: 2}


def test_signalling() -> None:
    talk = Talk()
    event = talk.signal(Side.PERIPHERAL, 0x12, 3, struct.pack("<HHHH", 6, 12, 0, 200))
    assert isinstance(event, Signal)
    assert (event.code, event.identifier, len(event.value)) == (0x12, 3, 8)
    for payload in (b"\x12\x03", b"\x12\x03\x02\x00x", b"\x12\x03\x00\x00x"):
        assert talk.say(Side.PERIPHERAL, 5, payload) is None
    assert talk.ledger.counts == {Damage.MALFORMED: 3}
