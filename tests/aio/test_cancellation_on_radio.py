"""Calls cancelled at each of their waits over a Bluetooth host stack on a virtual radio, where connecting is long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from blechannel.aio.channel import Channel
from blechannel.aio.phone import Phone
from blechannel.aio.watch import Watch
from blechannel.services import echo
from blechannel.stores.memory import MemoryStore
from blechannel.transports.bumble import BumblePhoneTransport, VirtualRadio
from tests.aio.interrupted import MOST_WAITS, cancelled_at
from tests.aio.rooms import typing


@dataclass
class OnAir:
    """Both sides on one virtual radio."""

    watch: Watch
    phone: Phone

    async def pair(self) -> Channel:
        window = self.watch.window or self.watch.open_pairing()
        return await self.phone.pair(await self.phone.find(), typing(lambda: window.code))

    async def connect(self) -> Channel:
        return await self.phone.connect(await self.phone.find())


@asynccontextmanager
async def on_air() -> AsyncGenerator[OnAir, None]:
    radio = VirtualRadio()
    async with Watch(MemoryStore(), await radio.watch()) as watch, Phone(MemoryStore(), await radio.phone()) as phone:
        watch.serve(echo.PORT, echo.echo)
        yield OnAir(watch, phone)
    await asyncio.sleep(0.02)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def waits_of(work: Callable[[OnAir], Awaitable[Channel]], before: Callable[[OnAir], Awaitable[None]]) -> int:
    """How many waits the call has; cancelled at each of them, on a radio of its own, it leaves nothing connected."""
    for at in range(MOST_WAITS):
        async with on_air() as both:
            await before(both)
            if not await cancelled_at(at, work(both)):
                return at
            assert not both.phone.channels
            await both.phone.close()
            transport = both.phone._transport
            assert isinstance(transport, BumblePhoneTransport)
            assert not transport._device.connections
    raise AssertionError("it never gets through")


async def paired(both: OnAir) -> None:
    await (await both.pair()).close()


async def strangers(_both: OnAir) -> None:
    return


async def test_pairing() -> None:
    async with asyncio.timeout(20):
        assert await waits_of(OnAir.pair, strangers) > 5


async def test_reconnecting() -> None:
    async with asyncio.timeout(20):
        assert await waits_of(OnAir.connect, paired) > 5


async def test_a_scan_that_is_cancelled_stops_scanning() -> None:
    async with on_air() as both:
        for at in range(MOST_WAITS):
            finding = cancelled_at(at, both.phone.find())
            both.watch.close_pairing()
            both.watch.open_pairing()
            is_cancelled = await finding
            transport = both.phone._transport
            assert isinstance(transport, BumblePhoneTransport)
            await asyncio.sleep(0.02)
            assert not transport._device.is_scanning
            if not is_cancelled:
                break
        assert at > 2
        async with await both.pair() as channel, channel.port(echo.PORT) as port:
            await port.send(b"still here")
            assert await port.receive() == b"still here"
