"""Messages on a lane that stands: what is resumed, held back, refused, and what breaks the rules."""

from __future__ import annotations

import pytest

from blechannel.delivery import changes as to
from blechannel.delivery.events import Expired, NotStored, Stored
from blechannel.delivery.events import Refused as WasRefused
from blechannel.delivery.frames import Begin, Fault, Frame, Part, Refused, Resume
from blechannel.delivery.frames import Stored as StoredFrame
from blechannel.delivery.ledger import Ledger
from blechannel.delivery.policies import BestEffort, Latest, MessageId, Ordered
from blechannel.delivery.receiver import WINDOW_BYTES, WINDOW_MESSAGES
from blechannel.errors import StoreError, UnexpectedFrame
from tests.delivery.model import BOND, PORT, Pair
from tests.delivery.test_conversation import STREAM, hear, said, standing, work

ROOM = (WINDOW_MESSAGES, WINDOW_BYTES)


def receiving(pair: Pair | None = None) -> Pair:
    """The right side has said Resume for `STREAM`."""
    pair = standing(pair)
    hear(pair.right, Begin(STREAM))
    work(pair.right)
    assert isinstance(said(pair.right)[-1], Resume)
    return pair


def sending(*bodies: bytes, policy: Ordered | Latest | BestEffort = Ordered()) -> tuple[Pair, list[MessageId]]:  # noqa: B008
    """The left side has said Begin for these messages."""
    pair = standing(Pair(policy))
    ids = [pair.left.queue(body) for body in bodies]
    assert said(pair.left) == [Begin(pair.left.stream)]
    return pair, ids


def parts(pair: Pair) -> list[Part]:
    """What the left side sends once it has read it."""
    pair.left.pump()
    work(pair.left)
    return [frame for frame in said(pair.left) if isinstance(frame, Part)]


# --- the sender ---


def test_a_message_goes_when_the_peer_has_stored_it_and_not_before() -> None:
    pair, [first, second] = sending(b"one", b"two")
    hear(pair.left, Resume(0, 0, 0, *ROOM))
    assert parts(pair) == [Part(1, 0, 3, 0, b"one"), Part(2, 0, 3, 0, b"two")]
    assert len(pair.left.lane.waiting.entries) == 2
    hear(pair.left, StoredFrame(1, 0, 0, *ROOM))
    work(pair.left)
    assert [entry.message_id for entry in pair.left.lane.waiting.entries.values()] == [second]
    assert pair.left.events == [Stored(BOND, PORT, first)]


def test_what_is_stored_is_told_once_however_slow_the_own_disk_is() -> None:
    pair, ids = sending(b"one", b"two")
    hear(pair.left, Resume(0, 0, 0, *ROOM))
    parts(pair)
    hear(pair.left, StoredFrame(1, 0, 0, *ROOM), StoredFrame(2, 0, 0, *ROOM))
    assert pair.left.events == [Stored(BOND, PORT, message_id) for message_id in ids]
    work(pair.left)
    assert not pair.left.lane.waiting.entries


def test_a_transfer_goes_on_at_the_last_byte_that_is_stored() -> None:
    pair, _ = sending(bytes(range(200)))
    hear(pair.left, Resume(0, 1, 150, *ROOM))
    assert [(part.offset, len(part.body)) for part in parts(pair)] == [(150, 43), (193, 7)]
    hear(pair.left, StoredFrame(0, 1, 160, 1, 40))


def test_a_piece_that_the_peer_has_of_another_message_is_no_start() -> None:
    pair, _ = sending(b"whole")
    hear(pair.left, Resume(0, 9, 3, *ROOM))
    assert parts(pair) == [Part(1, 0, 5, 0, b"whole")]


def test_what_was_stored_before_is_not_sent_again() -> None:
    pair, ids = sending(b"one", b"two", b"three")
    hear(pair.left, Resume(2, 0, 0, *ROOM))
    assert [part.sequence for part in parts(pair)] == [3]
    assert pair.left.events == [Stored(BOND, PORT, message_id) for message_id in ids[:2]]


def test_no_more_is_sent_than_there_is_room_for() -> None:
    pair, _ = sending(bytes(100), bytes(100), b"")
    hear(pair.left, Resume(0, 0, 0, 9, 130))
    assert sum(len(part.body) for part in parts(pair)) == 130
    hear(pair.left, StoredFrame(1, 2, 10, 9, 30))
    assert sum(len(part.body) for part in parts(pair)) == 10
    hear(pair.left, StoredFrame(1, 2, 40, 9, 60))
    *rest, empty = parts(pair)
    assert sum(len(part.body) for part in rest) == 60
    assert empty == Part(3, 0, 0, 0, b"")


