"""A whole channel that talks, and the processor time that both sides take together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import thread_time

from blechannel.aio.channel import Channel
from blechannel.aio.link import PhoneTransport, WatchTransport
from blechannel.aio.phone import Phone
from blechannel.aio.watch import Watch
from blechannel.config import Config, Padding
from blechannel.services.echo import echo
from blechannel.stores.memory import MemoryStore

CONFIG = Config("bench", padding=Padding(1))


@dataclass
class Paired:
    """Both ends of a channel."""

    phone: Channel
    watch: Channel
    _talks: int = 0

    async def stream_s(self, count: int, length_bytes: int) -> float:
        """Processor seconds a message from the watch's `Port.send` to the phone's `Port.receive`."""
        name, message = self._name(), bytes(length_bytes)
        reader = self.phone.port(name)

        async def send() -> None:
            async with self.watch.port(name) as port:
                for _ in range(count):
                    await port.send(message)

        began = thread_time()
        sending = asyncio.create_task(send())
        for _ in range(count):
            await reader.receive()
        seconds = (thread_time() - began) / count
        await sending
        return seconds

    async def round_trip_s(self, count: int, length_bytes: int) -> float:
        """Processor seconds a message to the watch and back, one at a time."""
        name, message = self._name(), bytes(length_bytes)
        self.watch.serve(name, echo)
        async with self.phone.port(name) as port:
            began = thread_time()
            for _ in range(count):
                await port.send(message)
                await port.receive()
            return (thread_time() - began) / count

    def _name(self) -> str:
        self._talks += 1
        return f"talk {self._talks}"


@asynccontextmanager
async def paired(phone_transport: PhoneTransport, watch_transport: WatchTransport) -> AsyncIterator[Paired]:
    """A phone and a watch that have just paired."""
    watch = Watch(MemoryStore(), watch_transport, config=CONFIG)
    async with watch, Phone(MemoryStore(), phone_transport, config=CONFIG) as phone:
        window = watch.open_pairing()

        async def ask_code() -> str:
            return window.code

        channel = await phone.pair(await phone.find(), ask_code)
        while not watch.channels:
            await asyncio.sleep(0)
        yield Paired(channel, watch.channels[0])
