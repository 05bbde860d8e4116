"""A watch and a phone on one simulated air, and the person who types the code."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random

from blechannel.aio.household import World
from blechannel.aio.phone import FoundWatch, Phone
from blechannel.aio.watch import Watch
from blechannel.config import Config
from blechannel.stores.memory import MemoryStore
from blechannel.transports.loopback import LoopbackAir

UNIX_TIME_S = 1_750_000_000.0
THINKING_S = (3.0, 9.0)
"""How long a person takes to read the code and to type it, at least and at most."""


def now_s() -> float:
    """Seconds on the running loop's clock."""
    return asyncio.get_running_loop().time()


@dataclass(slots=True)
class Person:
    """Types the code that the watch shows, and is not hurried."""

    random: Random
    watch: Watch
    took_s: float = 0.0
    """How long the channel has waited for the person."""

    async def type_code(self) -> str:
        """See AskCode."""
        began_s = now_s()
        await asyncio.sleep(self.random.uniform(*THINKING_S))
        self.took_s += now_s() - began_s
        window = self.watch.window
        return window.code if window is not None else ""


@dataclass(frozen=True, slots=True)
class Sides:
    """A watch and a phone that have not met. `air.join` makes their next link; at first one that takes no time."""

    watch: Watch
    phone: Phone
    air: LoopbackAir
    person: Person

    async def bond(self) -> None:
        """Let them pair, and part again."""
        self.watch.open_pairing()
        channel = await self.phone.pair(await self.phone.find(), self.person.type_code)
        await channel.close()

    async def found(self) -> FoundWatch:
        """The watch, as the phone that is bonded with it sees it."""
        found = await self.phone.find()
        while found.bond is None:
            found = await self.phone.find()
        return found


@asynccontextmanager
async def both_sides(random: Random) -> AsyncIterator[Sides]:
    """Both sides, awake; everything that they draw comes from `random`, so nothing here is secret."""
    air, world = LoopbackAir(), World(random=random.randbytes, unix_time=lambda: UNIX_TIME_S)
    watch = Watch(MemoryStore(), air.watch(), config=Config("simulated watch"), world=world)
    phone = Phone(MemoryStore(), air.phone(), config=Config("simulated phone"), world=world)
    async with watch, phone:
        yield Sides(watch, phone, air, Person(random, watch))
