"""One lane on one link: greeting, resuming, room, and what a peer must not do."""

from __future__ import annotations

import pytest

from blechannel.delivery.events import (
    CarriedOver,
    PeerStoreReset,
    StoreReset,
)
from blechannel.delivery.events import Refused as WasRefused
from blechannel.delivery.frames import (
    NO_TOKEN,
    Begin,
    Fault,
    Frame,
    Hello,
    Recognition,
    Welcome,
    decode_frame,
    encode_frame,
)
from blechannel.delivery.ledger import TOKENS_KEPT, Entry, Lane
from blechannel.delivery.policies import Kind, Latest, Ordered
from blechannel.errors import UnexpectedFrame, UnsupportedVersion
from tests.delivery.model import BOND, PORT, Pair, World

STREAM = b"s" * 16


def standing(pair: Pair | None = None) -> Pair:
    """Both sides, connected and greeted."""
    pair = pair or Pair()
    pair.connect()
    pair.settle()
    assert all(side.talk is not None and side.talk.stands for side in pair.both)
    return pair


def said(side: World) -> list[Frame]:
    """What this side has said and the peer has not heard; taken away."""
    frames = [decode_frame(message) for message in side.said]
    side.said.clear()
    return frames


def hear(side: World, *frames: Frame) -> None:
    for frame in frames:
        side.hear(encode_frame(frame))


def work(side: World) -> None:
    """All writes and reads of this side end."""
    while side.unwritten or side.unread:
        side.write_one()
        side.read_one()


# --- greeting ---


def test_a_first_greeting_knows_nobody() -> None:
    pair = Pair()
    pair.connect()
    work(pair.left)
    [hello] = said(pair.left)
    assert hello == Hello(1, Kind.ORDERED, pair.left.token, NO_TOKEN)
    hear(pair.left, Hello(1, Kind.ORDERED, b"r" * 16, NO_TOKEN))
    assert said(pair.left) == []  # not before the peer's token is written down
    work(pair.left)
    assert said(pair.left) == [Welcome(Recognition.NEW)]
    assert pair.left.lane.remembered == b"r" * 16


def test_a_store_that_was_closed_and_opened_is_known() -> None:
    pair = standing()
    pair.left.crash()
    standing(pair)
    assert not any(isinstance(event, StoreReset | PeerStoreReset) for side in pair.both for event in side.events)


def test_a_token_that_the_peer_never_heard_of_is_no_alarm() -> None:
    pair = standing()
    for _ in range(TOKENS_KEPT - 2):
        pair.left.crash()
        pair.left.connect(64)
        work(pair.left)
    standing(pair)
    assert not pair.left.events
    assert not pair.right.events
    assert len(pair.left.lane.tokens) <= TOKENS_KEPT


def test_a_store_that_was_lost_is_noticed_by_both() -> None:
    pair = standing()
    pair.left = World(1, Ordered())
    pair.left._random = iter(range(1000, 2000))  # type: ignore[assignment]
    pair.left.reopen()
    standing(pair)
    assert pair.left.events == [StoreReset(BOND, PORT)]
    assert pair.right.events == [PeerStoreReset(BOND, PORT)]
    standing(pair)
    assert len(pair.left.events) == len(pair.right.events) == 1


def test_a_peer_that_knows_what_another_lane_was_told_has_paired_again() -> None:
    pair = standing()
    for body in (b"old", b"older"):
        pair.left.queue(body)
    pair.left.break_off()
    old, new = pair.left.lane, Lane(7, b"n" * 16, PORT)
    new.waiting.add(entry_like(pair.left, b"new"))
    pair.left.ledger.add(new)
    pair.left.talk = None
    pair.left.token = pair.left.fresh()  # each lane has its own
    reconnect_as(pair, new)
    pair.settle()
    assert CarriedOver(b"n" * 16, PORT, BOND) in pair.left.events
    assert old.number not in pair.left.ledger.lanes
    assert [body for _, body in pair.right.shown] == [b"old", b"older", b"new"]
    assert not pair.right.events


def entry_like(side: World, body: bytes) -> Entry:
    side.queue(body)
    entry = list(side.lane.waiting.entries.values())[-1]
    side.lane.waiting.drop([entry.row])
    return entry


def reconnect_as(pair: Pair, lane: Lane) -> None:
    """The left side's lane is another one now."""
    first = pair.left.ledger.lanes.pop(1)
    pair.left.ledger.lanes = {lane.number: lane, 1: first}
    pair.connect()


def test_another_policy_stops_both() -> None:
    pair = Pair(Ordered(), peer=Latest())
    pair.left.queue(b"for later")
    pair.connect()
    pair.settle()
    for side in pair.both:
        assert WasRefused(BOND, PORT, None, Fault.POLICY) in side.events
        hear(side, Begin(STREAM))
        assert not said(side)
    assert pair.left.lane.waiting.entries


def test_a_greeting_that_cannot_be_written_down_is_tried_again() -> None:
    pair = Pair()
    pair.left.full = True
    pair.connect()
    pair.settle()
    talk = pair.left.talk
    assert talk is not None
    assert talk.is_held
    assert not talk.stands
    pair.left.full = False
    talk.retry()
    pair.left.perform()
    pair.settle()
    assert talk.stands
    assert not talk.is_held


@pytest.mark.parametrize(
    ("frames", "error"),
    [
        ([Begin(STREAM)], UnexpectedFrame),
        ([Hello(1, Kind.ORDERED, STREAM, NO_TOKEN)] * 2, UnexpectedFrame),
        ([Hello(2, Kind.ORDERED, STREAM, NO_TOKEN)], UnsupportedVersion),
        ([Welcome(Recognition.NEW)] * 2, UnexpectedFrame),
    ],
    ids=["a frame before the greeting", "two Hello", "another version", "two Welcome"],
)
def test_a_greeting_against_the_rules(frames: list[Frame], error: type[Exception]) -> None:
    pair = Pair()
    pair.connect()
    work(pair.left)
    with pytest.raises(error):
        hear(pair.left, *frames)


def test_a_welcome_before_hello_was_said() -> None:
    pair = Pair()
    pair.connect()
    with pytest.raises(UnexpectedFrame, match="answers no Hello"):
        hear(pair.left, Welcome(Recognition.NEW))


def test_opening_twice_greets_once() -> None:
    pair = standing()
    assert pair.left.talk is not None
    pair.left.talk.open()
    assert pair.left.talk.drain() == []
