"""Fragments: what is cut is joined, and whatever breaks a rule is refused by the rule's name."""

from __future__ import annotations

import itertools
import tracemalloc
from collections.abc import Callable

import pytest
from construct import ConstructError
from hypothesis import given
from hypothesis import strategies as st

from blechannel.errors import FragmentFault, FragmentRefused, LocalProtocolError, PeerTimedOut
from blechannel.limits import INITIAL_WINDOW, MAX_FRAGMENT_BYTES, MAX_FRAME_BYTES, MIN_FRAME_BYTES, Patience
from blechannel.wire.flow import ACK_DELAY_S, MAX_ACK_DELAY_S
from blechannel.wire.fragments import FRAGMENT, FragmentStream
from blechannel.wire.header import frame_length, pack_header
from tests.wire.ends import PATIENCE, carry, control, data, end, frame, met, settle, take

WINDOWS = [2, 3, 4, 5, 8, 63, 64]


def refusal(action: Callable[[], object]) -> FragmentFault:
    with pytest.raises(FragmentRefused) as refused:
        action()
    return refused.value.fault


def receiving(*fragments: bytes, stream: FragmentStream | None = None) -> FragmentFault:
    """The fault of the last fragment; those before it are fine."""
    target = end() if stream is None else stream
    take(target, fragments[:-1], 0.0)
    return refusal(lambda: target.receive(fragments[-1], 0.0))


# --- frames arrive whole ---


@pytest.mark.parametrize("fragment_bytes", [20, 21, 23, 100, 182, 244, 509, 511, 512, 517])
def test_frames_of_every_size_arrive(fragment_bytes: int) -> None:
    first, second = met(64, 64, fragment_bytes=fragment_bytes)
    payload = min(fragment_bytes, MAX_FRAGMENT_BYTES) - 2
    sizes = [3, 4, payload - 1, payload, payload + 1, 2 * payload, 2 * payload + 1, 2000, MAX_FRAME_BYTES]
    sent = [frame(size, fill) for fill, size in enumerate(sizes)]
    for each in sent:
        first.send(each)
        second.send(each[:3] + each[3:][::-1])
    to_first, to_second, _ = settle([first, second], 1.0)
    assert to_second == sent
    assert to_first == [each[:3] + each[3:][::-1] for each in sent]


@pytest.mark.parametrize("fragment_bytes", range(20, 513, 7))
def test_no_fragment_is_longer_than_the_link_carries(fragment_bytes: int) -> None:
    first, second = met(64, 64, fragment_bytes=fragment_bytes)
    first.send(frame(1000))
    fragments = first.fragments_to_send(1.0)
    assert max(map(len, fragments)) == fragment_bytes
    assert sum(map(len, fragments)) == 1000 + 2 * len(fragments)
    assert take(second, fragments, 1.0) == [frame(1000)]


def test_numbers_wrap() -> None:
    first, second = met(64, 5, fragment_bytes=20)
    sent = [frame(1800, fill) for fill in range(40)]
    for each in sent:
        first.send(each)
    _, to_second, _ = settle([first, second], 1.0)
    assert to_second == sent


def test_the_payload_may_change_in_the_middle_of_a_frame() -> None:
    first, second = met(64, 3, fragment_bytes=20)
    first.send(frame(2000))
    start = first.fragments_to_send(1.0)
    take(second, start, 1.0)
    first.grow(244)
    take(first, second.fragments_to_send(1.0), 1.0)
    rest = first.fragments_to_send(1.0)
    assert [len(each) for each in start + rest] == [20, 20, 244, 244]
    first.grow(50)
    take(second, rest, 1.0)
    _, to_second, _ = settle([first, second], 1.0)
    assert to_second == [frame(2000)]


def test_queued_bytes_are_those_that_no_fragment_carries_yet() -> None:
    first, _ = met(64, 3, fragment_bytes=20)
    assert first.queued_bytes == 0
    first.send(frame(100))
    assert (first.queued_bytes, first.has_unacknowledged()) == (100, False)
    first.fragments_to_send(1.0)
    assert (first.queued_bytes, first.has_unacknowledged()) == (100 - 2 * 18, True)


