"""A reader that does not read stops its own sender, both ways, in bounded memory; a slow link stops every sender."""

from __future__ import annotations

import asyncio

import pytest

from blechannel.aio.channel import Channel
from blechannel.aio.port import Port
from blechannel.aio.pump import CONGESTED_BYTES
from blechannel.limits import PORT_WINDOW_BYTES
from blechannel.roles import Role
from blechannel.services import echo
from blechannel.session.ports import MESSAGE_OVERHEAD_BYTES
from tests.aio.rooms import room
from tests.aio.virtual import on_virtual_clock

MESSAGE = bytes(1000)
COVERED = PORT_WINDOW_BYTES // (len(MESSAGE) + MESSAGE_OVERHEAD_BYTES)


class Flood:
    """Sends numbered messages as fast as it may."""

    def __init__(self, channel: Channel, name: str) -> None:
        self.sent = 0
        self.most_queued_bytes = 0
        self._channel = channel
        self._port = channel.port(name)
        self.task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        async with self._port:
            while True:
                await self._port.send(MESSAGE)
                self.sent += 1
                queued_bytes = self._channel.session.stream.queued_bytes
                self.most_queued_bytes = max(self.most_queued_bytes, queued_bytes)

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.wait({self.task})


def unread_bytes(port: Port) -> int:
    return sum(len(message.message) for message in port._inbox)


@pytest.mark.parametrize("sender", list(Role))
def test_what_is_not_read_is_bounded_and_what_is_read_makes_room(sender: Role) -> None:
    @on_virtual_clock
    async def run() -> None:
        async with room() as r:
            ends = [await r.pair(), await r.other_end()]
            if sender is Role.WATCH:
                ends.reverse()
            writing, reading = ends
            reading.serve(echo.PORT, echo.echo)
            flood = Flood(writing, "unread")
            await asyncio.sleep(100)
            reader = reading.port("unread")
            assert flood.sent == COVERED
            assert unread_bytes(reader) == COVERED * len(MESSAGE)
            async with writing.port(echo.PORT) as port:
                await port.send(b"others go on")
                assert await port.receive() == b"others go on"
            taken = 0
            while flood.sent == COVERED:
                await reader.receive()
                taken += 1
                await asyncio.sleep(0.1)
            assert taken * (len(MESSAGE) + MESSAGE_OVERHEAD_BYTES) >= PORT_WINDOW_BYTES // 2, "in large portions"
            assert flood.sent == COVERED + taken, "and all of the portion is used at once"
            await flood.stop()

    run()


@pytest.mark.parametrize("capacity", [1, 2, 64])
def test_a_link_that_is_behind_stops_its_senders_in_bounded_memory(capacity: int) -> None:
    @on_virtual_clock
    async def run() -> None:
        async with room(capacity=capacity) as r:
            channel, other = await r.pair(), await r.other_end()
            floods = [Flood(channel, str(number)) for number in range(4)]
            readers = [asyncio.create_task(_read(other.port(str(number)), 100)) for number in range(4)]
            await asyncio.wait(readers)
            for flood in floods:
                assert flood.sent >= 100
                assert flood.most_queued_bytes < CONGESTED_BYTES + 2 * len(MESSAGE)
                await flood.stop()

    run()


@on_virtual_clock
async def test_both_ways_at_once() -> None:
    async with room(capacity=2) as r:
        channel, other = await r.pair(), await r.other_end()
        floods = [Flood(channel, "both"), Flood(other, "both")]
        await asyncio.gather(_read(channel.port("both"), 300), _read(other.port("both"), 300))
        for flood in floods:
            await flood.stop()


async def _read(port: Port, count: int) -> None:
    for _ in range(count):
        assert await port.receive() == MESSAGE
