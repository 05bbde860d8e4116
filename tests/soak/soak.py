"""Hours of a household's life on a clock that jumps, with faults at every layer, and what it leaves behind.

A phone keeps its watches; each of them sends messages that must arrive once and in order. Meanwhile fragments are lost,
doubled, swapped, cut, changed and held up, links break, and the stores of both sides refuse now and then.
"""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from blechannel.aio.household import World
from blechannel.aio.keep import Kept
from blechannel.aio.keep_policy import KeepPolicy
from blechannel.aio.outbox import Outbox
from blechannel.aio.person import OutOfBand
from blechannel.aio.phone import FoundWatch, Phone
from blechannel.aio.queues.store import Act
from blechannel.aio.watch import Watch
from blechannel.config import Config, Policy
from blechannel.delivery.changes import Change as QueueChange
from blechannel.delivery.policies import Ordered
from blechannel.errors import StoreError
from blechannel.methods import Method
from blechannel.pairing.bonds import BondBook
from blechannel.pairing.changes import Change
from blechannel.stores.memory import MemoryStore
from blechannel.stores.outbox_memory import MemoryQueues
from blechannel.transports.loopback import LoopbackAir, LoopbackLink, RandomFaults, Rates, loopback_pair
from tests.aio.rooms import WALL_S
from tests.aio.virtual import now_s

JOURNAL = "journal"
POLICIES = {JOURNAL: Ordered(max_messages=200)}
RATES = Rates(drop=2e-3, duplicate=1e-3, recut=1e-3, corrupt=1e-3, swap=1e-3, stall=2e-3, stall_s=2.0)
KEEPING = KeepPolicy(first_s=0.5, most_s=10.0)
REFUSED = 0.05
"""The chance that a store refuses a change."""
MEAN_PAUSE_S = 4.0
"""Between a watch's messages."""
MEAN_LINK_S = 120.0
"""Until a link breaks by itself."""
LONGEST_MESSAGE_BYTES = 600
SETTLE_S = 300.0
"""In which everything that was sent arrives once the faults have ended."""


@dataclass
class Troubles:
    """Whether things go wrong now, and by what chance; the same seed, the same troubles."""

    random: Random
    are_on: bool = False
    count: int = 0

    def strikes(self, chance: float) -> bool:
        strikes = self.are_on and self.random.random() < chance
        self.count += strikes
        return strikes


class ShakyStore(MemoryStore):
    """A bond store that refuses now and then."""

    def __init__(self, troubles: Troubles) -> None:
        super().__init__(wall_clock=lambda: WALL_S)
        self._troubles = troubles

    async def apply(self, change: Change) -> BondBook:
        if self._troubles.strikes(REFUSED):
            raise StoreError("the disk refuses")
        return await super().apply(change)


class ShakyQueues(MemoryQueues):
    """Queues that refuse now and then."""

    def __init__(self, troubles: Troubles) -> None:
        super().__init__()
        self._troubles = troubles

    def write(self, changes: Sequence[QueueChange], act: Act | None = None) -> asyncio.Future[None]:
        if not self._troubles.strikes(REFUSED):
            return super().write(changes, act)
        refused: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        refused.set_exception(StoreError("the disk refuses"))
        refused.exception()  # nobody need look
        return refused


@dataclass
class Life:
    """One watch's: what it has sent, and what the phone got."""

    watch: Watch
    outbox: Outbox
    bond_of_watch: bytes
    bond_of_phone: bytes
    kept: Kept | None = None
    sent: int = 0
    got: int = 0

    def events(self) -> tuple[AsyncGenerator[object, None], ...]:
        """What a display shows; where nobody looks, the last of it is kept, and with it what it tells of."""
        return self.watch.events(), self.outbox.events()


@dataclass(frozen=True)
class Mark:
    """What is there at one moment at which nothing is under way."""

    memory_bytes: int
    tasks: int
    descriptors: int