def test_no_more_messages_are_begun_than_there_is_room_for() -> None:
    pair, _ = sending(b"one", b"two", b"three")
    hear(pair.left, Resume(0, 0, 0, 2, 1000))
    assert [part.sequence for part in parts(pair)] == [1, 2]
    hear(pair.left, StoredFrame(1, 0, 0, 2, 1000))
    assert [part.sequence for part in parts(pair)] == [3]


def test_a_message_that_went_meanwhile_is_skipped_and_said_to_be() -> None:
    pair, _ = sending(bytes(100), b"two", b"three")
    hear(pair.left, Resume(0, 0, 0, 9, 50))
    assert [part.offset for part in parts(pair)] == [0, 43]
    first, second, _ = pair.left.lane.waiting.entries
    pair.left.ledger.apply(to.Drop(1, (first, second)))
    hear(pair.left, StoredFrame(0, 1, 50, 9, 50))
    assert parts(pair) == [Part(3, 2, 5, 0, b"three")]
    hear(pair.left, StoredFrame(3, 0, 0, *ROOM))
    work(pair.left)
    assert not pair.left.lane.waiting.entries


def test_a_message_that_goes_while_it_is_read_is_skipped() -> None:
    pair, _ = sending(b"one", b"two")
    hear(pair.left, Resume(0, 0, 0, *ROOM))
    pair.left.pump()
    pair.left.ledger.apply(to.Drop(1, (next(iter(pair.left.lane.waiting.entries)),)))
    work(pair.left)
    assert said(pair.left) == [Part(2, 1, 3, 0, b"two")]


def test_a_message_that_cannot_be_read_is_not_skipped() -> None:
    pair, _ = sending(b"one", b"two")
    hear(pair.left, Resume(0, 0, 0, *ROOM))
    pair.left.pump()
    talk, fetch = pair.left.talk, pair.left.unread.popleft()
    assert talk is not None
    talk.fetched([None] * len(fetch.spans), fetch.spans)
    assert parts(pair) == []
    assert talk.is_held
    talk.retry()
    pair.left.perform()
    assert said(pair.left) == [Begin(pair.left.stream)]


@pytest.mark.parametrize("answer", [StoredFrame(1, 0, 0, *ROOM), Refused(Fault.NO_ROOM, 1)])
def test_a_peer_may_answer_what_went_before_a_message_that_cannot_be_read(answer: StoredFrame | Refused) -> None:
    pair, [first, _] = sending(b"one", b"two")
    hear(pair.left, Resume(0, 0, 0, *ROOM))
    pair.left.pump()
    talk, fetch = pair.left.talk, pair.left.unread.popleft()
    assert talk is not None
    talk.fetched([b"one", None], fetch.spans)
    pair.left.perform()
    assert said(pair.left) == [Part(1, 0, 3, 0, b"one")]
    hear(pair.left, answer)
    told = Stored(BOND, PORT, first) if isinstance(answer, StoredFrame) else WasRefused(BOND, PORT, first, answer.fault)
    assert pair.left.events == [told]
    assert talk.is_held
    talk.retry()
    pair.left.perform()
    assert said(pair.left) == [Begin(pair.left.stream)]


def test_what_was_read_for_another_resume_is_thrown_away() -> None:
    pair, _ = sending(b"one")
    hear(pair.left, Resume(0, 0, 0, *ROOM))
    pair.left.pump()
    hear(pair.left, Refused(Fault.NO_ROOM, 1))
    work(pair.left)
    assert said(pair.left) == []


def test_the_next_stream_begins_when_the_one_before_is_stored() -> None:
    pair, [first] = sending(b"one")
    before = pair.left.stream
    pair.left.crash()
    second = pair.left.queue(b"two")
    standing(pair)
    pair.settle()
    assert [message_id for message_id, _ in pair.right.shown] == [first, second]
    assert list(pair.right.lane.marks) == [before, pair.left.stream]


def test_a_stored_that_crosses_begin_is_of_the_stream_before() -> None:
    pair, _ = sending(b"one")
    hear(pair.left, StoredFrame(7, 0, 0, *ROOM))
    hear(pair.left, Resume(0, 0, 0, *ROOM))
    assert [part.sequence for part in parts(pair)] == [1]


