"""The two people use different methods, and a man in the middle makes each side's fit.

Published: von Tschirschnitz, Peuckert, Franzen and Grossklags, "Method Confusion Attack on Bluetooth Pairing", 2021.
Stopped by: the method is in the prologue and in the psk; the watch takes only that of its window, the phone only its
person's; codes are digits that are typed, words are words that are compared.
"""

from __future__ import annotations

import itertools

import pytest

from blechannel.methods import Method
from blechannel.pairing.window import PairingWindow
from blechannel.session.events import Established
from blechannel.session.setup import Pair
from tests.attacks.mallory import Mallory
from tests.session.middle import Middle
from tests.session.sides import World, join

PAIRS = list(itertools.permutations(Method, 2))


def intent(method: Method) -> Pair:
    other = PairingWindow(method=Method.OUT_OF_BAND, random=World("elsewhere").random, now=0.0)
    return Pair(method, ticket=other.ticket() if method is Method.OUT_OF_BAND else None)


@pytest.mark.parametrize(("on_phone", "on_watch"), PAIRS)
def test_honest_ends_with_two_methods_do_not_pair(on_phone: Method, on_watch: Method) -> None:
    world = World(method=on_watch)
    phone, watch = world.phone(intent(on_phone), code="123456"), world.watch()
    join(phone, watch)
    assert not phone.told(Established)
    assert not world.watch_shelf.book.bonds
    assert not world.phone_shelf.book.bonds
    assert world.watch_shelf.book.guesses_spent == 0


@pytest.mark.parametrize(("on_phone", "on_watch"), PAIRS)
def test_nor_with_a_man_in_the_middle_who_translates(on_phone: Method, on_watch: Method) -> None:
    """He speaks to each side in its method, and has no code and no ticket."""
    world = World(method=on_watch)
    phone, watch = world.phone(intent(on_phone), code="123456"), world.watch()
    phone.sees_same = watch.sees_same = False  # words that only one screen shows cannot be compared
    Middle(phone, watch, Mallory(code="000000", method=on_phone, towards_watch=on_watch)).run()
    assert not phone.told(Established)
    assert not watch.told(Established)
    assert not world.watch_shelf.book.bonds
    assert not world.phone_shelf.book.bonds
