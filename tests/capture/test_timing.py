"""Round trips, intervals, goodput: of traffic whose times are known."""

from __future__ import annotations

import pytest

from blechannel.roles import Role
from blechannel_capture import att
from blechannel_capture.events import AttPdu, Connection, Side
from blechannel_capture.timing import LinkTiming, Stretch, Timing
from tests.capture.channel_traffic import CapturedWorld, honest_life
from tests.capture.traffic import STEP_NS

LINK = Connection(1, 0x40)


def timed(*pdus: tuple[int, Side, int, int]) -> LinkTiming:
    """Of (milliseconds, sender, opcode, bytes)."""
    timing = Timing()
    for number, (when_ms, sender, opcode, size) in enumerate(pdus, 1):
        timing.look(AttPdu(number, when_ms * 1_000_000, LINK, sender, opcode, 0x21, bytes(size)))
    [link] = timing.links.values()
    return link


def test_requests_and_their_answers() -> None:
    link = timed(
        (0, Side.CENTRAL, att.READ_REQUEST, 0),
        (1, Side.PERIPHERAL, att.NOTIFICATION, 4),
        (30, Side.PERIPHERAL, att.READ_RESPONSE, 4),
        (40, Side.CENTRAL, att.WRITE_REQUEST, 9),
        (95, Side.PERIPHERAL, att.ERROR_RESPONSE, 4),
        (100, Side.PERIPHERAL, att.INDICATION, 2),
        (107, Side.CENTRAL, att.CONFIRMATION, 0),
        (110, Side.PERIPHERAL, att.WRITE_RESPONSE, 0),
    )
    assert list(link.att_round_trips_ns) == [30_000_000, 55_000_000, 7_000_000]


def test_without_directions_answers_are_still_found() -> None:
    link = timed((0, Side.UNKNOWN, att.READ_REQUEST, 0), (12, Side.UNKNOWN, att.READ_RESPONSE, 4))
    assert list(link.att_round_trips_ns) == [12_000_000]


def test_what_went_each_way() -> None:
    link = timed(
        (0, Side.CENTRAL, att.WRITE_COMMAND, 100),
        (500, Side.CENTRAL, att.WRITE_COMMAND, 100),
        (1000, Side.CENTRAL, att.WRITE_COMMAND, 300),
        (1000, Side.PERIPHERAL, att.NOTIFICATION, 7),
    )
    assert (link.values[Side.CENTRAL].count, link.values[Side.CENTRAL].bytes) == (3, 500)
    assert link.values[Side.CENTRAL].bytes_per_s == pytest.approx(500)
    assert link.values[Side.PERIPHERAL].bytes_per_s == 0.0
    assert Stretch().bytes_per_s == 0.0


def test_the_interval_is_the_smallest_step() -> None:
    steps = [30, 60, 30, 31, 29, 90, 30, 30, 300, 30, 1, 30]
    now, pdus = 0, []
    for step in steps:
        now += step
        pdus.append((now, Side.CENTRAL, att.WRITE_COMMAND, 1))
    link = timed(*pdus)
    assert link.observed_interval_ms == pytest.approx(30, abs=1)
    assert timed(*pdus[:5]).observed_interval_ms is None


def test_a_session_s_handshakes_and_messages() -> None:
    heard = honest_life(world=CapturedWorld("times")).heard_by(Role.PHONE)
    timing = Timing()
    for event in heard.events:
        timing.look(event)
    pairing, reconnect = timing.links.values()
    assert (pairing.handshake_round_trips, reconnect.handshake_round_trips) == (1, 1)
    assert pairing.handshake_ns is not None
    assert pairing.handshake_ns >= 3 * STEP_NS
    assert reconnect.handshake_ns is not None
    assert reconnect.handshake_ns < pairing.handshake_ns
    assert reconnect.messages[Role.PHONE].bytes == len(b"hello") + 2000 + len(b"bye")
    assert reconnect.messages[Role.WATCH].count == 0
