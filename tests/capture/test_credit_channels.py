"""Credit-based channels: opened, refused and taken down; SDUs in pieces; ATT on such a channel."""

from __future__ import annotations

import struct

import pytest

from blechannel_capture.events import AttPdu, CocData, OtherPdu, Side
from blechannel_capture.ledger import Damage
from tests.capture.test_l2cap import Talk


def opened(result: int = 0) -> Talk:
    """The central asked for a channel: it receives on 0x40, the peripheral on 0x50."""
    talk = Talk()
    talk.signal(Side.CENTRAL, 0x14, 1, struct.pack("<HHHHH", 0x80, 0x40, 100, 50, 5))
    talk.signal(Side.PERIPHERAL, 0x15, 1, struct.pack("<HHHHH", 0x50, 100, 50, 5, result))
    return talk


@pytest.mark.parametrize(("sender", "cid"), [(Side.CENTRAL, 0x50), (Side.PERIPHERAL, 0x40)])
@pytest.mark.parametrize("cut", [0, 1, 30])
def test_an_sdu_is_put_together(sender: Side, cid: int, cut: int) -> None:
    talk, sdu = opened(), b"an SDU of some length, in one piece or two"
    content = struct.pack("<H", len(sdu)) + sdu
    pieces = [content[: 2 + cut], content[2 + cut :]] if cut else [content]
    *before, last = [talk.say(sender, cid, piece) for piece in pieces]
    assert before in ([], [None])
    assert isinstance(last, CocData)
    assert (last.sender, last.channel, last.sdu) == (sender, cid, sdu)
    again = talk.say(sender, cid, struct.pack("<H", 3) + b"two")
    assert isinstance(again, CocData)
    assert again.sdu == b"two"


def test_an_empty_sdu_is_one() -> None:
    event = opened().say(Side.CENTRAL, 0x50, b"\x00\x00")
    assert isinstance(event, CocData)
    assert event.sdu == b""


def test_a_channel_that_was_not_accepted_is_none() -> None:
    assert isinstance(opened(result=2).say(Side.CENTRAL, 0x50, b"\x01\x00x"), OtherPdu)


def test_an_answer_without_a_question_opens_nothing() -> None:
    talk = Talk()
    talk.signal(Side.PERIPHERAL, 0x15, 1, struct.pack("<HHHHH", 0x50, 100, 50, 5, 0))
    talk.signal(Side.PERIPHERAL, 0x15, 1, b"\x50\x00")
    assert isinstance(talk.say(Side.CENTRAL, 0x50, b"\x01\x00x"), OtherPdu)


@pytest.mark.parametrize("sender", [Side.CENTRAL, Side.PERIPHERAL])
def test_a_channel_that_is_taken_down(sender: Side) -> None:
    talk = opened()
    destination, source = (0x50, 0x40) if sender is Side.CENTRAL else (0x40, 0x50)
    talk.signal(sender, 0x06, 2, struct.pack("<HH", destination, source))
    assert isinstance(talk.say(Side.CENTRAL, 0x50, b"\x01\x00x"), OtherPdu)
    assert isinstance(talk.say(Side.PERIPHERAL, 0x40, b"\x01\x00x"), OtherPdu)


def test_sdus_that_contradict_themselves() -> None:
    talk = opened()
    assert talk.say(Side.CENTRAL, 0x50, b"\x01") is None
    assert talk.say(Side.CENTRAL, 0x50, b"\x01\x00xy") is None
    assert talk.ledger.counts == {Damage.MALFORMED: 2}
    good = talk.say(Side.CENTRAL, 0x50, b"\x01\x00x")
    assert isinstance(good, CocData)


# --- enhanced channels, and ATT on them ---


def enhanced(spsm: int, granted: tuple[int, ...]) -> Talk:
    """The central asks for two channels (it receives on 0x41 and 0x42)."""
    talk = Talk()
    talk.signal(Side.CENTRAL, 0x17, 4, struct.pack("<HHHHHH", spsm, 100, 50, 5, 0x41, 0x42))
    talk.signal(Side.PERIPHERAL, 0x18, 4, struct.pack(f"<HHHH{len(granted)}H", 100, 50, 5, 0, *granted))
    return talk


@pytest.mark.parametrize(("sender", "cids"), [(Side.CENTRAL, (0x51, 0x52)), (Side.PERIPHERAL, (0x41, 0x42))])
def test_enhanced_channels(sender: Side, cids: tuple[int, int]) -> None:
    talk = enhanced(0x80, (0x51, 0x52))
    for cid in cids:
        event = talk.say(sender, cid, b"\x02\x00hi")
        assert isinstance(event, CocData)
        assert event.sdu == b"hi"


def test_enhanced_channels_may_be_granted_in_part() -> None:
    talk = enhanced(0x80, (0, 0x52))
    assert isinstance(talk.say(Side.PERIPHERAL, 0x41, b"\x02\x00hi"), OtherPdu)
    assert isinstance(talk.say(Side.PERIPHERAL, 0x42, b"\x02\x00hi"), CocData)
    assert isinstance(talk.say(Side.CENTRAL, 0, b"\x02\x00hi"), OtherPdu)


def test_att_on_an_enhanced_channel_is_att() -> None:
    talk = enhanced(0x27, (0x51,))
    assert talk.say(Side.CENTRAL, 0x51, b"\x05\x00\x52\x21\x00") is None
    event = talk.say(Side.CENTRAL, 0x51, b"hi")
    assert isinstance(event, AttPdu)
    assert (event.sender, event.opcode, event.handle, event.value) == (Side.CENTRAL, 0x52, 0x21, b"hi")
    assert talk.say(Side.CENTRAL, 0x51, b"\x00\x00") is None
    assert talk.ledger.counts == {Damage.MALFORMED: 1}


@pytest.mark.parametrize("code", [0x14, 0x15, 0x17, 0x18, 0x06])
@pytest.mark.parametrize("size", range(13))
def test_any_signal_is_survived(code: int, size: int) -> None:
    talk = opened()
    talk.signal(Side.CENTRAL, code, 1, bytes(size))
    talk.signal(Side.PERIPHERAL, code, 1, bytes(size))
    assert isinstance(talk.say(Side.CENTRAL, 0x50, b"\x01\x00x"), CocData)
