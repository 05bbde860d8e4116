"""What a watch tells a phone over the channel alone: the newest discovery key, and that its bond was copied."""

from __future__ import annotations

from dataclasses import replace

import pytest

from blechannel.errors import ReplayDetected, StoreError
from blechannel.pairing.access import Access
from blechannel.pairing.changes import ConfirmBond, MarkCopied, SetDiscoveryKey
from blechannel.session.conversation import State
from blechannel.session.events import CopyDetected, Persist
from tests.session.sides import Side, World, join


def connected(world: World) -> tuple[Side, Side]:
    phone, watch = world.reconnecting()
    join(phone, watch)
    return phone, watch


def stored(side: Side) -> list[type[object]]:
    return [type(event.change) for event in side.told(Persist) if isinstance(event, Persist)]


def phone_key(world: World) -> bytes:
    [bond] = world.phone_shelf.book.bonds.values()
    return bond.discovery_key


# --- the discovery key ------------------------------------------------------------------------------------------


def test_a_phone_that_has_the_newest_key_is_told_nothing() -> None:
    phone, _ = connected(World().bonded())
    assert ConfirmBond not in stored(phone)


@pytest.mark.parametrize("had", [b"", bytes(range(32))], ids=["none", "an old one"])
def test_a_phone_that_lacks_the_newest_key_gets_it_when_it_reconnects(had: bytes) -> None:
    world = World().bonded()
    world.alter_phone_bond(discovery_key=had)
    connected(world)
    assert phone_key(world) == world.watch_shelf.book.discovery_key


def test_a_connected_phone_gets_the_newest_key_at_once_and_once() -> None:
    world = World().bonded()
    phone, watch = connected(world)
    world.watch_shelf.keep(SetDiscoveryKey(b"k" * 32))
    for _ in range(2):
        watch.take(watch.session.book_changed())
        join(phone, watch)
    assert phone_key(world) == b"k" * 32
    assert stored(phone).count(ConfirmBond) == 1


def test_a_phone_that_has_just_paired_gets_the_newest_key_at_once() -> None:
    world = World()
    phone, watch = world.pairing()
    join(phone, watch)
    world.watch_shelf.keep(SetDiscoveryKey(b"k" * 32))
    watch.take(watch.session.book_changed())
    join(phone, watch)
    assert phone_key(world) == b"k" * 32


def test_a_watch_that_has_said_close_tells_nothing_more() -> None:
    world = World().bonded()
    phone, watch = connected(world)
    old = phone_key(world)
    watch.take(watch.session.close(0.0))
    world.watch_shelf.keep(SetDiscoveryKey(b"k" * 32))
    watch.take(watch.session.book_changed())
    join(phone, watch)
    assert phone.session.state is watch.session.state is State.CLOSED
    assert phone_key(world) == old


# --- copies -----------------------------------------------------------------------------------------------------


def copied(world: World) -> tuple[Side, Side]:
    """A copy of the phone's store is used after the phone itself has moved on twice; then the phone's own is back."""
    copy = world.phone_shelf.book
    connected(world)
    connected(world)
    world.phone_shelf.book, own = copy, world.phone_shelf.book
    sides = world.reconnecting()
    join(*sides)
    world.phone_shelf.book = own
    return sides


def test_the_use_of_a_copy_is_kept_on_the_watch_before_anything_is_said() -> None:
    world = World().bonded()
    copy = world.phone_shelf.book
    connected(world)
    connected(world)
    world.phone_shelf.book = copy
    phone, watch = world.reconnecting()
    watch.holds_stores = True
    join(phone, watch)
    assert [type(persist.change) for persist in watch.held] == [MarkCopied]
    assert watch.said() == []
    watch.answer()
    [bond] = world.watch_shelf.book.bonds.values()
    assert bond.copied_s == 1.0
    assert isinstance(watch.error, ReplayDetected)
    assert watch.error.bond_id == bond.bond_id


def test_who_uses_the_copy_is_told_no_more_than_a_stranger() -> None:
    phone, _ = copied(World().bonded())
    assert "not recognised" in str(phone.error)
    assert not phone.told(CopyDetected)


def test_a_copy_that_tries_again_costs_no_more_writes() -> None:
    world = World().bonded()
    copied(world)
    changes = len(world.watch_shelf.changes)
    _, watch = copied(world)
    assert isinstance(watch.error, ReplayDetected)
    assert [type(change) for change in world.watch_shelf.changes[changes:]].count(MarkCopied) == 0


def test_a_watch_that_cannot_keep_the_evidence_ends_as_always() -> None:
    world = World().bonded()
    copy = world.phone_shelf.book
    connected(world)
    connected(world)
    world.phone_shelf.book = copy
    world.watch_shelf.refuse = StoreError("disk full")
    phone, watch = world.reconnecting()
    join(phone, watch)
    assert isinstance(watch.error, StoreError)


def test_the_bonds_own_phone_is_told_when_it_reconnects_and_keeps_it() -> None:
    world = World().bonded()
    copied(world)
    phone, _ = connected(world)
    [bond] = world.phone_shelf.book.bonds.values()
    assert phone.told(CopyDetected) == [CopyDetected(bond.bond_id)]
    assert bond.copied_s == 1.0


def test_a_phone_that_knows_of_the_copy_stores_and_tells_nothing_again() -> None:
    world = World().bonded()
    copied(world)
    connected(world)
    phone, _ = connected(world)
    assert MarkCopied not in stored(phone)
    assert not phone.told(CopyDetected)
    assert phone.session.state is State.ESTABLISHED


def test_the_bonds_own_phone_is_told_at_once_while_it_is_connected() -> None:
    world = World().bonded()
    phone, watch = connected(world)
    [bond_id] = world.watch_shelf.book.bonds
    world.watch_shelf.keep(MarkCopied(bond_id))
    watch.take(watch.session.book_changed())
    join(phone, watch)
    assert len(phone.told(CopyDetected)) == 1
    watch.take(watch.session.book_changed())
    assert watch.said() == []
    assert phone.session.state is State.ESTABLISHED


def test_a_phone_believes_in_a_copy_only_once_that_is_stored() -> None:
    world = World().bonded()
    phone, watch = connected(world)
    phone.holds_stores = True
    [bond_id] = world.watch_shelf.book.bonds
    world.watch_shelf.keep(MarkCopied(bond_id))
    watch.take(watch.session.book_changed())
    join(phone, watch)
    assert not phone.told(CopyDetected)
    phone.answer()
    assert phone.told(CopyDetected)


# --- what is news at all ----------------------------------------------------------------------------------------


def test_a_change_of_another_bond_is_no_news_and_one_of_its_own_is() -> None:
    world = World().bonded()
    _, watch = connected(world)
    [bond] = world.watch_shelf.book.bonds.values()
    assert not watch.session.is_news()
    other = replace(bond, bond_id=bytes(16), access=Access())
    bonds = {bond.bond_id: bond, other.bond_id: other}
    world.watch_shelf.book = replace(world.watch_shelf.book, bonds=bonds)
    assert not watch.session.is_news()
    world.watch_shelf.keep(SetDiscoveryKey(b"k" * 32))
    assert watch.session.is_news()
    watch.take(watch.session.book_changed())
    assert not watch.session.is_news()
    world.watch_shelf.keep(MarkCopied(bond.bond_id))
    assert watch.session.is_news()
    watch.take(watch.session.book_changed())
    assert not watch.session.is_news()
    world.watch_shelf.book = replace(world.watch_shelf.book, bonds={other.bond_id: other})
    assert watch.session.is_news()
    watch.take(watch.session.book_changed())
    assert watch.session.state is State.FAILED
