"""What a person may choose, what is refused, and the bounds that both sides share."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blechannel.config import Config, Padding
from blechannel.errors import LocalProtocolError
from blechannel.limits import (
    MAX_FRAGMENT_BYTES,
    MAX_FRAME_BYTES,
    MAX_NAME_BYTES,
    MAX_PORT_NAME_BYTES,
    MAX_WINDOW,
    MIN_FRAGMENT_BYTES,
    MIN_FRAME_BYTES,
    MIN_WINDOW,
    PORT_WINDOW_BYTES,
    Limits,
    is_name,
)
from blechannel.roles import Role


@pytest.mark.parametrize("name", ["W", "n" * MAX_NAME_BYTES, "é" * (MAX_NAME_BYTES // 2)])
def test_a_name_up_to_the_limit_is_taken(name: str) -> None:
    assert Config(name).name == name


@pytest.mark.parametrize("name", ["", "n" * (MAX_NAME_BYTES + 1), "é" * (MAX_NAME_BYTES // 2) + "n", "\ud800"])
def test_a_name_that_cannot_travel_is_refused(name: str) -> None:
    with pytest.raises(LocalProtocolError, match="a name has 1 to 48 bytes of UTF-8"):
        Config(name)


def test_guests_may_use_no_port_unless_one_is_named() -> None:
    assert Config("Watch").guest_ports == frozenset()
    assert Config("Watch", guest_ports=frozenset({"echo"})).guest_ports == {"echo"}


@pytest.mark.parametrize("port", ["", "n" * (MAX_PORT_NAME_BYTES + 1), "\ud800"])
def test_a_port_that_no_guest_could_open_is_refused(port: str) -> None:
    with pytest.raises(LocalProtocolError, match="port name has 1 to 32 bytes"):
        Config("Watch", guest_ports=frozenset({"echo", port}))


@given(name=st.text(), most=st.integers(0, 40))
def test_a_name_is_counted_in_bytes(name: str, most: int) -> None:
    raw = name.encode("utf-8", "ignore")
    assert is_name(name, most) == (0 < len(raw) <= most and raw.decode() == name)


def test_sessions_keep_their_secrets_unless_asked() -> None:
    assert not Config("Watch").key_log


@pytest.mark.parametrize("block_bytes", [0, -1, MAX_FRAME_BYTES + 1])
def test_a_block_outside_its_bounds_is_refused(block_bytes: int) -> None:
    with pytest.raises(LocalProtocolError, match="block_bytes must be 1 to 16384"):
        Padding(block_bytes)


@given(block_bytes=st.integers(1, 300), length_bytes=st.integers(0, 1000), limit_bytes=st.integers(0, 1000))
def test_padding_reaches_the_next_block_or_the_limit(block_bytes: int, length_bytes: int, limit_bytes: int) -> None:
    extra_bytes = Padding(block_bytes).extra_bytes(length_bytes, limit_bytes)
    padded_bytes = length_bytes + extra_bytes
    assert 0 <= extra_bytes < block_bytes
    if length_bytes <= limit_bytes:
        assert padded_bytes <= limit_bytes
        assert padded_bytes % block_bytes == 0 or padded_bytes == limit_bytes
    else:
        assert extra_bytes == 0


@pytest.mark.parametrize("max_frame_bytes", [MIN_FRAME_BYTES - 1, MAX_FRAME_BYTES + 1])
def test_a_frame_limit_outside_its_bounds_is_refused(max_frame_bytes: int) -> None:
    with pytest.raises(LocalProtocolError, match="max_frame_bytes must be 512 to 16384"):
        Limits(max_frame_bytes=max_frame_bytes)


@pytest.mark.parametrize("window", [0, MIN_WINDOW - 1, MAX_WINDOW + 1])
def test_a_window_outside_its_bounds_is_refused(window: int) -> None:
    with pytest.raises(LocalProtocolError, match="window must be 2 to 64"):
        Limits(window=window)


def test_limits_at_their_bounds_are_taken() -> None:
    assert Limits(MIN_FRAME_BYTES, MIN_WINDOW) != Limits(MAX_FRAME_BYTES, MAX_WINDOW)


def test_bounds_that_the_protocol_stands_on() -> None:
    assert MIN_FRAGMENT_BYTES == 23 - 3
    assert MAX_FRAGMENT_BYTES == 512
    # Seven bits of sequence number, half of them in flight.
    assert 2 * MAX_WINDOW == 1 << 7
    # A reader gives credit back in halves: the longest message must fit into what it holds back at most.
    assert PORT_WINDOW_BYTES // 2 > MAX_FRAME_BYTES


def test_roles_are_each_other_s_peer() -> None:
    assert Role.PHONE.peer is Role.WATCH
    assert Role.WATCH.peer is Role.PHONE
    assert Role.PHONE.is_initiator
    assert not Role.WATCH.is_initiator
