"""Captures with holes: what is missing is said, nobody is accused, and what is there is read as far as can be."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import pytest

from blechannel.roles import Role
from blechannel_capture.channel import opening
from blechannel_capture.channel.events import ChannelEnded, ChannelFrame, Ending, OddFragment
from blechannel_capture.channel.joining import Oddity
from blechannel_capture.channel.key_log import KeyLog
from blechannel_capture.events import Verdict
from blechannel_capture.findings import Certainty, Kind, Level
from tests.capture.channel_traffic import CapturedWorld, honest_life
from tests.capture.reading import Heard, hear
from tests.capture.writing import HCI_FILES, HciSaid
from tests.session.sides import join


@cache
def life(fragment_bytes: int = 244) -> tuple[list[HciSaid], KeyLog]:
    """An honest life whose fragments are that long, as the watch's host saw it."""
    world = CapturedWorld("holes")
    world.fragment_bytes = fragment_bytes
    honest_life(world=world)
    return world.taps[Role.WATCH].said, world.key_log(Role.WATCH)


def read(said: list[HciSaid], *, with_keys: bool = True) -> Heard:
    return hear(HCI_FILES["btsnoop H4"](said), key_log=life()[1] if with_keys else None)


def accusations(heard: Heard) -> list[str]:
    """What is said for certain to be an attack."""
    certain = (each for each in heard.findings if each.certainty is Certainty.CERTAIN)
    return [str(each) for each in certain if each.level is Level.ATTACK]


@pytest.mark.parametrize("with_keys", [True, False])
def test_whatever_packet_is_missing_nobody_is_accused(with_keys: bool) -> None:
    said, _ = life()
    for lost in range(len(said)):
        heard = read(said[:lost] + said[lost + 1 :], with_keys=with_keys)
        assert accusations(heard) == [], f"packet {lost} is missing"
        assert not any(each.is_unexpected for each in heard.all(ChannelFrame)), f"packet {lost} is missing"
        assert Kind.RECORD_MISSING not in {each.kind for each in heard.findings}, f"packet {lost} is missing"


def test_whatever_piece_is_missing_nobody_is_accused() -> None:
    said, _ = life()
    for start in range(0, len(said) - 5, 2):
        assert accusations(read(said[:start] + said[start + 5 :])) == []


def test_a_hole_in_a_session_that_is_known_is_said() -> None:
    said, _ = life()
    m1 = next(each.packet for each in read(said).all(ChannelFrame) if each.name == "Reconnect1")
    for start in range(m1, len(said) - 6):
        heard = read(said[:start] + said[start + 5 :])
        assert Oddity.LOST in {each.oddity for each in heard.all(OddFragment)}


def test_a_capture_that_starts_or_ends_anywhere_accuses_nobody() -> None:
    said, _ = life()
    for at in range(0, len(said), 2):
        for heard in (read(said[at:]), read(said[:at])):
            assert accusations(heard) == []


def test_a_capture_that_ends_early_is_open() -> None:
    said, _ = life()
    heard = read(said[:-3])
    assert [each.ending for each in heard.all(ChannelEnded)] == [Ending.CUT_OFF, Ending.OPEN]


def test_records_behind_a_hole_are_opened() -> None:
    """With the keys, what comes after is read again as soon as a frame begins."""
    said, _ = life()
    whole = [each.packet for each in read(said).all(ChannelFrame) if each.record is not None]
    lost = whole[-6] - 1
    heard = read(said[:lost] + said[lost + 1 :])
    last = heard.all(ChannelFrame)[-1]
    assert last.verdict is Verdict.OK
    assert last.name == "Close"
    assert Oddity.LOST in {each.oddity for each in heard.all(OddFragment)}
    assert sum(each.skipped for each in heard.all(ChannelFrame)) == 1


def test_a_session_whose_beginning_is_missing_says_so() -> None:
    said, log = life()
    info = next(each.packet for each in read(said).all(ChannelFrame) if each.connection.number == 2)
    heard = hear(HCI_FILES["btsnoop H4"](said[: info - 1] + said[info:]), key_log=log)
    second = [each for each in heard.all(ChannelFrame) if each.connection.number == 2]
    assert all(each.verdict is not Verdict.OK for each in second)


def test_small_fragments_with_holes_accuse_nobody() -> None:
    said, log = life(20)
    for lost in range(3, len(said), 7):
        heard = hear(HCI_FILES["btsnoop H4"](said[:lost] + said[lost + 1 :]), key_log=log)
        assert accusations(heard) == []


def test_packets_keep_their_order() -> None:
    said, _ = life()
    events = read(said).events
    assert all(one.packet <= other.packet for one, other in pairwise(events))


def test_records_behind_too_large_a_hole_are_said_to_be_behind_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has altered them: the number under which they are sealed is not found."""
    monkeypatch.setattr(opening, "SKIPPED", 2)
    world = CapturedWorld("large hole")
    honest_life(world=world)
    phone, watch = world.reconnecting()
    tap = world.taps[Role.PHONE]
    with world.connection(phone, watch):
        join(phone, watch)
        port = phone.session.traffic.open("talk")
        join(phone, watch)
        for number in range(7):
            phone.session.traffic.send(port, bytes([number]) * 40)
        before = len(tap.said)
        burst = phone.said()
        del tap.said[before + 1 : before + 5]
        watch.hear(burst)
    heard = world.heard_by(Role.PHONE)
    last = [each.verdict for each in heard.all(ChannelFrame)][-3:]
    assert last == [Verdict.OK, Verdict.CAPTURE_GAP, Verdict.CAPTURE_GAP]
    assert accusations(heard) == []
