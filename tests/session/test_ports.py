"""Ports: who may send how much, that nobody waits for ever, and what a hostile peer may not do."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import settings as tried
from hypothesis import strategies as st

from blechannel.errors import LocalProtocolError, UnexpectedFrame
from blechannel.limits import MAX_FRAME_BYTES, MAX_PORT_NAME_BYTES, MAX_PORTS, PORT_WINDOW_BYTES
from blechannel.session.ports import MESSAGE_OVERHEAD_BYTES, Ports

OVERHEAD = MESSAGE_OVERHEAD_BYTES
FULL = PORT_WINDOW_BYTES - OVERHEAD
"""The message that takes all of a port's credit."""


def taken(ports: Ports, number: int, message_bytes: int) -> int:
    """A message of that length was taken: the credit to grant now."""
    return ports.give_back(number, message_bytes + OVERHEAD)


def reader(*names: str) -> Ports:
    """A side whose peer has opened these ports, numbered from 0."""
    ports = Ports()
    for number, name in enumerate(names):
        ports.opened(number, name)
    return ports


# --- this side writes -------------------------------------------------------------------------------------------


def test_numbers_count_from_zero_and_are_never_used_again() -> None:
    ports = Ports()
    assert [ports.open("a"), ports.open("b")] == [0, 1]
    ports.shut(0)
    assert ports.open("a") == 2


@pytest.mark.parametrize("name", ["", "n" * (MAX_PORT_NAME_BYTES + 1), "é" * MAX_PORT_NAME_BYTES, "\ud800"])
def test_a_name_that_cannot_travel_is_refused(name: str) -> None:
    ports = Ports()
    with pytest.raises(LocalProtocolError, match="1 to 32 bytes"):
        ports.open(name)
    assert ports.open("n" * MAX_PORT_NAME_BYTES) == 0


def test_a_name_is_open_once() -> None:
    ports = Ports()
    ports.open("echo")
    with pytest.raises(LocalProtocolError, match="open already"):
        ports.open("echo")
    assert ports.open("other") == 1


def test_there_are_so_many_ports_and_no_more() -> None:
    ports = Ports()
    for number in range(MAX_PORTS):
        ports.open(str(number))
    with pytest.raises(LocalProtocolError, match="no port is left"):
        ports.open("one more")
    ports.shut(3)
    assert ports.open("one more") == MAX_PORTS


def test_numbers_end_rather_than_start_again() -> None:
    ports = Ports()
    for number in range(1 << 16):
        assert ports.open("again") == number
        ports.shut(number)
    with pytest.raises(LocalProtocolError, match="no port is left"):
        ports.open("again")


@pytest.mark.parametrize(
    "use",
    [lambda ports: ports.charge(0, 1), lambda ports: ports.shut(0)],
    ids=["charge", "shut"],
)
@pytest.mark.parametrize("used_bytes", [None, 0, 5], ids=["never opened", "shut unused", "shut"])
def test_a_port_that_is_not_open_is_refused(use: Callable[[Ports], object], used_bytes: int | None) -> None:
    ports = Ports()
    if used_bytes is not None:
        ports.open("echo")
        if used_bytes:
            ports.charge(0, used_bytes)
        ports.shut(0)
    with pytest.raises(LocalProtocolError, match="not open"):
        use(ports)


def has_room(ports: Ports, number: int, message_bytes: int) -> bool:
    """Whether a message of that length would be covered now."""
    return copy.deepcopy(ports).charge(number, message_bytes)


def test_credit_covers_the_message_and_its_overhead() -> None:
    ports = Ports()
    ports.open("echo")
    assert has_room(ports, 0, FULL)
    assert not has_room(ports, 0, FULL + 1)
    assert ports.charge(0, FULL)
    assert not ports.charge(0, 0)


def test_one_port_s_credit_is_not_another_s() -> None:
    ports = Ports()
    slow, quick = ports.open("slow"), ports.open("quick")
    ports.charge(slow, FULL)
    assert not has_room(ports, slow, 0)
    assert has_room(ports, quick, FULL)


