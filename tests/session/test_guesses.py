"""Guesses are counted on both sides, and on the disk before the other side can learn anything from them."""

from __future__ import annotations

import inspect
from types import GeneratorType

import pytest

from blechannel.errors import LocalProtocolError, StoreError
from blechannel.pairing.changes import SpendGuess, StorePending
from blechannel.session.conversation import State
from blechannel.session.events import CodeWanted
from tests.session.sides import World, join


def wrong_code(world: World) -> str:
    assert world.window is not None
    return f"{(int(world.window.code) + 1) % 10**6:06d}"


def test_success_leaves_no_guess_on_either_side() -> None:
    world = World()
    join(*world.pairing())
    assert world.phone_shelf.book.guesses_spent == world.watch_shelf.book.guesses_spent == 0


def test_a_wrong_code_stays_counted_on_both_sides() -> None:
    world = World()
    for tried in (1, 2):
        join(*world.pairing(code=wrong_code(world)))
        assert world.phone_shelf.book.guesses_spent == world.watch_shelf.book.guesses_spent == tried


def test_success_gives_back_its_own_guess_and_no_more() -> None:
    world = World()
    join(*world.pairing(code=wrong_code(world)))
    join(*world.pairing())
    assert world.phone_shelf.book.bonds
    assert world.phone_shelf.book.guesses_spent == world.watch_shelf.book.guesses_spent == 1


def test_a_phone_says_m3_only_when_its_guess_is_stored() -> None:
    world = World()
    phone, watch = world.pairing()
    phone.holds_stores = True
    join(phone, watch)
    assert [type(persist.change) for persist in phone.held] == [SpendGuess]
    states = [watch.session.state]
    assert phone.said() == []
    phone.answer()
    join(phone, watch)
    states.append(watch.session.state)
    assert states == [State.PAIR_KEYS_AGREED, State.WATCH_PROVEN]


def test_a_phone_that_cannot_count_does_not_guess() -> None:
    world = World()
    phone, watch = world.pairing()
    phone.shelf.refuse = StoreError("disk full")
    join(phone, watch)
    assert isinstance(phone.error, StoreError)
    assert world.watch_shelf.book.guesses_spent == 0


def test_a_phone_gets_its_guess_back_with_the_pending_bond_in_one_change() -> None:
    world = World()
    phone, watch = world.pairing()
    phone.holds_stores = True
    join(phone, watch)
    phone.answer()
    join(phone, watch)
    [persist] = phone.held
    assert isinstance(persist.change, StorePending)
    assert persist.change.gives_back_guess
    assert world.phone_shelf.book.guesses_spent == 1
    phone.answer()
    assert world.phone_shelf.book.guesses_spent == 0


def test_a_typed_code_serves_one_run_and_is_not_asked_for_twice() -> None:
    world = World()
    phone, watch = world.pairing(code=wrong_code(world))
    join(phone, watch)
    assert len(phone.told(CodeWanted)) == 1
    with pytest.raises(LocalProtocolError, match="no code is wanted"):
        phone.session.enter_code("000000", 0.0)


def test_a_phone_has_forgotten_the_code_before_it_says_m3() -> None:
    world = World()
    phone, watch = world.pairing()
    phone.holds_stores = True
    join(phone, watch)
    assert phone.held
    step: object = phone.session._script
    known: list[object] = []
    while isinstance(step, GeneratorType):
        known += inspect.getgeneratorlocals(step).values()
        step = step.gi_yieldfrom
    assert len(known) > 5
    assert phone.code not in known
