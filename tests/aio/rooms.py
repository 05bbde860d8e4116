"""Watches and phones on the loopback air: one of each with the stores and links that a test asks for, or several."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from blechannel.aio.channel import Channel
from blechannel.aio.household import World
from blechannel.aio.phone import FoundWatch, Phone
from blechannel.aio.watch import Watch, WatchEvent
from blechannel.config import Config
from blechannel.pairing.bonds import Bond
from blechannel.pairing.changes import BondStore
from blechannel.roles import Role
from blechannel.session.credentials import Credentials
from blechannel.stores.memory import MemoryStore
from blechannel.stores.sqlite import SqliteStore
from blechannel.transports.loopback import LoopbackAir, LoopbackLink, loopback_pair

WALL_S = 1_800_000_000.0
LONGEST_S = 4 * 3600.0


class Room:
    """Both sides, and the links between them, the phone's ends."""

    def __init__(self, stores: dict[Role, BondStore], *, config: Config, world: World, **link: int) -> None:
        self.links: list[LoopbackLink] = []
        self._link = link
        self._air = air = LoopbackAir(join=self._join)
        self.watch = Watch(stores[Role.WATCH], air.watch(), config=config, world=world)
        self.phone = Phone(stores[Role.PHONE], air.phone(), config=config, world=world)

    def _join(self) -> tuple[LoopbackLink, LoopbackLink]:
        ends = loopback_pair(**self._link)  # type: ignore[arg-type]
        self.links.append(ends[0])
        return ends

    def air_is_quiet(self) -> bool:
        """Whether nobody scans."""
        return not self._air._scanners

    async def pair(self) -> Channel:
        window = self.watch.window or self.watch.open_pairing()
        return await self.phone.pair(await self.phone.find(), typing(lambda: window.code))

    async def connect(self) -> Channel:
        return await self.phone.connect(await self.phone.find())

    async def other_end(self) -> Channel:
        """The watch's channel, once it stands."""
        while not self.watch.channels:
            await asyncio.sleep(0.001)
        return self.watch.channels[0]


def typing(code: Callable[[], str]) -> Callable[[], Awaitable[str]]:
    """A person who types that at once."""

    async def ask() -> str:
        return code()

    return ask


@asynccontextmanager
async def room(
    folder: Path | None = None,
    *,
    config: Config = Config("side"),  # noqa: B008 - frozen
    world: World = World(),  # noqa: B008 - frozen
    make_store: Callable[[], BondStore] = MemoryStore,
    **link: int,
) -> AsyncGenerator[Room, None]:
    """A room that leaves no task behind; bonds are in files in `folder`, or in stores made by `make_store`."""
    stores: dict[Role, BondStore] = {role: await _open(folder, role) if folder else make_store() for role in Role}
    ours = Room(stores, config=config, world=world, **link)
    try:
        async with ours.watch, ours.phone:
            yield ours
    finally:
        for store in stores.values():
            await store.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def _open(folder: Path, role: Role) -> BondStore:
    return await SqliteStore.open(folder / f"{role.value}.db", role=role)


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


class House:
    """Any number of watches and phones. Their wall clock stands still: no jump of time makes an advertisement old."""

    def __init__(self) -> None:
        self.air = LoopbackAir()
        self.watches: list[Watch] = []
        self.phones: list[Phone] = []
        self.world = World(unix_time=lambda: WALL_S)
        self.stack = AsyncExitStack()

    async def add_watch(
        self,
        store: MemoryStore | None = None,
        *,
        guest_ports: frozenset[str] = frozenset(),
        credentials: Credentials | None = None,
    ) -> Watch:
        name = f"watch-{len(self.watches) + 1}"
        watch = Watch(
            store or MemoryStore(),
            self.air.watch(address=name),
            config=Config(name, guest_ports=guest_ports),
            world=self.world,
            credentials=credentials,
        )
        self.watches.append(await self.stack.enter_async_context(watch))
        return watch

    async def add_phone(self, store: MemoryStore | None = None, *, credentials: Credentials | None = None) -> Phone:
        config = Config(f"phone-{len(self.phones) + 1}")
        phone = Phone(
            store or MemoryStore(), self.air.phone(), config=config, world=self.world, credentials=credentials
        )
        self.phones.append(await self.stack.enter_async_context(phone))
        return phone

    async def pair(self, phone: Phone, watch: Watch) -> Channel:
        window = watch.open_pairing()
        return await phone.pair(await self.seen(phone, watch), typing(lambda: window.code))

    async def seen(self, phone: Phone, watch: Watch) -> FoundWatch:
        """The watch as this phone sees it now."""
        name = f"watch-{self.watches.index(watch) + 1}"
        async with asyncio.timeout(30):
            watches = phone.scan()
            async for found in watches:
                if found.address == name:
                    await watches.aclose()
                    return found
        raise AssertionError("the scan ended")


@asynccontextmanager
async def house() -> AsyncGenerator[House, None]:
    """On the virtual clock, where a watch's advertisements would keep a test going that waits for what never comes."""
    ours = House()
    async with asyncio.timeout(LONGEST_S), ours.stack:
        yield ours
    assert asyncio.all_tasks() == {asyncio.current_task()}


def bond_of(watch: Watch, phone: str) -> Bond:
    """The watch's bond with the phone of this name."""
    [bond] = [bond for bond in watch.members.bonds if bond.peer_name == phone]
    return bond


def channel_of(watch: Watch, phone: str) -> Channel:
    """The watch's channel with the phone of this name."""
    [channel] = [channel for channel in watch.channels if channel.bond.peer_name == phone]
    return channel


async def happened(watch: Watch, kind: type[WatchEvent]) -> WatchEvent:
    """The next event of this kind, in bounded time."""
    async with asyncio.timeout(10):
        events = watch.events()
        async for event in events:
            if isinstance(event, kind):
                await events.aclose()
                return event
    raise AssertionError("no such event")