def test_a_peer_without_room_is_asked_again_and_nothing_is_lost() -> None:
    pair, [first] = sending(b"one")
    hear(pair.left, Resume(0, 0, 0, *ROOM))
    parts(pair)
    hear(pair.left, Refused(Fault.NO_ROOM, 1))
    assert pair.left.events == [WasRefused(BOND, PORT, first, Fault.NO_ROOM)]
    talk = pair.left.talk
    assert talk is not None
    assert talk.is_held
    pair.left.queue(b"two")
    assert said(pair.left) == []
    talk.retry()
    pair.left.perform()
    assert said(pair.left) == [Begin(pair.left.stream)]
    talk.retry()  # asked already
    pair.left.perform()
    assert said(pair.left) == []


def test_a_message_that_is_too_large_for_the_peer_is_given_up_and_the_next_goes() -> None:
    pair = standing(Pair(Ordered(), peer=Ordered(max_bytes=100)))
    large, small = pair.left.queue(bytes(101)), pair.left.queue(bytes(100))
    pair.settle()
    assert [message_id for message_id, _ in pair.right.shown] == [small]
    assert pair.left.events == [WasRefused(BOND, PORT, large, Fault.TOO_LARGE), Stored(BOND, PORT, small)]
    assert not pair.left.lane.waiting.entries


def test_a_refusal_of_what_is_not_known_is_tried_again() -> None:
    pair, _ = sending(b"one")
    hear(pair.left, Refused(Fault.TOO_LARGE, 99))
    assert pair.left.events == [WasRefused(BOND, PORT, None, Fault.TOO_LARGE)]
    assert pair.left.talk is not None
    assert pair.left.talk.is_held


@pytest.mark.parametrize(
    ("frames", "error"),
    [
        ([Resume(0, 0, 0, *ROOM)] * 2, "answers no Begin"),
        ([Resume(1, 0, 0, *ROOM), StoredFrame(0, 0, 0, *ROOM)], "less than before"),
        ([Resume(0, 0, 0, *ROOM), StoredFrame(1, 0, 0, *ROOM)], "not sent"),
        ([Resume(0, 0, 0, *ROOM), StoredFrame(0, 1, 1, *ROOM)], "bytes that were not sent"),
        ([Resume(0, 0, 0, *ROOM), Refused(Fault.NO_ROOM, 1), Refused(Fault.NO_ROOM, 1)], "Refused of what"),
        ([Resume(0, 0, 0, *ROOM), Refused(Fault.NO_ROOM, 1), StoredFrame(0, 0, 0, *ROOM)], "before Begin"),
    ],
)
def test_answers_against_the_rules(frames: list[Frame], error: str) -> None:
    pair, _ = sending(b"one")
    with pytest.raises(UnexpectedFrame, match=error):
        hear(pair.left, *frames)


def test_best_effort_goes_once_and_is_lost_with_its_link() -> None:
    pair, [first, second] = sending(b"one", bytes(100), policy=BestEffort())
    hear(pair.left, Resume(0, 0, 0, 9, 50))
    assert [part.sequence for part in parts(pair)] == [1, 2, 2]
    hear(pair.left, StoredFrame(1, 0, 0, 9, 49))
    parts(pair)
    assert pair.left.events == [Stored(BOND, PORT, first)]
    pair.cut()
    assert pair.left.events[1:] == [Expired(BOND, PORT, second)]
    assert not pair.left.lane.waiting.entries


# --- the receiver ---


def test_nothing_is_said_to_be_stored_before_it_is() -> None:
    pair = receiving()
    hear(pair.right, Part(1, 0, 3, 0, b"one"), Part(2, 0, 6, 0, b"two"))
    assert said(pair.right) == []
    work(pair.right)
    assert said(pair.right)[-1] == StoredFrame(
        1, 2, 3, 999, (1 << 20) - 6 if WINDOW_BYTES > (1 << 20) - 6 else WINDOW_BYTES
    )


