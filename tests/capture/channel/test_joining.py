"""Fragments joined by a listener: held to the declaration, to the runtime's own joining, and through losses."""

from __future__ import annotations

from copy import deepcopy

import construct as c
from hypothesis import given, settings
from hypothesis import strategies as st

from blechannel.limits import MAX_FRAGMENT_BYTES, Limits, Patience
from blechannel.wire.fragments import FRAGMENT, FragmentStream
from blechannel.wire.header import pack_header
from blechannel_capture.channel.joining import NUMBERS, Joined, Joiner, Oddity


def frame(size: int, fill: int = 1) -> bytes:
    return pack_header(0x17, size) + bytes([fill]) * size


def fragments(frames: list[bytes], max_fragment_bytes: int) -> list[bytes]:
    """As the runtime cuts them, with the receiver's acknowledgements taken for granted."""
    limits = Limits()
    sender = FragmentStream(max_fragment_bytes=max_fragment_bytes, receive=limits, patience=Patience())
    receiver = FragmentStream(max_fragment_bytes=max_fragment_bytes, receive=limits, patience=Patience())
    for end in (sender, receiver):
        end.peer_limits(window=64, max_frame_bytes=limits.max_frame_bytes)
    for each in frames:
        sender.send(each)
    said: list[bytes] = []
    while burst := sender.fragments_to_send(0.0):
        said += burst
        for fragment in burst:
            receiver.receive(fragment, 0.0)
        for fragment in receiver.fragments_to_send(0.0):
            sender.receive(fragment, 0.0)
    return said


def joined(said: list[bytes]) -> tuple[list[bytes], list[Oddity]]:
    joiner = Joiner()
    heard = [joiner.take(fragment, number) for number, fragment in enumerate(said)]
    return [each.frame for each in heard if each.frame is not None], [odd for each in heard for odd in each.oddities]


class Short:
    """As a listener joins: by the short way where it is open."""

    def __init__(self) -> None:
        self.joiner = Joiner()
        self.short = 0

    def take(self, value: bytes, packet: int) -> Joined:
        frame = self.joiner.whole(value)
        self.short += frame is not None
        return self.joiner.take(value, packet) if frame is None else Joined(frame, packet)


SIZES = st.lists(st.integers(1, 900), min_size=1, max_size=6)


@settings(max_examples=40, deadline=None)
@given(SIZES, st.integers(20, 300))
def test_what_the_runtime_cuts_is_joined(sizes: list[int], max_fragment_bytes: int) -> None:
    frames = [frame(0), *(frame(size, number) for number, size in enumerate(sizes))]
    assert joined(fragments(frames, max_fragment_bytes)) == (frames, [])


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=MAX_FRAGMENT_BYTES + 3) | st.binary(max_size=4))
def test_the_declaration_decides_what_is_a_fragment(value: bytes) -> None:
    joiner = Joiner()
    taken = joiner.take(value, 1)
    try:
        declared = FRAGMENT.parse(value)
    except c.ConstructError:
        assert taken.oddities == (Oddity.NOT_OURS,)
        return
    assert Oddity.NOT_OURS not in taken.oddities
    assert (joiner.control_fragments, joiner.data_fragments) == (declared.header.control, not declared.header.control)
    if declared.header.control:
        assert (taken.frame, taken.oddities) == (None, ())
    elif not declared.header.mark:
        assert taken.oddities == (Oddity.NO_START,)


@settings(max_examples=40, deadline=None)
@given(SIZES, st.data())
def test_a_missing_fragment_costs_its_frame_and_no_other(sizes: list[int], data: st.DataObject) -> None:
    frames = [frame(size, number) for number, size in enumerate(sizes)]
    said = fragments(frames, 100)
    lost = data.draw(st.integers(0, len(said) - 1))
    found, oddities = joined(said[:lost] + said[lost + 1 :])
    assert len(found) == len(frames) - 1
    assert [each for each in frames if each in found] == found
    is_inside = 0 < lost < len(said) - 1
    assert (Oddity.LOST in oddities) == is_inside
    assert Oddity.UNFINISHED not in oddities, "what was begun is given up, and said to be lost"


@settings(max_examples=40, deadline=None)
@given(SIZES, st.data())
def test_a_repeated_fragment_is_told_and_changes_nothing(sizes: list[int], data: st.DataObject) -> None:
    frames = [frame(size, number) for number, size in enumerate(sizes)]
    said = fragments(frames, 100)
    at = data.draw(st.integers(0, len(said) - 1))
    found, oddities = joined([*said[: at + 1], said[at], *said[at + 1 :]])
    assert found == frames
    assert oddities == [Oddity.REPEATED]


