"""Run as a program: pairs and reconnects in child processes, each of which gets Ctrl-C at another moment.

Usage: ``python ctrl_c.py FOLDER``. A moment is a fragment that lands, or a write of a store before or
after it. For each, FOLDER gets a folder of its own with both stores, named by its number and by how often Ctrl-C was
pressed: once, or again some moments later, as people do. The undisturbed life leaves `undisturbed`.
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
from blechannel.services import echo
from blechannel.stores.sqlite import SqliteStore
from blechannel.transports.loopback import LoopbackAir, LoopbackLink, loopback_pair
from tests.aio.rooms import typing

BETWEEN = 4
"""Moments from one Ctrl-C that is tried to the next."""
IMPATIENT = 3
"""Moments after which an impatient person presses it again."""
LONGEST_S = 20
CTRL_C = 130


class Moments:
    """Counts them, and presses Ctrl-C at some."""

    def __init__(self, presses: set[int]) -> None:
        self._presses = presses
        self.passed = 0

    def pass_one(self) -> None:
        if self.passed in self._presses:
            os.kill(os.getpid(), signal.SIGINT)
        self.passed += 1

    def join(self) -> tuple[LoopbackLink, LoopbackLink]:
        ends = loopback_pair()
        for end in ends:
            end.on_air = lambda _role, _fragment: self.pass_one()
        return ends


class Watched:
    """A store whose writes are moments."""

    def __init__(self, store: BondStore, moments: Moments) -> None:
        self._store = store
        self._moments = moments

    @property
    def book(self) -> BondBook:
        return self._store.book

    async def apply(self, change: Change) -> BondBook:
        self._moments.pass_one()
        book = await self._store.apply(change)
        self._moments.pass_one()
        return book

    async def close(self) -> None:
        await self._store.close()


async def live(folder: Path, moments: Moments) -> None:
    """As a program does it that is not prepared for Ctrl-C beyond leaving its `async with` blocks."""
    air = LoopbackAir(join=moments.join)
    config = Config("side", policy=Policy(hybrid=False))
    async with (
        await SqliteStore.open(folder / "watch.db", role=Role.WATCH) as watch_store,
        await SqliteStore.open(folder / "phone.db", role=Role.PHONE) as phone_store,
        Watch(Watched(watch_store, moments), air.watch(), config=config) as watch,
        Phone(Watched(phone_store, moments), air.phone(), config=config) as phone,
    ):
        watch.serve(echo.PORT, echo.echo)
        window = watch.open_pairing()
        async with await phone.pair(await phone.find(), typing(lambda: window.code)):
            pass
        async with await phone.connect(await phone.find()) as channel, channel.port(echo.PORT) as port:
            await port.send(b"hello")
            await port.receive()


def child(folder: Path, moments: Moments) -> int:
    """What the process ends with."""
    signal.alarm(LONGEST_S)
    try:
        asyncio.run(live(folder, moments))
    except KeyboardInterrupt:
        return CTRL_C
    return 0


def forked(folder: Path, presses: set[int]) -> int:
    """The number of the process that lives there."""
    folder.mkdir()
    pid = os.fork()
    if pid == 0:
        os._exit(child(folder, Moments(presses)))
    return pid


def main(root: Path) -> None:
    undisturbed = Moments(set())
    (root / "undisturbed").mkdir()
    assert child(root / "undisturbed", undisturbed) == 0
    for at in range(0, undisturbed.passed, BETWEEN):
        lives = [forked(root / f"{at}-once", {at}), forked(root / f"{at}-twice", {at, at + IMPATIENT})]
        ended = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in lives]
        assert ended == [CTRL_C, CTRL_C], at


if __name__ == "__main__":
    main(Path(sys.argv[1]))
