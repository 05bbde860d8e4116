"""Any number of watches, each with a channel to one of the phones of a gateway; every handshake is a real one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from blechannel.aio.channel import Channel
from blechannel.aio.household import World
from blechannel.aio.person import OutOfBand
from blechannel.aio.phone import FoundWatch, Phone
from blechannel.aio.watch import Joined, Watch
from blechannel.config import Config, Policy
from blechannel.limits import Patience
from blechannel.methods import Method
from blechannel.stores.memory import MemoryStore
from blechannel.transports.loopback import LoopbackAir
from blechannel.transports.loopback.link import LoopbackLink, loopback_pair

FRAGMENT_BYTES = 244
"""ATT_MTU 247, what today's phones agree on."""
BONDS_A_PHONE = 250
"""Of the 4,096 that a phone may hold: each bond that comes costs a look at those that are there."""
CLASSICAL = Policy(hybrid=False)
"""Pairing is not what a fleet measures: out of band and without ML-KEM it takes a few milliseconds."""

Join = Callable[[], tuple[LoopbackLink, LoopbackLink]]


def _join() -> tuple[LoopbackLink, LoopbackLink]:
    return loopback_pair(phone_max_fragment_bytes=FRAGMENT_BYTES, watch_max_fragment_bytes=FRAGMENT_BYTES)


@dataclass(frozen=True, slots=True)
class Pair:
    """Both ends of one watch's channel."""

    watch: Channel
    phone: Channel


class Fleet:
    """The households; `pairs` are the channels between them, in the order in which they came to stand."""

    def __init__(self, *, world: World, join: Join, patience: Patience, bonds_a_phone: int) -> None:
        self._air = LoopbackAir(join=join)
        self._world = world
        self._patience = patience
        self._bonds_a_phone = bonds_a_phone
        self.pairs: list[Pair] = []
        self.phones: list[Phone] = []
        self.watches: list[Watch] = []

    async def add(self) -> Pair:
        """One more watch, paired with the newest phone, or with one more where that has its share."""
        number = len(self.watches)
        if not number % self._bonds_a_phone:
            config = Config(f"gateway-{len(self.phones)}", policy=CLASSICAL, patience=self._patience)
            self.phones.append(Phone(MemoryStore(), self._air.phone(), config=config, world=self._world))
        address = f"watch-{number}"
        config = Config(address, policy=CLASSICAL, patience=self._patience)
        watch = Watch(MemoryStore(), self._air.watch(address=address), config=config, world=self._world)
        self.watches.append(watch)
        await watch.start()
        found = FoundWatch(address, rssi_dbm=None, bond=None, pairing_open=True)
        ticket = watch.open_pairing(Method.OUT_OF_BAND).ticket()
        phone_end = await self.phones[-1].pair(found, OutOfBand(ticket))
        pair = Pair(await _joined(watch), phone_end)
        self.pairs.append(pair)
        return pair

    async def close(self) -> None:
        """CLOSE every channel, all at once."""
        await asyncio.gather(*(phone.close() for phone in self.phones))
        await asyncio.gather(*(watch.close() for watch in self.watches))


@asynccontextmanager
async def fleet_of(
    count: int,
    *,
    grew: Callable[[int], None] = lambda _: None,
    world: World = World(),  # noqa: B008 - frozen
    join: Join = _join,
    patience: Patience = Patience(),  # noqa: B008 - frozen
    bonds_a_phone: int = BONDS_A_PHONE,
) -> AsyncGenerator[Fleet, None]:
    """`count` watches whose channels stand; `grew` is told how many do so far."""
    fleet = Fleet(world=world, join=join, patience=patience, bonds_a_phone=bonds_a_phone)
    try:
        for number in range(count):
            await fleet.add()
            grew(number + 1)
        yield fleet
    finally:
        await fleet.close()


async def _joined(watch: Watch) -> Channel:
    async for event in watch.events():
        if isinstance(event, Joined):
            return event.channel
    raise AssertionError("a watch's events end with it")