def test_empty_messages_are_bounded_too() -> None:
    ports, peer = Ports(), reader("echo")
    ports.open("echo")
    sent = 0
    while ports.charge(0, 0):
        peer.arrived(0, 0)
        sent += 1
    assert sent == PORT_WINDOW_BYTES // OVERHEAD
    with pytest.raises(UnexpectedFrame, match="credit"):
        peer.arrived(0, 0)


def test_credit_is_room_again() -> None:
    ports = Ports()
    ports.open("echo")
    ports.charge(0, FULL)
    assert ports.granted(0, 100 + OVERHEAD)
    assert has_room(ports, 0, 100)
    assert not has_room(ports, 0, 101)


@pytest.mark.parametrize(("used", "credit"), [(0, 1), (100, 117), (FULL, PORT_WINDOW_BYTES + 1), (0, 2**32 - 1)])
@pytest.mark.parametrize("shut", [False, True])
def test_more_credit_than_was_used_is_refused(used: int, credit: int, shut: bool) -> None:
    ports = Ports()
    ports.open("echo")
    if used:
        ports.charge(0, used)
    if shut:
        ports.shut(0)
    with pytest.raises(UnexpectedFrame, match="more credit than was used"):
        ports.granted(0, credit)


def test_credit_for_a_port_that_never_was_is_refused() -> None:
    ports = Ports()
    ports.open("echo")
    with pytest.raises(UnexpectedFrame, match="never opened"):
        ports.granted(1, 1)


def test_late_credit_for_a_shut_port_is_harmless() -> None:
    ports = Ports()
    ports.open("echo")
    ports.charge(0, 100)
    ports.charge(0, 200)
    ports.shut(0)
    assert not ports.granted(0, 100 + OVERHEAD)
    assert not ports.granted(0, 200 + OVERHEAD)
    assert not ports.granted(0, 0)


def test_a_denied_port_of_ours_is_to_be_shut_once() -> None:
    ports = Ports()
    port = ports.open("secret")
    assert ports.written() == {port: "secret"}
    assert ports.denied(port)
    ports.shut(port)
    assert not ports.denied(port)
    assert ports.written() == {}


def test_a_denial_of_what_was_never_opened_is_refused() -> None:
    with pytest.raises(UnexpectedFrame, match="never opened"):
        Ports().denied(0)


# --- the peer writes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [1, 2, 65535])
def test_a_port_out_of_turn_is_refused(number: int) -> None:
    with pytest.raises(UnexpectedFrame, match="out of turn"):
        Ports().opened(number, "echo")


def test_a_number_is_not_opened_again() -> None:
    ports = reader("echo")
    ports.ended(0)
    with pytest.raises(UnexpectedFrame, match="out of turn"):
        ports.opened(0, "echo")


def test_a_port_without_a_name_is_refused() -> None:
    with pytest.raises(UnexpectedFrame, match="without a name"):
        Ports().opened(0, "")


def test_a_name_opened_twice_is_refused_until_it_is_shut() -> None:
    ports = reader("echo")
    with pytest.raises(UnexpectedFrame, match="twice"):
        ports.opened(1, "echo")
    ports.arrived(0, 5)
    ports.ended(0)
    ports.opened(1, "echo")


def test_too_many_ports_are_refused() -> None:
    ports = reader(*map(str, range(MAX_PORTS)))
    with pytest.raises(UnexpectedFrame, match="too many"):
        ports.opened(MAX_PORTS, "one more")


@pytest.mark.parametrize("shut", [False, True], ids=["never opened", "shut"])
def test_a_message_to_a_port_that_is_not_open_is_refused(shut: bool) -> None:
    ports = reader("echo") if shut else Ports()
    if shut:
        ports.arrived(0, 1)
        ports.ended(0)
    with pytest.raises(UnexpectedFrame, match="not open"):
        ports.arrived(0, 1)


def test_a_message_beyond_the_credit_is_refused() -> None:
    ports = reader("echo")
    ports.arrived(0, FULL)
    with pytest.raises(UnexpectedFrame, match="credit"):
        ports.arrived(0, 0)