# --- the declaration ---


@given(st.binary(max_size=8) | st.binary(min_size=509, max_size=515))
def test_what_runs_agrees_with_the_declaration(fragment: bytes) -> None:
    shape = {
        FragmentFault.TOO_SHORT,
        FragmentFault.TOO_LONG,
        FragmentFault.EMPTY,
        FragmentFault.CONTROL_WITH_DATA,
    }
    try:
        declared = FRAGMENT.parse(fragment)
    except ConstructError:
        assert receiving(fragment) in shape
        return
    rebuilt = FRAGMENT.build({"header": declared.header, "data": declared.data})
    assert rebuilt == fragment
    header, payload = declared.header, bytes(declared.data)
    expected = expected_of_a_fresh_stream(
        mark=header.mark, number=header.number, is_control=header.control, ack=header.acknowledgement,
        payload=payload,
    )  # fmt: skip
    if isinstance(expected, FragmentFault):
        assert receiving(fragment) is expected
    else:
        assert end().receive(fragment, 0.0) == expected


def expected_of_a_fresh_stream(
    *, mark: bool, number: int, is_control: bool, ack: int, payload: bytes
) -> FragmentFault | bytes | None:
    if number:
        return FragmentFault.GAP
    if ack:
        return FragmentFault.ACK_OF_UNSENT
    if is_control:
        return None
    if not mark:
        return FragmentFault.NO_START
    if len(payload) < 3:
        return FragmentFault.LENGTH_LIES
    declared = int.from_bytes(payload[1:3], "big") + 3
    if declared > 8192:
        return FragmentFault.FRAME_TOO_LONG
    if len(payload) > declared:
        return FragmentFault.LENGTH_LIES
    return payload if len(payload) == declared else None


@given(
    st.integers(0, 127), st.integers(0, 127), st.booleans(), st.binary(min_size=0, max_size=510)
)  # fmt: skip
def test_the_declaration_builds_what_is_on_the_air(number: int, ack: int, mark: bool, payload: bytes) -> None:
    header = {"mark": mark, "number": number, "control": not payload, "acknowledgement": ack}
    built = FRAGMENT.build({"header": header, "data": payload})
    if payload:
        assert built == data(number, payload, starts=mark, ack=ack)
    else:
        assert built == control(number, ack=ack, probe=mark)


def test_frozen_fragments() -> None:
    first, second = met(64, 64, fragment_bytes=20)
    first.send(frame(20))
    sent = first.fragments_to_send(1.0)
    assert [each.hex(" ") for each in sent] == [
        "81 01 17 00 11 " + " ".join(["61"] * 15),
        "02 01 61 61",
    ]
    take(second, sent, 1.0)
    second.expire(2.0)
    assert [each.hex(" ") for each in second.fragments_to_send(2.0)] == ["01 83"]
    second.expire(30.0)
    assert [each.hex(" ") for each in second.fragments_to_send(30.0)] == ["81 83"]


# --- refusals, by name ---


@pytest.mark.parametrize("window", [-1, 0, 1, 65, 255])
def test_a_window_outside_the_range_is_refused(window: int) -> None:
    stream = end()
    assert refusal(lambda: stream.peer_limits(window=window, max_frame_bytes=8192)) is (FragmentFault.WINDOW_INVALID)
    assert_dead(stream)


@pytest.mark.parametrize("max_frame_bytes", [0, MIN_FRAME_BYTES - 1, MAX_FRAME_BYTES + 1, 65535])
def test_a_frame_limit_outside_the_range_is_refused(max_frame_bytes: int) -> None:
    stream = end()
    assert refusal(lambda: stream.peer_limits(window=8, max_frame_bytes=max_frame_bytes)) is (
        FragmentFault.FRAME_TOO_LONG
    )
    assert_dead(stream)


@pytest.mark.parametrize("fragment_bytes", [-1, 0, 3, 19])
def test_a_payload_below_what_ble_carries_is_refused(fragment_bytes: int) -> None:
    assert refusal(lambda: end(fragment_bytes=fragment_bytes)) is FragmentFault.PAYLOAD_TOO_SMALL
    stream = end()
    assert refusal(lambda: stream.grow(fragment_bytes)) is FragmentFault.PAYLOAD_TOO_SMALL
    assert_dead(stream)