def data(number: int, content: bytes, *, starts: bool = False) -> bytes:
    return bytes([number | (0x80 if starts else 0), 0]) + content


def test_a_frame_that_begins_too_early_and_one_that_says_less_than_it_has() -> None:
    joiner = Joiner()
    begun = joiner.take(data(0, frame(9)[:5], starts=True), 1)
    assert (begun.frame, begun.oddities) == (None, ())
    early = joiner.take(data(1, frame(2), starts=True), 2)
    assert (early.frame, early.began, early.oddities) == (frame(2), 2, (Oddity.UNFINISHED,))
    lies = joiner.take(data(2, frame(2) + b"more", starts=True), 3)
    assert (lies.frame, lies.oddities) == (None, (Oddity.LENGTH_LIES,))
    after = joiner.take(data(3, b"rest"), 4)
    assert after.oddities == (Oddity.NO_START,)


def test_how_many_are_missing_is_counted_up_to_the_numbers_there_are() -> None:
    for missing in (0, 1, 63, 100, 127):
        joiner = Joiner()
        joiner.take(data(5, frame(1), starts=True), 1)
        following = joiner.take(data((6 + missing) % NUMBERS, frame(2), starts=True), 2)
        assert following.missing == missing
        assert following.oddities == ((Oddity.LOST,) if missing else ())
        assert following.frame == frame(2)


def test_what_the_other_side_acknowledges_was_there() -> None:
    joiner = Joiner()
    assert joiner.acknowledged(b"\x80\x02x") == 2, "from the beginning on"
    joiner.take(data(2, frame(9)[:5], starts=True), 1)
    assert joiner.acknowledged(b"\x80\x02x") == 0, "an old one"
    assert joiner.acknowledged(b"\x80\x03x") == 0
    assert joiner.acknowledged(b"\x80\x05x") == 2
    assert joiner.take(data(5, frame(1), starts=True), 2).oddities == (), "the hole was said already"


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(0, 60), min_size=1, max_size=6), st.integers(20, 80), st.data())
def test_the_short_way_joins_as_the_long_one(sizes: list[int], max_fragment_bytes: int, data: st.DataObject) -> None:
    said = fragments([frame(size, number) for number, size in enumerate(sizes)], max_fragment_bytes)
    strange = st.binary(max_size=8) | st.sampled_from(said) | st.just(bytes(MAX_FRAGMENT_BYTES + 1))
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, len(said)))
        said[at:at] = [data.draw(strange)] if data.draw(st.booleans()) else []
        del said[at : at + data.draw(st.integers(0, 2))]
    short, long = Short(), Joiner()
    for packet, value in enumerate(said):
        assert short.take(value, packet) == long.take(value, packet)
        assert vars(short.joiner) == vars(long) | {"_began": short.joiner._began}


def test_the_short_way_is_open_to_every_frame_in_one_fragment_but_the_first_heard() -> None:
    short, long = Short(), Joiner()
    for at in range(2 * NUMBERS):
        value = data(at % NUMBERS, frame(9, at % 256), starts=True)
        assert short.take(value, at) == long.take(value, at)
        assert vars(short.joiner) == vars(long) | {"_began": 0}
    assert short.short == 2 * NUMBERS - 1


def test_the_short_way_leaves_what_is_no_whole_fragment_alone() -> None:
    longest = frame(MAX_FRAGMENT_BYTES - 5)
    for value in (
        data(3, longest + b"x", starts=True),  # longer than any fragment
        data(3, frame(MAX_FRAGMENT_BYTES - 4), starts=True),
        data(4, longest, starts=True),
        data(3, longest),
        data(3, longest[:-1], starts=True),
        b"\x83\x80" + longest,
        b"\x83\x00",
        b"",
    ):
        joiner = Joiner()
        joiner.take(data(2, frame(1), starts=True), 1)
        before = deepcopy(vars(joiner))
        assert joiner.whole(value) is None
        assert vars(joiner) == before
        assert joiner.whole(data(3, longest, starts=True)) == longest


def test_the_short_way_is_closed_while_a_frame_is_unfinished() -> None:
    joiner = Joiner()
    joiner.take(data(0, frame(9)[:5], starts=True), 1)
    assert joiner.whole(data(1, frame(2), starts=True)) is None