@pytest.mark.parametrize("unread", [False, True])
def test_a_port_is_shut_once(unread: bool) -> None:
    ports = reader("echo")
    if unread:
        ports.arrived(0, 1)
    ports.ended(0)
    with pytest.raises(UnexpectedFrame, match="shut that is not open"):
        ports.ended(0)


def test_a_port_that_never_was_is_not_shut() -> None:
    with pytest.raises(UnexpectedFrame, match="shut that is not open"):
        Ports().ended(0)


def test_credit_is_granted_in_large_portions() -> None:
    ports = reader("echo")
    half = PORT_WINDOW_BYTES // 2 - OVERHEAD
    ports.arrived(0, half - 1)
    ports.arrived(0, 0)
    assert taken(ports, 0, half - 1) == 0
    assert taken(ports, 0, 0) == PORT_WINDOW_BYTES // 2 - 1 + OVERHEAD
    ports.arrived(0, FULL)


def test_what_was_sent_before_shutting_is_read_and_then_granted_to_the_last_byte() -> None:
    ports = reader("echo")
    ports.arrived(0, 10)
    ports.arrived(0, 20)
    assert taken(ports, 0, 10) == 0
    assert ports.ended(0) == 0
    assert taken(ports, 0, 20) == 30 + 2 * OVERHEAD
    with pytest.raises(LocalProtocolError, match="unread"):
        taken(ports, 0, 0)


def test_shutting_a_port_that_was_read_grants_the_rest_at_once() -> None:
    ports = reader("echo")
    ports.arrived(0, 10)
    assert taken(ports, 0, 10) == 0
    assert ports.ended(0) == 10 + OVERHEAD


def test_a_message_is_taken_once() -> None:
    ports = reader("echo")
    ports.arrived(0, 10)
    with pytest.raises(LocalProtocolError, match="unread"):
        taken(ports, 0, 11)
    assert taken(ports, 0, 10) == 0
    for number in (0, 1):
        with pytest.raises(LocalProtocolError, match="unread"):
            taken(ports, number, 0)


# --- both, joined -----------------------------------------------------------------------------------------------


def test_shut_ports_that_nobody_reads_stay_bounded() -> None:
    """An honest writer never runs into "too many ports", and a reader never holds more than it said."""
    writing, reading = Ports(), Ports()
    for number in range(MAX_PORTS):
        reading.opened(writing.open("one after another"), "one after another")
        writing.charge(number, FULL)
        reading.arrived(number, FULL)
        writing.shut(number)
        assert reading.ended(number) == 0
    with pytest.raises(LocalProtocolError, match="no port is left"):
        writing.open("one after another")
    assert not writing.granted(5, taken(reading, 5, FULL))
    reading.opened(writing.open("one after another"), "one after another")


class Joined:
    """A writer and a reader, with everything between them in order and under way."""

    def __init__(self) -> None:
        self.writing, self.reading = Ports(), Ports()
        self.there: deque[Callable[[], None]] = deque()
        self.back: deque[Callable[[], None]] = deque()
        self.unread: dict[int, deque[int]] = {}
        self.open: list[int] = []
        self.used: list[int] = []

    def do_open(self, name: str) -> None:
        try:
            number = self.writing.open(name)
        except LocalProtocolError:
            return
        self.used.append(number)
        self.open.append(number)
        self.there.append(lambda: self._opened(number, name))

    def do_send(self, which: int, message_bytes: int) -> None:
        if not self.open:
            return
        number = self.open[which % len(self.open)]
        if self.writing.charge(number, message_bytes):
            self.there.append(lambda: self._arrived(number, message_bytes))

    def do_shut(self, which: int) -> None:
        if self.open:
            number = self.open.pop(which % len(self.open))
            self.writing.shut(number)
            self.there.append(lambda: self._credit(number, self.reading.ended(number)))

    def do_read(self, which: int) -> None:
        full = [number for number, messages in self.unread.items() if messages]
        if full:
            number = full[which % len(full)]
            self._credit(number, taken(self.reading, number, self.unread[number].popleft()))
        self.check()

    def carry(self, count: int) -> None:
        for way in (self.there, self.back):
            for _ in range(min(count, len(way))):
                way.popleft()()
        self.check()

    def settle(self) -> None:
        while self.there or self.back or any(self.unread.values()):
            self.carry(1 << 16)
            self.do_read(0)

    def check(self) -> None:
        for messages in self.unread.values():
            assert sum(messages) + OVERHEAD * len(messages) <= PORT_WINDOW_BYTES
        assert sum(map(bool, self.unread.values())) <= MAX_PORTS

    def _opened(self, number: int, name: str) -> None:
        self.reading.opened(number, name)
        self.unread[number] = deque()

    def _arrived(self, number: int, message_bytes: int) -> None:
        self.reading.arrived(number, message_bytes)
        self.unread[number].append(message_bytes)

    def _credit(self, number: int, credit_bytes: int) -> None:
        if credit_bytes:
            self.back.append(lambda: self._granted(number, credit_bytes))

    def _granted(self, number: int, credit_bytes: int) -> None:
        assert self.writing.granted(number, credit_bytes) == (number in self.open)


