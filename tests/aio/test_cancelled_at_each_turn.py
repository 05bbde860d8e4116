"""Calls cancelled at each turn of the loop that they take, not only where a wait begins; stores and links are slow."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import count

import pytest

from blechannel.aio.channel import Channel
from blechannel.errors import BlechannelError
from blechannel.pairing.bonds import BondBook
from blechannel.pairing.changes import Change
from blechannel.services import echo
from blechannel.stores.memory import MemoryStore
from tests.aio.rooms import Room, room
from tests.aio.virtual import now_s, on_virtual_clock

MOST_TURNS = 300
LEAVING_S = 15.0


class SlowStore(MemoryStore):
    """Takes some turns of the loop for each change."""

    TURNS = 3

    async def apply(self, change: Change) -> BondBook:
        for _ in range(self.TURNS):
            await asyncio.sleep(0)
        book = await super().apply(change)
        await asyncio.sleep(0)
        return book


async def cancelled_after(turns: int, work: Awaitable[object]) -> bool:
    """Whether `work` was still under way after that many turns, and so was cancelled; it ends in bounded time."""

    async def run() -> object:
        return await work

    task = asyncio.create_task(run())
    for _ in range(turns):
        await asyncio.sleep(0)
    is_cancelled = task.cancel()
    began_s = now_s()
    await asyncio.wait({task})
    assert now_s() - began_s <= LEAVING_S
    if is_cancelled:
        assert task.cancelled(), f"a cancellation was swallowed: {task!r}"
    return is_cancelled


async def works(r: Room) -> None:
    """By the bond if there is one that works, else by a new pairing."""
    try:
        channel = await r.connect()
    except (BlechannelError, TimeoutError):
        channel = await r.pair()
    async with channel, channel.port(echo.PORT) as port:
        await port.send(b"still here")
        assert await port.receive() == b"still here"


async def paired(r: Room) -> None:
    await (await r.pair()).close()


async def nothing(_r: Room) -> None:
    return


async def pair(r: Room) -> Channel:
    return await r.pair()


async def connect(r: Room) -> Channel:
    return await r.connect()


async def connect_and_leave(r: Room) -> None:
    async with await r.connect() as channel, channel.port(echo.PORT) as port:
        await port.send(b"x" * 2000)
        await port.receive()


@pytest.mark.parametrize(
    ("before", "work"), [(nothing, pair), (paired, connect), (paired, connect_and_leave)], ids=lambda f: f.__name__
)
def test_cancelled_at_each_turn(
    before: Callable[[Room], Awaitable[None]], work: Callable[[Room], Awaitable[object]]
) -> None:
    @on_virtual_clock
    async def run() -> None:
        for turns in count(1):
            assert turns < MOST_TURNS
            async with room(make_store=SlowStore) as r:
                r.watch.serve(echo.PORT, echo.echo)
                await before(r)
                if not await cancelled_after(turns, work(r)):
                    assert turns > 10
                    return
                assert not r.phone.channels
                await works(r)

    run()


@pytest.mark.parametrize("side", ["phone", "watch"])
def test_a_side_that_closes_at_each_turn_of_a_reconnect(side: str) -> None:
    """The other call ends with a named error or a channel that is over."""

    @on_virtual_clock
    async def run() -> None:
        for turns in range(60):
            async with room(make_store=SlowStore) as r:
                await paired(r)
                found = await r.phone.find()
                connecting = asyncio.create_task(r.phone.connect(found))
                for _ in range(turns):
                    await asyncio.sleep(0)
                began_s = now_s()
                await (r.phone if side == "phone" else r.watch).close()
                await asyncio.wait({connecting})
                assert now_s() - began_s <= LEAVING_S
                error = connecting.exception()
                assert error is None or isinstance(error, BlechannelError)
                if error is None:
                    await connecting.result().wait_over()

    run()
