"""A watch and a phone in one room, on the loopback air, with the stores and links that a test asks for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from blechannel.aio.channel import Channel
from blechannel.aio.household import World
from blechannel.aio.phone import Phone
from blechannel.aio.watch import Watch
from blechannel.config import Config
from blechannel.pairing.bonds import BondStore
from blechannel.roles import Role
from blechannel.stores.memory import MemoryStore
from blechannel.stores.sqlite import SqliteStore
from blechannel.transports.loopback import LoopbackAir, LoopbackLink, loopback_pair


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
