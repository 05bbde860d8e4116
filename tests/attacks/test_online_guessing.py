"""A stranger guesses the code, as phone, as watch and between them; a code is used again.

Published: Lindell, "Attacks on the Pairing Protocol of Bluetooth v2.1", 2008, and Barnickel, Wang and Meyer, 2012:
a passkey that serves twice is given away.
Stopped by: one guess a run in CPace, counted before it is checked; every failed run burns the code; a typed code serves
one m3.
"""

from __future__ import annotations

import pytest

from blechannel.errors import LocalProtocolError, PairingRefused
from blechannel.pairing.window import ATTEMPTS
from blechannel.session.events import CodeChanged, Established
from tests.attacks.mallory import Mallory
from tests.session.middle import Middle
from tests.session.sides import World, join


def other(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


def test_a_window_takes_three_wrong_guesses_and_shows_another_code_after_each() -> None:
    world = World()
    assert world.window is not None
    codes = []
    for spent in range(1, ATTEMPTS + 1):
        codes.append(world.window.code)
        phone, watch = world.pairing(code=other(world.window.code))
        join(phone, watch)
        assert not watch.told(Established)
        assert watch.told(CodeChanged)
        assert world.watch_shelf.book.guesses_spent == spent
    assert len({*codes, world.window.code}) == ATTEMPTS + 1
    phone, watch = world.pairing()
    join(phone, watch)
    assert isinstance(watch.error, PairingRefused)
    assert watch.error.reason == "pairing-closed"
    assert world.watch_shelf.book.guesses_spent == ATTEMPTS, "a closed window costs nothing"


def test_a_man_in_the_middle_has_one_guess_a_side() -> None:
    world = World()
    assert world.window is not None
    first = world.window.code
    phone, watch = world.pairing()
    Middle(phone, watch, Mallory(code=other(first))).run()
    assert world.watch_shelf.book.guesses_spent == 1
    assert world.window.code != first
    assert not phone.told(Established)
    # The phone has forgotten its code: the session that asked is over, and a new one asks anew.
    assert not phone.session.fragments_to_send(0.0)
    with pytest.raises(LocalProtocolError, match="no code is wanted"):
        phone.session.enter_code(first, 0.0)


def test_junk_before_m3_costs_no_guess() -> None:
    world = World()
    phone, watch = world.pairing()
    middle = Middle(phone, watch, lambda sender, number, frame: [(sender.peer, frame)] if number < 3 else [])
    middle.run()
    assert world.watch_shelf.book.guesses_spent == 0
