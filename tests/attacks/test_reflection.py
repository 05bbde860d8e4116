"""A side is sent back what it said itself: its keys, its shares, its messages.

Published: Bird, Gopal, Herzberg et al., "Systematic Design of Two-Party Authentication Protocols", 1991; for Bluetooth,
Claverie and Lopes-Esteves, "BlueMirror", 2021.
Stopped by: own keys and own shares are refused, and every derivation names its role.
"""

from __future__ import annotations

import pytest

from blechannel.codec import encode
from blechannel.errors import BlechannelError
from blechannel.roles import Role
from blechannel.session.events import Established
from blechannel.wire.frames import Info, Pair1, Pair2, PairAnswer, decode_frame, encode_frame
from tests.attacks.mallory import Heard, Mallory
from tests.session.middle import Middle
from tests.session.sides import World


def nothing_happened(world: World) -> None:
    assert not world.phone_shelf.book.bonds
    assert not world.watch_shelf.book.bonds


@pytest.mark.parametrize("number", range(7))
def test_every_message_of_a_pairing_sent_back(number: int) -> None:
    world = World()
    phone, watch = world.pairing()

    def mirror(sender: Role, seen: int, frame: bytes) -> Heard:
        return [(sender, frame)] if seen == number else [(sender.peer, frame)]

    Middle(phone, watch, mirror).run()
    assert not phone.told(Established)
    assert not any(bond.pending is False for bond in world.phone_shelf.book.bonds.values())


class OwnEphemeral(Mallory):
    """Answers m1 with the phone's own ephemeral key."""

    def __call__(self, sender: Role, number: int, frame: bytes) -> Heard:
        said = decode_frame(frame) if frame[0] != 0x17 else None
        if isinstance(said, Pair1):
            return [(Role.PHONE, encode_frame(Pair2(said.noise[:32] + bytes(128))))]
        return super().__call__(sender, number, frame)


def test_the_phones_own_ephemeral_key() -> None:
    world = World()
    phone, watch = world.pairing()
    Middle(phone, watch, OwnEphemeral()).run()
    assert isinstance(phone.error, BlechannelError)
    nothing_happened(world)


class OwnShare(Mallory):
    """Plays the watch towards the phone, with the phone's own CPace share."""

    def __call__(self, sender: Role, number: int, frame: bytes) -> Heard:
        said = decode_frame(frame) if frame[0] != 0x17 else None
        if isinstance(said, Pair1):
            super().__call__(sender, number, frame)
            answer = PairAnswer(self.phone_share, bytes(32), b"")
            return [(Role.PHONE, encode_frame(Pair2(self.as_watch.write_message(encode(answer)))))]
        return super().__call__(sender, number, frame) if isinstance(said, Info) else [(sender.peer, frame)]


def test_the_phones_own_share() -> None:
    """K would be y²·g, the same on both sides: refused, and answered as a wrong code is."""
    world = World()
    phone, watch = world.pairing()
    Middle(phone, watch, OwnShare()).run()
    assert not phone.told(Established)
    nothing_happened(world)
