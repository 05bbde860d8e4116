"""A recorded first message is played to the watch, on another connection or again on the same.

Published: Wu, Nan, Kumar et al., "BLESA: Spoofing Attacks against Reconnections in Bluetooth Low Energy", 2020.
Stopped by: INFO's nonce is fresh on each connection and in the prologue and the tag; one handshake a connection; a
random m1 and a replayed one are answered alike.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from blechannel.errors import PairingRefused, UnexpectedFrame
from blechannel.limits import RETIRED_HINT_KEYS
from blechannel.roles import Role
from blechannel.session.events import Established
from blechannel.wire.frames import Info, Reconnect1, Reconnect2, Refusal, Refuse, decode_frame, encode_frame
from tests.session.middle import Middle
from tests.session.sides import World


def recorded(world: World) -> bytes:
    """m1 of an honest reconnect."""
    middle = Middle(*world.reconnecting())
    middle.run()
    return middle.seen[1][1]


def answer_to(world: World, m1: bytes) -> list[bytes]:
    watch = world.watch()
    [*_, bond_id] = world.phone_shelf.book.bonds
    phone, _ = world.reconnecting()
    middle = Middle(phone, watch, lambda sender, _n, frame: [] if sender is Role.PHONE else [(sender.peer, frame)])
    middle.run()
    middle.say(Role.WATCH, m1)
    middle.run()
    assert not watch.told(Established)
    assert world.watch_shelf.book.bonds
    assert bond_id in world.phone_shelf.book.bonds
    return [frame for sender, frame in middle.seen if sender is Role.WATCH][1:]


def test_a_replay_and_junk_are_answered_alike() -> None:
    world = World().bonded()
    m1 = recorded(world)
    before = world.watch_shelf.book
    said = decode_frame(m1)
    assert isinstance(said, Reconnect1)
    random = encode_frame(replace(said, tag=world.random(16), noise=world.random(48)))
    assert answer_to(world, m1) == answer_to(world, random) == [encode_frame(Refuse(Refusal.NOT_RECOGNISED))]
    assert world.watch_shelf.book == before, "neither has changed anything"


def test_the_same_connection_takes_one_handshake() -> None:
    world = World().bonded()
    phone, watch = world.reconnecting()

    def twice(sender: Role, number: int, frame: bytes) -> list[tuple[Role, bytes]]:
        return [(sender.peer, frame)] * (2 if number == 1 else 1)

    middle = Middle(phone, watch, twice)
    middle.run()
    assert [type(decode_frame(frame)) for role, frame in middle.seen if role is Role.WATCH] == [Info, Reconnect2]
    assert isinstance(watch.error, UnexpectedFrame)
    assert not watch.told(Established)


@pytest.mark.parametrize("epochs", [1, RETIRED_HINT_KEYS, RETIRED_HINT_KEYS + 1])
def test_m1_of_an_old_epoch_is_evidence_and_is_told_as_not_recognised(epochs: int) -> None:
    """Whoever has an old copy of the phone's store can make a fresh m1, which is no replay: it is noticed."""
    world = World().bonded()
    copy = world.phone_shelf.book
    for _ in range(epochs):
        Middle(*world.reconnecting()).run()
    world.phone_shelf.book = copy
    phone, watch = world.reconnecting()
    Middle(phone, watch).run()
    assert isinstance(phone.error, PairingRefused)
    assert phone.error.reason == "not-recognised"
    kind = "ReplayDetected" if epochs <= RETIRED_HINT_KEYS else "PairingRefused"
    assert type(watch.error).__name__ == kind
