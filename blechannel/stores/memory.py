"""A bond store that forgets everything when the program ends."""

from __future__ import annotations

import time
from collections.abc import Callable

from blechannel.errors import StoreError
from blechannel.pairing.apply import apply
from blechannel.pairing.bonds import BondBook
from blechannel.pairing.changes import Change


class MemoryStore:
    """A `BondStore` that keeps the book in memory: for tests, and where nothing shall be remembered.

    `wall_clock` gives seconds since 1970, 0 where there is no clock.
    """

    def __init__(self, book: BondBook | None = None, *, wall_clock: Callable[[], float] = time.time) -> None:
        self._book = book or BondBook()
        self._wall_clock = wall_clock
        self._is_closed = False

    @property
    def book(self) -> BondBook:
        """The newest book."""
        return self._book

    async def apply(self, change: Change) -> BondBook:
        """Apply `change` at once; see `BondStore.apply`."""
        if self._is_closed:
            raise StoreError("the bond store is closed")
        self._book = apply(self._book, change, at_s=self._wall_clock())
        return self._book

    async def close(self) -> None:
        """Take no more changes; the book can still be read."""
        self._is_closed = True
