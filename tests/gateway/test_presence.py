"""Presence as a subscriber sees it: what holds, and what is no presence at all."""

from __future__ import annotations

import json

import pytest

from blechannel_gateway.courier import Letter
from blechannel_gateway.presence import GatewayPresence, Link, Roster, WatchState
from blechannel_gateway.topics import Topics

TOPICS = Topics("home")
WATCH, RUN, LATER = "ab" * 16, "1" * 16, "2" * 16


def _state(link: Link = Link.CONNECTED, run: str = RUN) -> Letter:
    return WatchState(link, "hall", run, 1).letter(TOPICS, WATCH)


def _gateway(*, online: bool, run: str = RUN) -> Letter:
    return GatewayPresence(online, run).letter(TOPICS, "hall")


def test_a_watch_is_there_while_its_gateways_run_is() -> None:
    roster = Roster(TOPICS)
    for letter, there in (
        (_state(), False),
        (_gateway(online=True), True),
        (_state(Link.WAITING), False),
        (_state(), True),
        (_gateway(online=False), False),
        (_gateway(online=True, run=LATER), False),
        (_state(run=LATER), True),
    ):
        assert letter.retain
        assert roster.heard(letter)
        assert roster.is_connected(WATCH) is there
    assert not roster.is_connected("cd" * 16)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[1]",
        b"\xff",
        b"[" * 2000,
        b'{"link": "connected"}',
        b'{"link": "flying", "gateway": "hall", "run": "1111111111111111", "since_s": 1}',
        b'{"link": ["connected"], "gateway": "hall", "run": "1111111111111111", "since_s": 1}',
        b'{"link": "connected", "gateway": 7, "run": "1111111111111111", "since_s": 1}',
        b'{"link": "connected", "gateway": "hall", "run": "x", "since_s": 1}',
        b'{"link": "connected", "gateway": "hall", "run": "1111111111111111", "since_s": "now"}',
        b'{"online": 1, "run": "1111111111111111"}',
        json.dumps({"online": True, "run": "1" * 16, "padding": " " * 2000}).encode(),
    ],
)
def test_what_is_no_presence(payload: bytes) -> None:
    roster = Roster(TOPICS)
    for topic in (TOPICS.state(WATCH), TOPICS.presence("hall"), "elsewhere"):
        assert not roster.heard(Letter(topic, payload))