@dataclass
class Household:
    """The phone, its watches and their air."""

    troubles: Troubles
    phone: Phone
    outbox: Outbox
    air: LoopbackAir
    lives: list[Life] = field(default_factory=list)
    links: list[LoopbackLink] = field(default_factory=list)
    breaks: int = 0

    async def live(self, seconds: float) -> None:
        """So long in trouble, then without until everything has arrived."""
        self.troubles.are_on = True
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._send(life, now_s() + seconds)) for life in self.lives]
            cutting = group.create_task(self._break_links())
            await asyncio.wait(tasks)
            self.troubles.are_on = False
            cutting.cancel()
        async with asyncio.timeout(SETTLE_S):
            while any(life.got < life.sent for life in self.lives):
                await asyncio.sleep(1.0)
        await asyncio.sleep(60.0)

    def mark(self) -> Mark:
        """What is there now."""
        gc.collect()
        descriptors = Path("/proc/self/fd")
        count = len(list(descriptors.iterdir())) if descriptors.is_dir() else 0
        return Mark(tracemalloc.get_traced_memory()[0], len(asyncio.all_tasks()), count)

    async def receive(self, life: Life) -> None:
        """The phone's application: messages must be the next ones, one after the other."""
        queue = self.outbox.queue(life.bond_of_phone, JOURNAL)
        while True:
            with suppress(StoreError):
                async with queue.next() as delivery:
                    number = int.from_bytes(delivery.message[:8], "big")
                    assert number == life.got, f"message {number} after {life.got} others"
                life.got += 1

    async def _send(self, life: Life, until_s: float) -> None:
        random, queue = self.troubles.random, life.outbox.queue(life.bond_of_watch, JOURNAL)
        while now_s() < until_s:
            await asyncio.sleep(random.expovariate(1 / MEAN_PAUSE_S))
            with suppress(StoreError):  # then it was not sent
                await queue.send(life.sent.to_bytes(8, "big") + bytes(random.randrange(LONGEST_MESSAGE_BYTES)))
                life.sent += 1

    async def _break_links(self) -> None:
        while True:
            await asyncio.sleep(self.troubles.random.expovariate(len(self.lives) / MEAN_LINK_S))
            standing = [link for link in self.links if not link.ended]
            if standing:
                self.breaks += 1
                self.troubles.random.choice(standing).drop("out of reach")


class ShakyFaults:
    """Faults by chance, while there are troubles."""

    def __init__(self, troubles: Troubles) -> None:
        self._troubles = troubles
        self._faults, self._none = (RandomFaults(troubles.random, rates) for rates in (RATES, Rates()))

    def pass_on(self, fragment: bytes) -> object:
        return (self._faults if self._troubles.are_on else self._none).pass_on(fragment)


@asynccontextmanager
async def household(watches: int, seed: int) -> AsyncGenerator[Household, None]:
    """A phone that keeps `watches` watches, all paired."""
    troubles = Troubles(Random(seed))
    links: list[LoopbackLink] = []

    def join() -> tuple[LoopbackLink, LoopbackLink]:
        links[:] = [link for link in links if not link.ended]
        ends = loopback_pair()
        for end in ends:
            end.faults = ShakyFaults(troubles)  # type: ignore[assignment]
        links.append(ends[0])
        return ends

    world = World(random=troubles.random.randbytes, unix_time=lambda: WALL_S)
    air, config = LoopbackAir(join=join), Config("side", policy=Policy(hybrid=False))
    async with AsyncExitStack() as stack:
        outbox = await stack.enter_async_context(Outbox(ShakyQueues(troubles), POLICIES, world=world))
        phone = Phone(ShakyStore(troubles), air.phone(), config=config, world=world, outbox=outbox)
        home = Household(troubles, await stack.enter_async_context(phone), outbox, air, links=links)
        for number in range(watches):
            home.lives.append(await _add_watch(home, stack, f"watch-{number}", config=config, world=world))
        for life in home.lives:
            life.kept = await stack.enter_async_context(phone.keep(life.bond_of_phone, policy=KEEPING))
        async with asyncio.TaskGroup() as group:
            receiving = [group.create_task(home.receive(life)) for life in home.lives]
            events = [home.outbox.events(), *(each for life in home.lives for each in life.events())]
            looking = [group.create_task(_look_on(each)) for each in events]
            yield home
            for task in (*receiving, *looking):
                task.cancel()


async def _look_on(events: AsyncGenerator[object, None]) -> None:
    async with aclosing(events):
        async for _ in events:
            """Seen."""


async def _add_watch(home: Household, stack: AsyncExitStack, name: str, *, config: Config, world: World) -> Life:
    outbox = await stack.enter_async_context(Outbox(ShakyQueues(home.troubles), POLICIES, world=world))
    watch = Watch(ShakyStore(home.troubles), home.air.watch(address=name), config=config, world=world, outbox=outbox)
    await stack.enter_async_context(watch)
    ticket = watch.open_pairing(Method.OUT_OF_BAND).ticket()
    channel = await home.phone.pair(FoundWatch(name, None, None, pairing_open=True), OutOfBand(ticket))
    [bond] = watch.store.book.bonds.values()
    return Life(watch, outbox, bond.bond_id, channel.bond_id)