def test_what_is_stored_is_not_stored_again() -> None:
    pair = receiving()
    hear(pair.right, Part(1, 0, 3, 0, b"one"), Part(2, 0, 6, 0, b"two"))
    work(pair.right)
    pair.connect()
    pair.settle(takes=False)
    hear(pair.right, Begin(STREAM))
    assert said(pair.right)[-1] == Resume(1, 2, 3, 999, WINDOW_BYTES)
    hear(pair.right, Part(2, 0, 6, 3, b"bis"))
    work(pair.right)
    assert [entry.size for entry in pair.right.lane.untaken.entries.values()] == [3, 6]


def test_a_stream_that_begins_while_pieces_are_being_written_waits_for_them() -> None:
    pair = receiving()
    hear(pair.right, Part(1, 0, 3, 0, b"one"), Begin(STREAM))
    assert said(pair.right) == []
    work(pair.right)
    assert said(pair.right) == [Resume(1, 0, 0, 999, WINDOW_BYTES)]


def test_a_piece_of_another_stream_is_no_start() -> None:
    pair = receiving()
    hear(pair.right, Part(1, 0, 6, 0, b"one"))
    work(pair.right)
    hear(pair.right, Begin(b"t" * 16))
    work(pair.right)
    assert said(pair.right)[-1] == Resume(0, 0, 0, 1000, WINDOW_BYTES)
    assert pair.right.lane.partial is None


def test_a_full_disk_is_said_and_nothing_after_it_is_stored() -> None:
    pair = receiving()
    pair.right.full = True
    hear(pair.right, Part(1, 0, 3, 0, b"one"))
    hear(pair.right, Part(2, 0, 3, 0, b"two"))
    pair.right.write_one()
    pair.right.full = False
    work(pair.right)
    hear(pair.right, Part(3, 0, 5, 0, b"three"))
    work(pair.right)
    assert said(pair.right) == [Refused(Fault.NO_ROOM, 1)]
    assert pair.right.events == [NotStored(BOND, PORT, "the disk is full")]
    assert not pair.right.lane.untaken.entries


def test_a_full_disk_in_the_middle_of_a_message_names_it() -> None:
    pair = receiving()
    hear(pair.right, Part(4, 3, 6, 0, b"one"))
    work(pair.right)
    said(pair.right)
    pair.right.full = True
    hear(pair.right, Part(4, 3, 6, 3, b"two"))
    work(pair.right)
    assert said(pair.right) == [Refused(Fault.NO_ROOM, 4)]


def test_a_new_stream_on_a_full_disk_is_refused() -> None:
    pair = standing()
    pair.right.full = True
    hear(pair.right, Begin(STREAM))
    work(pair.right)
    assert said(pair.right) == [Refused(Fault.NO_ROOM, 1)]
    hear(pair.right, Begin(STREAM))
    pair.right.full = False
    work(pair.right)
    assert isinstance(said(pair.right)[-1], Resume)


def test_a_reader_that_takes_nothing_holds_the_sender_back() -> None:
    pair = standing(Pair(Ordered(max_messages=5, max_bytes=500)))
    for _ in range(20):
        pair.left.queue(bytes(90))
    pair.settle(takes=False)
    assert len(pair.right.lane.untaken.entries) == 5
    assert pair.right.lane.held_bytes <= 500
    pair.settle()
    assert len(pair.right.shown) == 20


def test_a_message_as_long_as_the_queue_comes_while_another_is_taken() -> None:
    pair = standing(Pair(Ordered(max_bytes=500)))
    pair.left.queue(bytes(300))
    pair.left.queue(bytes(500))
    pair.settle(takes=False)
    assert pair.right.lane.held_bytes == 500
    pair.settle()
    assert [len(body) for _, body in pair.right.shown] == [300, 500]


def test_the_newest_value_takes_the_place_of_those_that_nobody_took() -> None:
    pair = standing(Pair(Latest(max_bytes=100)))
    for body in (b"one", b"two", b"three"):
        pair.left.queue(body)
    pair.settle(takes=False)
    pair.settle()
    assert [body for _, body in pair.right.shown] == [b"three"]


