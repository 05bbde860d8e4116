"""All that a phone keeps: one scan, a few connections in the making at once, each watch in its turn."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Protocol

from blechannel.aio.channel import Channel
from blechannel.aio.keep import Kept
from blechannel.aio.link import PhoneTransport, Sighting
from blechannel.aio.shared_scan import SharedScan
from blechannel.errors import BondNotFound, LocalProtocolError
from blechannel.pairing.bonds import BondBook
from blechannel.pairing.changes import BondStore

if TYPE_CHECKING:
    from blechannel.aio.household import World
    from blechannel.aio.phone import FoundWatch

CONNECTING_AT_ONCE: Final = 4
"""What a radio can do, and so few that a watch which stalls leaves others their turn."""
STRANGERS_AFTER_S: Final = 15.0
"""Without a sighting of its own, before a watch that no bond resolves is taken for it: one that has forgotten another
phone advertises under a key that this one lacks."""
UNCONFIRMED_AFTER_S: Final = 1.0
"""The same for a bond that no watch has confirmed, which resolves nothing."""


class Reach(Protocol):
    """What the phone does for it."""

    @property
    def channels(self) -> list[Channel]:
        """The channels that stand now."""

    def resolve(self, sighting: Sighting) -> FoundWatch | None:
        """Which watch was seen."""

    def may_know(self, watch: FoundWatch, bond_id: bytes) -> bool:
        """Whether a watch that no bond resolves has not refused this bond."""

    async def reconnect(self, watch: FoundWatch, bond_id: bytes) -> Channel:
        """Connect to the bond's watch."""


class Keeping:
    """See `keep.Keeper`."""

    def __init__(self, store: BondStore, transport: PhoneTransport, world: World, *, reach: Reach) -> None:
        self.random = world.random
        self._store = store
        self._reach = reach
        self._scan = SharedScan(transport.scan, reach.resolve)
        self._turns = asyncio.Semaphore(CONNECTING_AT_ONCE)
        self._kept: dict[Kept, None] = {}
        self._heirs: dict[bytes, bytes] = {}
        self._is_closed = False

    @property
    def book(self) -> BondBook:
        """See Keeper."""
        return self._store.book

    def kept(self, watch: Kept) -> None:
        """See Keeper."""
        if self._is_closed:
            raise LocalProtocolError("the phone is closed")
        if any(other.bond_id == watch.bond_id for other in self._kept):
            raise LocalProtocolError(f"bond {watch.bond_id.hex()[:8]} is kept already")
        self._kept[watch] = None

    def left(self, watch: Kept) -> None:
        """See Keeper."""
        self._kept.pop(watch, None)

    def standing(self, bond_id: bytes) -> Channel | None:
        """See Keeper."""
        return next((channel for channel in self._reach.channels if channel.bond_id == bond_id), None)

    async def find(self, bond_id: bytes) -> FoundWatch:
        """See Keeper."""
        bond = self._store.book.bond(bond_id)
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(UNCONFIRMED_AFTER_S if bond.pending else STRANGERS_AFTER_S):
                    return await self._scan.seen(bond.replaces if bond.pending else bond_id)
            strangers = [found for found in self._scan.strangers.values() if self._reach.may_know(found, bond_id)]
            if strangers:
                return max(strangers, key=_nearness)

    async def connect(self, found: FoundWatch, bond_id: bytes, began: Callable[[], None]) -> Channel:
        """See Keeper."""
        async with self._turns:
            began()
            return await self._reach.reconnect(found, bond_id)

    def book_changed(self) -> None:
        """A bond that is gone is kept no longer; one that took its place is kept instead."""
        bonds = self._store.book.bonds
        for watch in tuple(self._kept):
            if watch.bond_id not in bonds:
                heir = self._heirs.get(watch.bond_id, b"")
                if heir in bonds:
                    watch.bond_id = heir
                else:
                    watch.stop(BondNotFound(f"bond {watch.bond_id.hex()[:8]} was removed"))
        self._heirs = {bond.replaces: bond.bond_id for bond in bonds.values() if bond.pending and bond.replaces}

    async def close(self) -> None:
        """Keep nothing any more. Safe to call again."""
        self._is_closed = True
        for watch in tuple(self._kept):
            watch.stop()
        await asyncio.gather(*(watch.close() for watch in tuple(self._kept)))
        await self._scan.close()


def _nearness(watch: FoundWatch) -> float:
    return -math.inf if watch.rssi_dbm is None else watch.rssi_dbm
