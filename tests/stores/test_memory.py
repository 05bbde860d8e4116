"""The store that forgets."""

from __future__ import annotations

import pytest

from blechannel.errors import BondNotFound, StoreError
from blechannel.pairing.changes import BondStore, Forget, SpendGuess, StorePending
from blechannel.stores.memory import MemoryStore
from tests.pairing.made_bonds import bond, bond_id, book


async def test_changes_apply_at_once_by_the_given_clock() -> None:
    store = MemoryStore(wall_clock=lambda: 5.0)
    returned = await store.apply(StorePending(bond(), gives_back_guess=False))
    assert store.book is returned
    assert store.book.bond(bond_id(1)).created_s == 5.0


async def test_a_refused_change_leaves_the_book() -> None:
    store: BondStore = MemoryStore(book(bond(1)))
    with pytest.raises(BondNotFound):
        await store.apply(Forget(bond_id(2)))
    assert store.book == book(bond(1))


async def test_a_closed_store_shows_its_book_and_takes_no_change() -> None:
    store = MemoryStore(book(bond(1)))
    await store.close()
    await store.close()
    with pytest.raises(StoreError, match="closed"):
        await store.apply(SpendGuess())
    assert store.book == book(bond(1))