@pytest.mark.parametrize(
    ("frames", "error"),
    [
        ([Part(2, 0, 3, 0, b"two")], "does not follow"),
        ([Part(1, 0, 3, 0, b"one"), Part(1, 0, 3, 0, b"one")], "does not follow"),
        ([Part(1, 0, 6, 3, b"one")], "does not follow"),
        ([Part(1, 0, 6, 0, b"one"), Part(1, 0, 7, 3, b"two")], "does not follow"),
        ([Part(1, 0, 6, 0, b"one"), Part(1, 0, 6, 2, b"two")], "does not follow"),
        ([Part(1, 0, 2, 0, b"one")], "longer than its message"),
        ([Part(1, 0, 2, 0, b"")], "or empty"),
        ([Part(1, 0, 101, 0, bytes(101))], "room"),
    ],
)
def test_pieces_against_the_rules(frames: list[Frame], error: str) -> None:
    pair = receiving(Pair(Ordered(max_bytes=100, max_messages=5)))
    if error == "room":
        frames = [Part(1, 0, 60, 0, bytes(60)), Part(2, 0, 60, 0, bytes(60))]
    with pytest.raises(UnexpectedFrame, match=error):
        hear(pair.right, *frames)


def test_more_messages_than_there_is_room_for() -> None:
    pair = receiving(Pair(Ordered(max_messages=2)))
    with pytest.raises(UnexpectedFrame, match="room"):
        hear(pair.right, *(Part(number, 0, 0, 0, b"") for number in (1, 2, 3)))


def test_a_piece_before_begin() -> None:
    with pytest.raises(UnexpectedFrame, match="before Begin"):
        hear(standing().right, Part(1, 0, 3, 0, b"one"))


def test_a_size_takes_no_memory() -> None:
    pair = receiving()
    hear(pair.right, Part(1, 0, 1 << 20, 0, b"a"))
    work(pair.right)
    assert pair.right.lane.held_bytes == 1


def test_a_write_that_nobody_waits_for_changes_nothing() -> None:
    pair = receiving()
    assert pair.right.talk is not None
    pair.right.talk.written(12345, None)
    assert pair.right.talk.drain() == []


# --- the ledger ---


def test_a_piece_that_does_not_follow_is_not_kept() -> None:
    pair = receiving()
    lane = pair.right.lane
    piece = to.Keep(lane.number, 90, MessageId(STREAM, 2), 3, 1, 0, b"two")
    for wrong in (piece, to.Keep(lane.number, 90, MessageId(STREAM, 1), 6, 0, 3, b"two")):
        with pytest.raises(StoreError, match="does not follow"):
            pair.right.ledger.apply(wrong)


def test_a_lane_that_is_gone_takes_nothing() -> None:
    pair = receiving()
    ledger = pair.right.ledger
    ledger.apply(to.Put(1, 50, MessageId(STREAM, 1), None, b"one"))
    assert ledger.held_bytes == 3
    ledger.apply(to.RemoveLane(1))
    assert ledger.held_bytes == 0
    assert ledger.find(BOND, PORT) is None
    with pytest.raises(StoreError, match="bond was removed"):
        ledger.apply(to.Take(1, 50))


def test_a_lane_moves_to_another_bond() -> None:
    ledger = receiving().right.ledger
    ledger.apply(to.MoveLane(1, b"n" * 16))
    assert ledger.find(BOND, PORT) is None
    moved = ledger.find(b"n" * 16, PORT)
    assert moved is not None
    assert moved.bond_id == b"n" * 16


def test_a_lane_that_remembers_the_peer_keeps_that_when_another_joins_it() -> None:
    ledger = receiving().right.ledger
    ledger.apply(to.AddLane(2, b"n" * 16, PORT))
    ledger.apply(to.Remember(2, b"m" * 16))
    ledger.apply(to.MergeLane(1, 2))
    assert ledger.lanes[2].remembered == b"m" * 16


def test_a_ledger_without_bytes_keeps_what_is_about_them() -> None:
    ledger = Ledger()
    for change in (to.AddLane(1, BOND, PORT), to.Know(1, STREAM), to.Keep(1, 1, MessageId(STREAM, 1), 3, 0, 0, b"one")):
        ledger.apply(change)
    [entry] = ledger.lanes[1].untaken.entries.values()
    assert (entry.have, entry.body) == (3, None)
    ledger.apply(to.Put(1, 2, MessageId(b"o" * 16, 1), None, b"two"))
    assert ledger.held_bytes == 6


def test_successors_are_bounded() -> None:
    ledger = Pair().left.ledger
    for number in range(100):
        ledger.apply(to.Succeed(number.to_bytes(16), (number + 1).to_bytes(16)))
    assert len(ledger.successors) == 64


def test_streams_are_bounded() -> None:
    pair = standing()
    for number in range(20):
        hear(pair.right, Begin(number.to_bytes(16)))
        work(pair.right)
    assert len(pair.right.lane.marks) == 8
