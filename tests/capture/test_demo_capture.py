"""The demo's own captures: two virtual hosts with a real GATT discovery, read with the keys of both."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from blechannel.gatt import INBOX_UUID, OUTBOX_UUID, SERVICE_UUID
from blechannel.roles import Role
from blechannel.wire.frames import Data
from blechannel_capture.capture import Capture, open_capture
from blechannel_capture.channel.events import ChannelEnded, ChannelFrame, Ending, HandshakeVerified
from blechannel_capture.channel.key_log import load_key_log
from blechannel_capture.comparing import compare
from blechannel_capture.events import AttPdu, Connected, Disconnected, Side, Verdict
from blechannel_capture.findings import Level
from blechannel_capture.gatt_map import Confidence
from blechannel_capture.ledger import Damage
from blechannel_capture.timing import Timing
from blechannel_tools.demo import TRANSFER_BYTES, run_demo
from tests.capture.reading import Heard, drain


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What one run of the demo has written."""
    out = tmp_path_factory.mktemp("demo")
    asyncio.run(run_demo(out, say=lambda _: None, progress=lambda _done, _size: None))
    return out


@pytest.fixture(scope="module")
def heard(folder: Path) -> dict[Role, Heard]:
    """Both captures, read with the key log."""
    found = {}
    for role in Role:
        with open_capture(folder / f"{role.value}.btsnoop", key_log=load_key_log(folder / "keys.log")) as capture:
            found[role] = drain(capture)
    return found


def test_every_handshake_is_verified_and_every_record_opened(heard: dict[Role, Heard]) -> None:
    for capture in heard.values():
        verdicts = Counter(each.verdict for each in capture.all(ChannelFrame))
        # The wrong code: the phone alone has logged it, and its last message fits no other side's secrets.
        assert set(verdicts) <= {Verdict.OK, Verdict.WRONG_KEY}
        assert verdicts[Verdict.WRONG_KEY] <= 1
        assert len(capture.all(HandshakeVerified)) >= 5
        # A link that is lost is lost in the middle of something.
        assert set(capture.damage()) <= {Damage.UNFINISHED}


def test_the_transfer_is_in_the_capture(heard: dict[Role, Heard]) -> None:
    for capture in heard.values():
        bodies = [each.body for each in capture.all(ChannelFrame)]
        assert sum(len(body.message) for body in bodies if isinstance(body, Data)) > TRANSFER_BYTES


def test_an_honest_run_is_no_attack(heard: dict[Role, Heard]) -> None:
    for capture in heard.values():
        assert [str(each) for each in capture.findings if each.level is Level.ATTACK] == []


def test_discovery_has_given_the_handles(heard: dict[Role, Heard]) -> None:
    for capture in heard.values():
        [first, *_] = capture.all(Connected)
        gatt = capture.capture.gatt(first.connection)
        ours = {each.uuid: each for each in gatt.attributes.values() if each.service == SERVICE_UUID}
        assert {INBOX_UUID, OUTBOX_UUID} <= set(ours)
        assert ours[OUTBOX_UUID].confidence is Confidence.DISCOVERED


def test_each_side_knows_which_it_is(heard: dict[Role, Heard]) -> None:
    for role, local in ((Role.PHONE, Side.CENTRAL), (Role.WATCH, Side.PERIPHERAL)):
        connections = [each.connection for each in heard[role].all(Connected)]
        assert {each.local for each in connections} == {local}
        assert all(each.interval_us for each in connections)
        assert len(heard[role].all(Disconnected)) == len(connections)


def test_sessions_end_as_they_did(heard: dict[Role, Heard]) -> None:
    endings = {role: Counter(each.ending for each in capture.all(ChannelEnded)) for role, capture in heard.items()}
    assert endings[Role.PHONE] == endings[Role.WATCH]
    assert endings[Role.PHONE][Ending.CLOSED] >= 2
    assert endings[Role.PHONE][Ending.REFUSED] == 1, "the wrong code"
    assert endings[Role.PHONE][Ending.CUT_OFF] >= 1, "the link that was lost"


def test_both_captures_tell_one_story(heard: dict[Role, Heard]) -> None:
    phone, watch = (heard[role].all(AttPdu) for role in Role)
    compared = compare(phone, watch)
    assert compared.common > 100
    heard_only = [text for _, text in compared.only_second if "→" in text]
    assert heard_only == [], "the watch heard nothing that was not said"
    assert 0 < len(compared.only_first) < compared.common // 4, "what was on its way when the link was lost"
    assert abs(compared.offset_ns) < 1_000_000_000


def test_times_are_taken(heard: dict[Role, Heard]) -> None:
    timing = Timing()
    for event in heard[Role.PHONE].events:
        timing.look(event)
    verified = [link for link in timing.links.values() if link.handshake_ns is not None]
    assert {link.handshake_round_trips for link in verified} <= {1, 2, 3}
    assert all(link.handshake_ns and link.handshake_ns > 0 for link in verified)
    assert any(link.messages[Role.PHONE].bytes_per_s > 0 for link in verified)
    assert any(link.att_round_trips_ns for link in verified)


def test_without_its_keys_the_capture_shows_no_message(folder: Path) -> None:
    with (folder / "phone.btsnoop").open("rb") as file:
        closed = drain(Capture(file))
    assert all(each.body is None for each in closed.all(ChannelFrame))
    assert closed.attacks() == set()
