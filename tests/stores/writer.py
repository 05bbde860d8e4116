"""A process of its own that moves one bond from epoch to epoch and says so each time, until it is killed.

Run as `python -m tests.stores.writer PATH COUNT`; COUNT 0 opens the store and leaves.
"""

from __future__ import annotations

import asyncio
import sys

from blechannel.pairing.changes import Advance, StorePending
from blechannel.roles import Role
from blechannel.stores.sqlite import SqliteStore
from tests.pairing.made_bonds import bond, bond_id, epoch


async def write(path: str, count: int) -> None:
    async with await SqliteStore.open(path, role=Role.PHONE) as store:
        if count and not store.book.bonds:
            await store.apply(StorePending(bond(1), gives_back_guess=False))
        for _ in range(count):
            number = store.book.bond(bond_id(1)).epoch.number + 1
            await store.apply(Advance(bond_id(1), epoch(number)))
            print(number, flush=True)


if __name__ == "__main__":
    asyncio.run(write(sys.argv[1], int(sys.argv[2])))
