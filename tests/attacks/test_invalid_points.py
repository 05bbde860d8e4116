"""A side offers points of low order as ephemeral key, as static key and as CPace share, in whole pairings.

Published: Biham and Neumann, "Breaking the Bluetooth Pairing: the Fixed Coordinate Invalid Curve Attack", 2018
(CVE-2018-5383); Cremers and Jackson, "Prime, Order Please!", 2019.
Stopped by: a Diffie-Hellman result of zeros is
refused; in CPace it is answered as a wrong code, with the guess spent.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from blechannel.errors import AuthenticationFailed, BlechannelError
from blechannel.noise import CHACHAPOLY, CipherState
from blechannel.pairing.changes import SpendGuess
from blechannel.pairing.cpace import CPace
from blechannel.roles import Role
from blechannel.session.events import Established
from blechannel.wire.frames import Pair1, Pair2, Pair3, decode_frame, encode_frame
from tests.attacks.mallory import Heard, Mallory
from tests.noise.test_attacks import LOW_25519
from tests.session.middle import Middle
from tests.session.sides import World


def nothing_stored(world: World) -> None:
    assert not world.phone_shelf.book.bonds
    assert not world.watch_shelf.book.bonds


# --- e ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("point", LOW_25519, ids=lambda point: point.hex()[:8])
@pytest.mark.parametrize("liar", Role, ids=lambda role: role.value)
def test_as_ephemeral_key(point: bytes, liar: Role) -> None:
    world = World()
    phone, watch = world.pairing()

    def swap(sender: Role, _number: int, frame: bytes) -> Heard:
        said = decode_frame(frame) if frame[0] != 0x17 else None
        if sender is liar and isinstance(said, Pair1):
            frame = encode_frame(Pair1(said.hello, point + said.noise[32:]))
        elif sender is liar and isinstance(said, Pair2):
            frame = encode_frame(Pair2(point + said.noise[32:]))
        return [(sender.peer, frame)]

    Middle(phone, watch, swap).run()
    victim = watch if liar is Role.PHONE else phone
    assert isinstance(victim.error, BlechannelError)
    assert not phone.told(Established)
    nothing_stored(world)


# --- s ----------------------------------------------------------------------------------------------------------


@dataclass
class LowStatic(Mallory):
    """Knows the code, and sends a static key of low order in m3, sealed as it must be."""

    point: bytes = b""

    def __call__(self, sender: Role, number: int, frame: bytes) -> Heard:
        said = decode_frame(frame) if frame[0] != 0x17 else None
        if isinstance(said, Pair3):
            cipher: CipherState = self.as_phone._symmetric.cipher_state
            sealed = CipherState(CHACHAPOLY, cipher.k, cipher.n).encrypt_with_ad(
                self.as_phone.handshake_hash, self.point
            )
            return [(Role.WATCH, encode_frame(Pair3(sealed + bytes(50))))]
        return super().__call__(sender, number, frame)


@pytest.mark.parametrize("point", LOW_25519, ids=lambda point: point.hex()[:8])
def test_as_static_key_of_somebody_who_knows_the_code(point: bytes) -> None:
    world = World()
    assert world.window is not None
    phone, watch = world.pairing()
    Middle(phone, watch, LowStatic(code=world.window.code, point=point)).run()
    assert isinstance(watch.error, AuthenticationFailed)
    assert world.watch_shelf.book.guesses_spent == 1
    nothing_stored(world)


# --- Y ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("liar", Role, ids=lambda role: role.value)
def test_as_cpace_share(liar: Role, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = CPace.__init__
    for point in LOW_25519:
        world = World()
        phone, watch = world.pairing()
        made = 0

        def lying(run: CPace, point: bytes = point, **arguments: object) -> None:
            nonlocal made
            honest(run, **arguments)  # type: ignore[arg-type]
            if (made == 0) == (liar is Role.PHONE):
                object.__setattr__(run, "share", point)
            made += 1

        with monkeypatch.context() as patch:
            patch.setattr(CPace, "__init__", lying)
            middle = Middle(phone, watch)
            middle.run()
        assert [len(frame) for _, frame in middle.seen] == [29, 89, 163, 101, 4], "as a wrong code"
        assert [type(change) for change in world.watch_shelf.changes[1:]] == [SpendGuess]
        nothing_stored(world)