_which = st.integers(0, 7)
_steps = st.one_of(
    st.tuples(st.just("do_open"), st.sampled_from(["a", "b", "c", "d"])),
    st.tuples(st.just("do_send"), _which, st.sampled_from([0, 1, 244, MAX_FRAME_BYTES, FULL])),
    st.tuples(st.just("do_shut"), _which),
    st.tuples(st.just("do_read"), _which),
    st.tuples(st.just("carry"), st.integers(1, 5)),
)


@tried(max_examples=300, deadline=None)
@given(steps=st.lists(_steps, max_size=80))
def test_two_sides_never_disagree_and_never_wait_for_ever(steps: list[tuple[str, ...]]) -> None:
    joined = Joined()
    for step, *arguments in steps:
        getattr(joined, step)(*arguments)
    assert joined.used == list(range(len(joined.used)))

    joined.settle()
    for number in joined.open:
        assert has_room(joined.writing, number, MAX_FRAME_BYTES)
    for _ in range(len(joined.open)):
        joined.do_shut(0)
    joined.settle()
    for number in range(MAX_PORTS):
        joined.do_open(f"room for all {number}")
    assert len(joined.open) == MAX_PORTS
    joined.settle()


def test_a_long_stream_is_never_held_up() -> None:
    joined = Joined()
    joined.do_open("stream")
    sent = 0
    for _ in range(400):
        if has_room(joined.writing, 0, 1000):
            joined.do_send(0, 1000)
            sent += 1
        joined.carry(1)
        joined.do_read(0)
    assert sent == 400


# --- denied -----------------------------------------------------------------------------------------------------


def test_what_comes_on_a_denied_port_is_dropped_within_its_credit() -> None:
    ports = reader("secret", "echo")
    assert ports.arrived(0, 0)
    ports.deny(0)
    assert ports.read() == {1: "echo"}
    assert not ports.arrived(0, FULL - OVERHEAD)
    with pytest.raises(UnexpectedFrame, match="credit"):
        ports.arrived(0, 0)


def test_a_denied_port_gives_back_all_of_its_credit_when_it_is_shut_and_not_before() -> None:
    ports = reader("secret")
    ports.deny(0)
    ports.arrived(0, FULL)
    assert ports.ended(0) == PORT_WINDOW_BYTES
    with pytest.raises(UnexpectedFrame, match="not open"):
        ports.ended(0)
    ports.opened(1, "secret")


def test_nothing_is_unread_on_a_denied_port() -> None:
    ports = reader("secret")
    ports.arrived(0, 5)
    ports.deny(0)
    with pytest.raises(LocalProtocolError, match="no such message"):
        taken(ports, 0, 5)
    assert ports.ended(0) == 5 + OVERHEAD


def test_denied_ports_count_until_they_are_shut() -> None:
    ports = reader(*(str(number) for number in range(MAX_PORTS)))
    for number in range(MAX_PORTS):
        ports.deny(number)
    with pytest.raises(UnexpectedFrame, match="too many"):
        ports.opened(MAX_PORTS, "one more")