SOME = frame(30)
HOSTILE = {
    "nothing": ([b""], FragmentFault.TOO_SHORT),
    "half a header": ([b"\x80"], FragmentFault.TOO_SHORT),
    "longer than an attribute": ([data(0, frame(511))], FragmentFault.TOO_LONG),
    "longer than an attribute, control": ([control(0) + bytes(511)], FragmentFault.TOO_LONG),
    "data without data": ([b"\x80\x00"], FragmentFault.EMPTY),
    "control with data": ([control(0) + b"x"], FragmentFault.CONTROL_WITH_DATA),
    "continuation first": ([data(0, b"abc", starts=False)], FragmentFault.NO_START),
    "continuation after a frame": (
        [data(0, SOME), data(1, b"abc", starts=False)],
        FragmentFault.NO_START,
    ),
    "second start": ([data(0, SOME[:9]), data(1, SOME)], FragmentFault.SECOND_START),
    "start without a frame's header": ([data(0, SOME[:2])], FragmentFault.LENGTH_LIES),
    "start beyond the length": ([data(0, SOME + b"x")], FragmentFault.LENGTH_LIES),
    "continuation beyond the length": (
        [data(0, SOME[:9]), data(1, SOME[9:] + b"x", starts=False)],
        FragmentFault.LENGTH_LIES,
    ),
    "frame over the limit": ([data(0, pack_header(1, 8192 - 2) + b"x")], FragmentFault.FRAME_TOO_LONG),
    "lost": ([data(0, SOME), data(2, SOME)], FragmentFault.GAP),
    "repeated": ([data(0, SOME), data(0, SOME)], FragmentFault.GAP),
    "lost tail": ([data(0, SOME), control(2)], FragmentFault.GAP),
    "acknowledgement with data": ([data(0, SOME, ack=1)], FragmentFault.ACK_OF_UNSENT),
    "acknowledgement, control": ([control(0, ack=127)], FragmentFault.ACK_OF_UNSENT),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_fragments_are_refused_by_name(case: str) -> None:
    fragments, fault = HOSTILE[case]
    assert receiving(*fragments) is fault


def test_the_last_limit_byte_is_allowed() -> None:
    assert end().receive(data(0, pack_header(1, 8192 - 3) + b"x"), 0.0) is None
    assert end(max_frame_bytes=512).receive(data(0, frame(510)), 0.0) == frame(510)


def test_an_acknowledgement_may_not_go_back() -> None:
    first, second = met(64, 64)
    first.send(frame(9))
    carry(first, second, 1.0)
    second.send(frame(9))
    carry(second, first, 1.0)
    assert receiving(control(2, ack=1), stream=first) is FragmentFault.ACK_OF_UNSENT


@pytest.mark.parametrize("window", WINDOWS)
def test_more_than_the_window_is_refused(window: int) -> None:
    _, second = met(64, window)
    fragments = [data(1 + n, frame(9), ack=1) for n in range(window)]
    take(second, fragments[:-1], 1.0)
    assert receiving(fragments[-1], stream=second) is FragmentFault.WINDOW_OVERRUN


@pytest.mark.parametrize("window", WINDOWS)
def test_before_the_peer_knows_it_may_use_what_everyone_assumes(window: int) -> None:
    granted = max(window, INITIAL_WINDOW) - 1
    stream = end(window=window)
    take(stream, [data(n, frame(9)) for n in range(granted)], 0.0)
    assert receiving(data(granted, frame(9)), stream=stream) is FragmentFault.WINDOW_OVERRUN


@pytest.mark.parametrize("body_bytes", [8192, 0xFFFF])
def test_refusing_a_length_allocates_nothing_for_it(body_bytes: int) -> None:
    stream, fragment = end(), data(0, pack_header(1, body_bytes) + bytes(200))
    tracemalloc.start()
    try:
        with pytest.raises(FragmentRefused) as refused:
            stream.receive(fragment, 0.0)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert refused.value.fault is FragmentFault.FRAME_TOO_LONG
    assert peak_bytes < 4096


@pytest.mark.parametrize("late_s", [0.0, 100.0])
def test_a_frame_that_takes_too_long_is_refused(late_s: float) -> None:
    slow = PATIENCE.frame_s + late_s
    by_timer, by_arrival, in_time = end(), end(), end()
    for stream in (by_timer, by_arrival, in_time):
        stream.receive(data(0, SOME[:9]), 5.0)
        assert stream.deadline() == 5.0 + PATIENCE.frame_s
        stream.expire(5.0 + PATIENCE.frame_s - 0.001)
    assert refusal(lambda: by_timer.expire(5.0 + slow)) is FragmentFault.FRAME_TOO_SLOW
    assert refusal(lambda: by_arrival.receive(data(1, SOME[9:], starts=False), 5.0 + slow)) is (
        FragmentFault.FRAME_TOO_SLOW
    )
    assert in_time.receive(data(1, SOME[9:], starts=False), 5.0 + PATIENCE.frame_s - 0.001) == SOME


def assert_dead(stream: FragmentStream) -> None:
    assert stream.fragments_to_send(0.0) == []
    assert stream.deadline() is None
    assert stream.queued_bytes == 0
    stream.expire(1e9)
    with pytest.raises(LocalProtocolError):
        stream.send(SOME)
    with pytest.raises((FragmentRefused, PeerTimedOut)):
        stream.receive(data(0, SOME), 0.0)


def test_once_refused_the_stream_is_dead() -> None:
    stream = end()
    stream.send(SOME)
    assert receiving(data(3, SOME), stream=stream) is FragmentFault.GAP
    assert receiving(control(0), stream=stream) is FragmentFault.GAP
    assert_dead(stream)


@pytest.mark.parametrize("size", [MIN_FRAME_BYTES + 1, 8192])
def test_a_frame_that_the_peer_does_not_take_is_not_queued(size: int) -> None:
    stream = end()
    with pytest.raises(LocalProtocolError):
        stream.send(frame(size))
    assert stream.queued_bytes == 0
    stream.peer_limits(window=8, max_frame_bytes=8192)
    stream.send(frame(size))


@pytest.mark.parametrize("wrong", [b"", b"ab", SOME[:-1], SOME + b"x"])
def test_what_is_no_frame_is_not_queued(wrong: bytes) -> None:
    stream = end()
    with pytest.raises(LocalProtocolError):
        stream.send(wrong)
    assert stream.queued_bytes == 0


def test_the_length_counts_the_header() -> None:
    assert frame_length(b"\x01\x01\x02rest") == 3 + 0x102


@given(st.lists(st.binary(max_size=30) | st.sampled_from([data(0, SOME), data(1, SOME), control(1)])))
def test_arbitrary_bytes_raise_nothing_else(fragments: list[bytes]) -> None:
    stream = end()
    for moment, fragment in enumerate(fragments):
        try:
            stream.receive(fragment, float(moment))
            stream.expire(float(moment))
        except (FragmentRefused, PeerTimedOut):
            assert stream.deadline() is None
        stream.fragments_to_send(float(moment))


# --- the window and its acknowledgements ---


@pytest.mark.parametrize(("one", "other"), list(itertools.product([2, 3, 4, 8, 64], repeat=2)))
def test_full_windows_on_both_sides_do_not_lock(one: int, other: int) -> None:
    first, second = met(one, other, fragment_bytes=20)
    sent = [frame(700, fill) for fill in range(5)]
    for each in sent:
        first.send(each)
        second.send(each)
    out = first.fragments_to_send(1.0)
    back = second.fragments_to_send(1.0)
    assert (len(out), len(back)) == (other - 1, one - 1)
    assert first.fragments_to_send(1.0) == second.fragments_to_send(1.0) == []
    to_second, to_first = take(second, out, 1.0), take(first, back, 1.0)
    more_first, more_second, later = settle([first, second], 1.0)
    assert to_first + more_first == to_second + more_second == sent
    assert later < 20.0


@pytest.mark.parametrize("window", WINDOWS)
def test_a_first_frame_of_many_fragments_passes_before_limits_are_known(window: int) -> None:
    first, second = end(fragment_bytes=20), end(fragment_bytes=20, window=window)
    first.send(frame(512))
    assert len(first.fragments_to_send(0.0)) == INITIAL_WINDOW - 1
    first, second = end(fragment_bytes=20), end(fragment_bytes=20, window=window)
    first.send(frame(512))
    _, to_second, _ = settle([first, second], 0.0)
    assert to_second == [frame(512)]


@pytest.mark.parametrize("window", WINDOWS)
def test_a_busy_one_way_stream_is_acknowledged_a_quarter_of_a_window_at_a_time(window: int) -> None:
    first, second = met(64, window)
    count, controls, now = 1000, 0, 1.0
    for number in range(count):
        first.send(frame(200, number))
        carry(first, second, now)
        acknowledgements = second.fragments_to_send(now)
        controls += len(acknowledgements)
        take(first, acknowledgements, now)
        now += 0.002
        second.expire(now)
    assert controls == count // max(1, window // 4)


def test_a_sparse_one_way_stream_is_not_acknowledged_frame_by_frame() -> None:
    first, second = met(64, 64)
    controls, now = 0, 1.0
    for number in range(1000):
        first.send(frame(200, number))
        carry(first, second, now)
        now += 0.05
        second.expire(now)
        acknowledgements = second.fragments_to_send(now)
        controls += len(acknowledgements)
        take(first, acknowledgements, now)
    assert controls <= 1000 // 16 + 5


def test_an_answer_carries_the_acknowledgement() -> None:
    first, second = met(64, 64)
    first.send(frame(9))
    carry(first, second, 1.0)
    assert second.deadline() == 1.0 + ACK_DELAY_S
    assert second.fragments_to_send(1.0) == []
    second.send(frame(9))
    answer = second.fragments_to_send(1.001)
    assert len(answer) == 1
    take(first, answer, 1.001)
    assert not first.has_unacknowledged()
    second.expire(1.0 + ACK_DELAY_S)
    assert second.fragments_to_send(1.0 + ACK_DELAY_S) == []


def test_the_delay_doubles_up_to_its_limit_and_starts_anew_with_data() -> None:
    first, second = met(64, 64)
    delays, now = [], 1.0
    for _ in range(8):
        first.send(frame(9))
        carry(first, second, now)
        due_s = second.deadline()
        assert due_s is not None
        delays.append(round(due_s - now, 6))
        now = due_s
        second.expire(now)
        assert [len(each) for each in second.fragments_to_send(now)] == [2]
    assert delays == [0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 0.64, MAX_ACK_DELAY_S]
    second.send(frame(9))
    carry(second, first, now)
    first.send(frame(9))
    carry(first, second, now)
    assert second.deadline() == now + ACK_DELAY_S


def test_a_probe_is_answered_at_once_and_once() -> None:
    first, _ = met(64, 64)
    first.receive(control(1, ack=1, probe=True), 1.0)
    first.receive(control(1, ack=1, probe=True), 1.0)
    assert first.fragments_to_send(1.0) == [control(1, ack=1)]
    assert first.fragments_to_send(1.0) == []


# --- time ---


def test_nothing_is_due_before_anything_happened() -> None:
    stream = end()
    assert stream.deadline() is None
    stream.expire(1e9)
    assert stream.fragments_to_send(1e9) == []


def test_silence_is_asked_about_and_an_answer_starts_it_anew() -> None:
    first, second = met(64, 64)
    heard_s = (first.deadline() or 0.0) - PATIENCE.keepalive_s
    first.expire(heard_s + PATIENCE.keepalive_s - 0.001)
    assert first.fragments_to_send(heard_s + PATIENCE.keepalive_s - 0.001) == []
    asked_s = heard_s + PATIENCE.keepalive_s
    first.expire(asked_s)
    assert first.deadline() == asked_s + PATIENCE.stall_s
    probe = first.fragments_to_send(asked_s + 1)
    assert probe == [control(1, ack=1, probe=True)]
    assert first.deadline() == asked_s + 1 + PATIENCE.stall_s, "the wait begins when the probe goes out"
    take(second, probe, asked_s + 1)
    carry(second, first, asked_s + 2)
    assert first.deadline() == asked_s + 2 + PATIENCE.keepalive_s


def test_an_unanswered_probe_ends_the_stream() -> None:
    first, _ = met(64, 64)
    asked_s = first.deadline()
    assert asked_s is not None
    first.expire(asked_s)
    first.fragments_to_send(asked_s)
    first.expire(asked_s + PATIENCE.stall_s - 0.001)
    with pytest.raises(PeerTimedOut, match="12 s"):
        first.expire(asked_s + PATIENCE.stall_s)
    with pytest.raises(PeerTimedOut):
        first.receive(control(1, ack=1), asked_s + PATIENCE.stall_s)
    with pytest.raises(LocalProtocolError):
        first.send(frame(9))
    assert first.deadline() is None


def test_a_stall_is_asked_about_halfway_and_then_ends_the_stream() -> None:
    first, _ = met(64, 64)
    first.send(frame(9))
    assert len(first.fragments_to_send(1.0)) == 1
    half_s = 1.0 + PATIENCE.stall_s / 2
    assert first.deadline() == half_s
    first.expire(half_s - 0.001)
    assert first.fragments_to_send(half_s - 0.001) == []
    first.expire(half_s)
    assert first.fragments_to_send(half_s) == [control(2, ack=1, probe=True)]
    assert first.deadline() == 1.0 + PATIENCE.stall_s
    first.receive(control(1, ack=1), 10.0)
    first.expire(1.0 + PATIENCE.stall_s - 0.001)
    assert first.fragments_to_send(12.9) == [], "an answer without progress is not asked for again"
    with pytest.raises(PeerTimedOut):
        first.expire(1.0 + PATIENCE.stall_s)


def test_progress_puts_the_stall_off() -> None:
    first, _ = met(64, 64)
    for _ in range(2):
        first.send(frame(9))
    first.fragments_to_send(1.0)
    first.receive(control(1, ack=2), 10.0)
    first.expire(1.0 + PATIENCE.stall_s)
    assert first.has_unacknowledged()
    with pytest.raises(PeerTimedOut):
        first.expire(10.0 + PATIENCE.stall_s)


def test_a_lost_tail_shows_as_a_gap_when_the_sender_asks() -> None:
    first, second = met(64, 64)
    first.send(frame(9))
    assert len(first.fragments_to_send(1.0)) == 1
    first.expire(1.0 + PATIENCE.stall_s / 2)
    (probe,) = first.fragments_to_send(1.0 + PATIENCE.stall_s / 2)
    assert receiving(probe, stream=second) is FragmentFault.GAP


def test_a_lost_acknowledgement_is_asked_for_again() -> None:
    first, second = met(64, 64)
    first.send(frame(9))
    carry(first, second, 1.0)
    second.expire(1.1)
    assert len(second.fragments_to_send(1.1)) == 1
    first.expire(7.0)
    carry(first, second, 7.0)
    carry(second, first, 7.0)
    assert not first.has_unacknowledged()


def test_a_probe_goes_out_behind_data() -> None:
    first, second = met(64, 64)
    asked_s = first.deadline()
    assert asked_s is not None
    first.expire(asked_s)
    first.send(frame(9))
    fragments = first.fragments_to_send(asked_s)
    assert fragments[1:] == [control(2, ack=1, probe=True)]
    assert take(second, fragments, asked_s) == [frame(9)]
    carry(second, first, asked_s)
    assert not first.has_unacknowledged()


def test_impatience_is_the_callers_choice() -> None:
    stream = end(patience=Patience(stall_s=1.0))
    stream.send(frame(9))
    stream.fragments_to_send(0.0)
    with pytest.raises(PeerTimedOut, match="1 s"):
        stream.expire(1.0)


def test_a_stream_that_failed_does_not_even_acknowledge() -> None:
    stream = end()
    stream.receive(control(0, probe=True), 0.0)
    with pytest.raises(FragmentRefused):
        stream.receive(b"", 0.0)
    assert stream.fragments_to_send(0.0) == []
