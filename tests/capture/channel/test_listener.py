"""Our channel in captures of live phones and watches: frames, verified handshakes, opened records, and verdicts."""

from __future__ import annotations

import pytest

from blechannel.config import Policy
from blechannel.methods import Method, Suite
from blechannel.roles import Role
from blechannel.wire.frames import Close, Data, Hello, PairAnswer, PairProof, PairShare
from blechannel_capture.channel.events import ChannelEnded, ChannelFrame, Ending, HandshakeVerified, OddFragment
from blechannel_capture.events import Verdict
from tests.capture.channel_traffic import CapturedWorld, honest_life, talk
from tests.capture.reading import Heard

PAIRING = ["Info", "Pair1", "Pair2", "Pair3", "Nonce", "Confirm", "Bonded"]
RECONNECT = ["Info", "Reconnect1", "Reconnect2", "Ready"]


def frames(heard: Heard, connection: int) -> list[ChannelFrame]:
    return [each for each in heard.all(ChannelFrame) if each.connection.number == connection]


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("method", Method)
def test_an_honest_life_is_verified_and_opened(method: Method, role: Role) -> None:
    heard = honest_life(method).heard_by(role)
    assert {each.verdict for each in heard.all(ChannelFrame)} == {Verdict.OK}
    assert [each.name for each in frames(heard, 1)] == PAIRING
    names = [each.name for each in frames(heard, 2)]
    assert names[:4] == RECONNECT
    assert names[-2:] == ["Close", "Close"]
    pairing, reconnect = heard.all(HandshakeVerified)
    assert (pairing.resumed, pairing.method, pairing.suite, pairing.logged_by) == (False, method, Suite.CLASSICAL, role)
    assert (reconnect.resumed, reconnect.method, reconnect.logged_by) == (True, None, role)
    assert [each.ending for each in heard.all(ChannelEnded)] == [Ending.CUT_OFF, Ending.CLOSED]
    assert heard.all(OddFragment) == []
    assert heard.damage() == {}
    assert heard.attacks() == set()


def test_both_sides_see_the_same_handshakes_whoever_logged_the_keys() -> None:
    world = honest_life()
    seen = {
        (role, keys_of): [each.handshake_hash for each in world.heard_by(role, keys_of=keys_of).all(HandshakeVerified)]
        for role in Role
        for keys_of in Role
    }
    assert len({tuple(hashes) for hashes in seen.values()}) == 1
    assert all(len(hashes) == 2 for hashes in seen.values())


def test_messages_are_read() -> None:
    heard = honest_life().heard_by(Role.WATCH)
    said = b"".join(each.body.message for each in heard.all(ChannelFrame) if isinstance(each.body, Data))
    assert said == b"hello" + bytes(2000) + b"bye"
    numbers = [each.record for each in heard.all(ChannelFrame) if each.sender is Role.PHONE and each.record is not None]
    assert numbers == [0, *range(numbers[-1] + 1)], "one record in the pairing, then from 0 on again"


def test_the_hybrid_suite_is_followed() -> None:
    heard = honest_life(world=CapturedWorld("hybrid", policy=Policy())).heard_by(Role.PHONE)
    assert [each.suite for each in heard.all(HandshakeVerified)] == [Suite.HYBRID, Suite.HYBRID]
    assert {each.verdict for each in heard.all(ChannelFrame)} == {Verdict.OK}


def test_pairing_messages_show_what_is_sealed_in_them() -> None:
    said = frames(honest_life().heard_by(Role.PHONE), 1)
    assert isinstance(said[1].hello, Hello)
    assert [type(each.payload) for each in said[1:4]] == [PairShare, PairAnswer, PairProof]


def test_without_keys_frames_are_named_and_records_stay_closed() -> None:
    heard = honest_life().heard_by(Role.WATCH, with_keys=False)
    assert heard.all(HandshakeVerified) == []
    said = frames(heard, 2)
    assert [each.name for each in said[:4]] == ["Info", "Reconnect1", "Reconnect2", "Record"]
    assert [each.verdict for each in said[:2]] == [Verdict.OK, Verdict.NO_KEY]
    assert {each.verdict for each in said[3:]} == {Verdict.NO_KEY}
    assert all("key log" in each.detail for each in said[1:])
    assert [each.ending for each in heard.all(ChannelEnded)] == [Ending.UNKNOWN, Ending.UNKNOWN]
    assert heard.attacks() == set()


def test_the_keys_of_another_session_do_not_fit() -> None:
    world = honest_life()
    lines = world.lines[Role.PHONE]
    [first_nonce, second_nonce] = [line.split(" ")[1] for line in lines]
    pair = lines[0].split(" ")
    world.lines[Role.PHONE] = [lines[0], lines[1].replace(lines[1].split(" ")[2][:64], pair[2][:64])]
    assert first_nonce != second_nonce
    heard = world.heard_by(Role.PHONE)
    said = frames(heard, 2)
    assert {each.verdict for each in said[1:]} == {Verdict.WRONG_KEY}
    assert len(heard.all(HandshakeVerified)) == 1
    assert heard.attacks() == set()


def test_small_fragments_are_joined() -> None:
    world = CapturedWorld("small")
    world.fragment_bytes = 20
    heard = honest_life(world=world).heard_by(Role.PHONE)
    assert {each.verdict for each in heard.all(ChannelFrame)} == {Verdict.OK}
    assert any(each.began < each.packet for each in heard.all(ChannelFrame))
    assert isinstance(heard.all(ChannelFrame)[-1].body, Close)


def test_a_long_life_is_followed_over_many_records() -> None:
    world = honest_life()
    talk(world, [b"x" * 10] * 100)
    heard = world.heard_by(Role.WATCH)
    assert {each.verdict for each in heard.all(ChannelFrame)} == {Verdict.OK}
