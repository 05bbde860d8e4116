"""A watch and a phone with outboxes on the loopback air, over queues in memory or in files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from blechannel.aio.channel import Channel
from blechannel.aio.household import World
from blechannel.aio.outbox import MAX_BYTES, Outbox
from blechannel.aio.phone import Phone
from blechannel.aio.queues.queue import OutboxQueue
from blechannel.aio.queues.store import QueueStore
from blechannel.aio.watch import Watch
from blechannel.config import Config
from blechannel.delivery.events import OutboxEvent
from blechannel.delivery.policies import BestEffort, Latest, Ordered, Policy
from blechannel.stores.memory import MemoryStore
from blechannel.stores.outbox_memory import MemoryQueues
from blechannel.stores.outbox_sqlite import SqliteQueues
from blechannel.transports.loopback import LoopbackAir
from tests.aio.rooms import typing

POLICIES: Mapping[str, Policy] = {"journal": Ordered(), "gauge": Latest(), "motion": BestEffort()}
SOON_S = 10.0


class Sides:
    """Both, and what each has."""

    def __init__(self) -> None:
        self.air = LoopbackAir()
        self.stores = MemoryStore(), MemoryStore()
        self.watch: Watch
        self.phone: Phone
        self.of_watch: Outbox
        self.of_phone: Outbox
        self.queues: tuple[QueueStore, QueueStore]

    async def pair(self) -> Channel:
        window = self.watch.open_pairing()
        return await self.phone.pair(await self.phone.find(), typing(lambda: window.code))

    async def connect(self) -> Channel:
        return await self.phone.connect(await self.phone.find())

    @property
    def on_watch(self) -> bytes:
        """The bond that the watch made last."""
        return list(self.stores[0].book.bonds)[-1]

    @property
    def on_phone(self) -> bytes:
        return list(self.stores[1].book.bonds)[-1]

    def from_watch(self, port: str = "journal") -> OutboxQueue:
        return self.of_watch.queue(self.on_watch, port)

    def at_phone(self, port: str = "journal") -> OutboxQueue:
        return self.of_phone.queue(self.on_phone, port)


@asynccontextmanager
async def sides(
    folder: Path | None = None,
    *,
    policies: Mapping[str, Policy] = POLICIES,
    of_phone: Mapping[str, Policy] | None = None,
    max_bytes: int = MAX_BYTES,
    world: World = World(),  # noqa: B008 - frozen
    stores: tuple[MemoryStore, MemoryStore] | None = None,
) -> AsyncGenerator[Sides, None]:
    """Nothing is paired yet, unless `stores` are those of an earlier pairing."""
    ours = Sides()
    if stores is not None:
        ours.stores = stores
    ours.queues = await _queues(folder, "watch"), await _queues(folder, "phone")
    ours.of_watch = Outbox(ours.queues[0], policies, world=world, max_bytes=max_bytes)
    ours.of_phone = Outbox(ours.queues[1], of_phone or policies, world=world, max_bytes=max_bytes)
    async with asyncio.timeout(60), ours.of_watch, ours.of_phone:
        config = Config("watch", guest_ports=frozenset(policies))
        ours.watch = Watch(ours.stores[0], ours.air.watch(), config=config, world=world, outbox=ours.of_watch)
        ours.phone = Phone(ours.stores[1], ours.air.phone(), config=Config("phone"), world=world, outbox=ours.of_phone)
        async with ours.watch, ours.phone:
            yield ours


async def _queues(folder: Path | None, name: str) -> QueueStore:
    return MemoryQueues() if folder is None else await SqliteQueues.open(folder / f"{name}.queues")


async def next_event(outbox: Outbox, kind: type[OutboxEvent]) -> OutboxEvent:
    """The next event of this kind."""
    async with asyncio.timeout(SOON_S):
        events = outbox.events()
        async for event in events:
            if isinstance(event, kind):
                await events.aclose()
                return event
    raise AssertionError("no such event")


async def until(condition: Callable[[], bool]) -> None:
    """In bounded time."""
    async with asyncio.timeout(SOON_S):
        while not condition():
            await asyncio.sleep(0.001)
