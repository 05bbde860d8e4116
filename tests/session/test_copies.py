"""Stores that were copied or put back: whoever is used second is shut out, and told apart where that can be proven."""

from __future__ import annotations

import pytest

from blechannel.errors import PairingRefused, ReplayDetected
from blechannel.limits import RETIRED_HINT_KEYS
from blechannel.session.events import Established
from tests.session.sides import Side, World, join


def reconnect(world: World) -> tuple[Side, Side]:
    sides = world.reconnecting()
    join(*sides)
    return sides


def assert_reconnects(world: World) -> None:
    assert all(side.told(Established) for side in reconnect(world))


def assert_shut_out(world: World) -> None:
    """The phone is not recognised, and keeps its bond."""
    before = world.phone_shelf.book
    phone, watch = reconnect(world)
    assert isinstance(phone.error, PairingRefused)
    assert phone.error.reason == "not-recognised"
    assert isinstance(watch.error, PairingRefused)
    assert world.phone_shelf.book == before


def test_a_copied_watch_that_is_used_shuts_out_the_watch() -> None:
    world = World().bonded()
    watch = world.watch_shelf.book
    assert_reconnects(world)
    copy, world.watch_shelf.book = world.watch_shelf.book, watch
    assert_shut_out(world)
    world.watch_shelf.book = copy
    assert_reconnects(world)


def test_a_copied_watch_that_is_used_later_is_shut_out() -> None:
    world = World().bonded()
    copy = world.watch_shelf.book
    assert_reconnects(world)
    watch, world.watch_shelf.book = world.watch_shelf.book, copy
    assert_shut_out(world)
    world.watch_shelf.book = watch
    assert_reconnects(world)


@pytest.mark.parametrize("reconnects", [1, 2, RETIRED_HINT_KEYS + 2])
def test_a_watch_that_was_put_back_knows_nobody_who_has_moved_on(reconnects: int) -> None:
    world = World().bonded()
    saved = world.watch_shelf.book
    for _ in range(reconnects):
        assert_reconnects(world)
    world.watch_shelf.book = saved
    assert_shut_out(world)


@pytest.mark.parametrize("moved", [1, RETIRED_HINT_KEYS])
def test_a_copied_phone_is_proven_within_the_horizon(moved: int) -> None:
    world = World().bonded()
    copy = world.phone_shelf.book
    for _ in range(moved):
        assert_reconnects(world)
    world.phone_shelf.book = copy
    phone, watch = reconnect(world)
    assert isinstance(watch.error, ReplayDetected)
    assert isinstance(phone.error, PairingRefused)
    assert phone.error.reason == "not-recognised"


def test_a_copied_phone_is_shut_out_beyond_the_horizon_too() -> None:
    world = World().bonded()
    copy = world.phone_shelf.book
    for _ in range(RETIRED_HINT_KEYS + 1):
        assert_reconnects(world)
    world.phone_shelf.book = copy
    assert_shut_out(world)


def test_a_phone_that_had_moved_is_proven_to_have_been_copied() -> None:
    """It was cut off before record 0; the copy made another candidate stand."""
    world = World().bonded()
    copy = world.phone_shelf.book
    phone, watch = world.reconnecting()
    phone.hear(watch.said())
    watch.hear(phone.said())
    phone.hear(watch.said())
    moved, world.phone_shelf.book = world.phone_shelf.book, copy
    assert moved != copy
    assert_reconnects(world)
    world.phone_shelf.book = moved
    assert isinstance(reconnect(world)[1].error, ReplayDetected)
