"""Run as a program: pairs, reconnects and revokes in a child process that kills itself at one write of a store.

Usage: ``python killed.py FOLDER``. For every write, before and after it, FOLDER gets a folder of its own,
`<number>-<when>`, with the two stores as the killed process left them.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from blechannel.aio.phone import Phone
from blechannel.aio.watch import Watch
from blechannel.config import Config, Policy
from blechannel.pairing.bonds import BondBook
from blechannel.pairing.changes import BondStore, Change
from blechannel.roles import Role
from blechannel.stores.sqlite import SqliteStore
from blechannel.transports.loopback import LoopbackAir

MOST_WRITES = 40


class Mortal:
    """A store whose process dies at the write number `at`."""

    writes = 0

    def __init__(self, store: BondStore, at: int, when: str) -> None:
        self._store = store
        self._at = at
        self._when = when

    @property
    def book(self) -> BondBook:
        return self._store.book

    async def apply(self, change: Change) -> BondBook:
        number, Mortal.writes = Mortal.writes, Mortal.writes + 1
        if number == self._at and self._when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        book = await self._store.apply(change)
        if number == self._at:
            os.kill(os.getpid(), signal.SIGKILL)
        return book

    async def close(self) -> None:
        await self._store.close()


async def live(folder: Path, at: int, when: str) -> None:
    stores = {r: Mortal(await SqliteStore.open(folder / f"{r.value}.db", role=r), at, when) for r in Role}
    air = LoopbackAir()
    config = Config("side", policy=Policy(hybrid=False))
    watch = Watch(stores[Role.WATCH], air.watch(), config=config)
    phone = Phone(stores[Role.PHONE], air.phone(), config=config)
    async with watch, phone:
        for _ in range(2):
            window = watch.open_pairing()

            async def ask(code: str = window.code) -> str:
                return code

            await (await phone.pair(await phone.find(), ask)).close()
            await (await phone.connect(await phone.find())).close()
        oldest, newest = watch.members.bonds
        await watch.members.make_owner(newest.bond_id)
        await watch.members.forget(oldest.bond_id)
    for store in stores.values():
        await store.close()


def main(root: Path) -> None:
    for at in range(MOST_WRITES):
        for when in ("before", "after"):
            folder = root / f"{at}-{when}"
            folder.mkdir()
            child = os.fork()
            if child == 0:
                asyncio.run(live(folder, at, when))
                os._exit(0)
            _, status = os.waitpid(child, 0)
            if os.WIFEXITED(status):
                assert os.WEXITSTATUS(status) == 0
                (folder / "survived").touch()
                return
            assert os.WTERMSIG(status) == signal.SIGKILL


if __name__ == "__main__":
    main(Path(sys.argv[1]))
