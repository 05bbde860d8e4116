"""Handshakes that give somebody back what he said; and honest ones, of every method, of which nothing is said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from blechannel.config import Policy
from blechannel.methods import Method
from blechannel.roles import Role
from blechannel.wire.frames import (
    Nonce,
    Pair1,
    Pair2,
    PairAnswer,
    PairShare,
    Reconnect1,
    Reconnect2,
    decode_frame,
    encode_frame,
)
from blechannel_capture.channel.events import ChannelEnded, ChannelFrame, Ending
from blechannel_capture.events import Connection, Event, Verdict
from blechannel_capture.findings import Certainty, Finding, Kind
from blechannel_capture.findings.handshakes import Handshakes
from tests.attacks.mallory import Heard
from tests.capture.channel_traffic import CapturedWorld, honest_life
from tests.capture.findings.test_attacks import bonded, found

LINK = Connection(1, 0x40)
SHARE = bytes(range(32))


@pytest.mark.parametrize("policy", [Policy(), Policy(hybrid=False)], ids=["hybrid", "classical"])
@pytest.mark.parametrize("method", Method)
def test_an_honest_session_that_ends_properly_gives_no_finding(method: Method, policy: Policy) -> None:
    world = honest_life(method, world=CapturedWorld(f"quiet {method.name}", method=method, policy=policy))
    for role in Role:
        for with_keys in (True, False):
            findings = world.heard_by(role, with_keys=with_keys).findings
            assert [each for each in findings if each.connection != 1] == []
            assert {each.kind for each in findings} <= {Kind.CUT_OFF}, "the pairing was not closed"


def test_the_phones_own_ephemeral_key_in_a_reconnect() -> None:
    world = bonded()
    own: list[bytes] = []

    def reflect(sender: Role, number: int, frame: bytes) -> Heard:
        said = decode_frame(frame) if number in (1, 2) else None
        if isinstance(said, Reconnect1):
            own.append(said.noise[:32])
        elif isinstance(said, Reconnect2):
            frame = encode_frame(replace(said, noise=own[0] + said.noise[32:]))
        return [(sender.peer, frame)]

    world.meet(*world.reconnecting(), reflect)
    for with_keys in (True, False):
        [finding] = found(world.heard_by(Role.PHONE, with_keys=with_keys), Kind.REFLECTION)
        assert finding.certainty is Certainty.CERTAIN
        assert finding.connection == 2


def frame(said: object, **fields: Any) -> ChannelFrame:
    made = ChannelFrame(1, 0, LINK, Role.WATCH, 1, 99, None, Verdict.OK)
    named: dict[str, Any] = {"body" if isinstance(said, Nonce) else "frame": said}
    return replace(made, **named, **fields)


def of(watcher: Handshakes, *events: Event) -> list[Finding]:
    return [finding for event in events for finding in watcher.look(event)]


def test_what_ended_is_not_compared_with_what_comes_later() -> None:
    first, answer = frame(Pair1(b"", SHARE)), frame(Pair2(SHARE))
    over = ChannelEnded(1, 0, LINK, Ending.CUT_OFF)
    assert [each.kind for each in of(Handshakes(), first, answer)] == [Kind.REFLECTION]
    assert of(Handshakes(), first, over, answer) == []
    assert of(Handshakes(), answer, frame(Nonce(SHARE, b""))) == []


@pytest.mark.parametrize("payload", [PairShare(bytes(32), b""), PairAnswer(bytes(32), bytes(32), b"")])
def test_shares_of_zeros_are_what_the_other_methods_send(payload: PairShare | PairAnswer) -> None:
    watcher = Handshakes()
    assert of(watcher, frame(Pair1(b"", SHARE)), frame(Pair2(bytes(32)), payload=payload)) == []
    assert list(watcher.end()) == []
