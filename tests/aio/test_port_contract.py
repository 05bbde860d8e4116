"""A port's contract: what `send`, `receive`, `open` and `shut` raise, and who is woken when."""

from __future__ import annotations

import asyncio

import pytest

from blechannel.aio.channel import Channel
from blechannel.aio.pump import CONGESTED_BYTES
from blechannel.errors import LinkLost, LocalProtocolError
from blechannel.limits import MAX_PORTS
from tests.aio.rooms import Room, room


async def congest(channel: Channel) -> None:
    """Say so much, without a wait, that whoever looks before the next flush has to wait."""
    port = channel.port("filler")
    port.open()
    while not channel.pump.is_congested():
        await port.send(bytes(1000))


async def both(r: Room) -> tuple[Channel, Channel]:
    return await r.pair(), await r.other_end()


async def test_a_port_opens_once() -> None:
    async with room() as r:
        channel = await r.pair()
        async with channel.port("a") as port:
            assert channel.port("a") is port
            assert port.channel is channel
            assert repr(port) == "Port('a')"
            with pytest.raises(LocalProtocolError, match="open already"):
                port.open()


@pytest.mark.parametrize("name", ["", "x" * 33, "\ud800"])
async def test_a_name_that_is_none(name: str) -> None:
    async with room() as r:
        channel = await r.pair()
        with pytest.raises(LocalProtocolError, match="port name"):
            channel.port(name).open()
        assert channel.is_open


async def test_so_many_ports_and_no_more() -> None:
    async with room() as r:
        channel = await r.pair()
        ports = [channel.port(str(number)) for number in range(MAX_PORTS)]
        for port in ports:
            port.open()
        with pytest.raises(LocalProtocolError, match="no port is left"):
            channel.port("one more").open()
        ports[0].shut()
        channel.port("one more").open()


async def test_nothing_is_sent_before_it_opens_and_after_it_is_shut() -> None:
    async with room() as r:
        port = (await r.pair()).port("a")
        with pytest.raises(LocalProtocolError, match="not open"):
            await port.send(b"too early")
        async with port:
            await port.send(b"in time")
        port.shut()
        with pytest.raises(LocalProtocolError, match="not open"):
            await port.send(b"too late")
        assert [message async for message in (await r.other_end()).port("a")] == [b"in time"]


async def test_a_message_that_is_too_long_is_not_sent() -> None:
    async with room() as r:
        channel, other = await both(r)
        async with channel.port("a") as port:
            with pytest.raises(LocalProtocolError, match="the peer takes"):
                await port.send(bytes(channel.max_message_bytes + 1))
            longest = bytes(channel.max_message_bytes)
            await port.send(longest)
            assert await other.port("a").receive() == longest


async def test_one_task_receives() -> None:
    async with room() as r:
        channel, other = await both(r)
        async with channel.port("a") as port:
            first = asyncio.create_task(other.port("a").receive())
            await asyncio.sleep(0)
            with pytest.raises(LocalProtocolError, match="another task"):
                await other.port("a").receive()
            await port.send(b"for the first")
            assert await first == b"for the first"


async def test_what_came_before_the_cut_is_read_and_then_it_raises() -> None:
    async with room() as r:
        channel, other = await both(r)
        async with channel.port("a") as port:
            await port.send(b"came through")
            reader = other.port("a")
            while not reader._inbox:
                await asyncio.sleep(0)
            r.links[-1].drop("gone")
            await channel.wait_over()
            assert await reader.receive() == b"came through"
            with pytest.raises(LinkLost):
                await reader.receive()
            with pytest.raises(LinkLost):
                port.open()


async def test_the_end_of_a_channel_is_the_end_of_its_ports() -> None:
    async with room() as r:
        channel, other = await both(r)
        receiving = asyncio.create_task(other.port("a").receive())
        await channel.close()
        with pytest.raises(EOFError, match="has shut"):
            await receiving
        with pytest.raises(LocalProtocolError, match="is closed"):
            await other.port("a").send(b"nobody is there")


async def test_a_port_that_is_asked_for_after_the_end_is_at_its_end() -> None:
    async with room() as r:
        channel, other = await both(r)
        await channel.close()
        await other.wait_over()
        for each in (channel, other):
            with pytest.raises(EOFError):
                await each.port("new").receive()


async def test_shutting_a_port_wakes_its_senders() -> None:
    async with room() as r:
        channel = await r.pair()
        port = channel.port("a")
        sending = [asyncio.create_task(port.send(b"x")) for _ in range(3)]
        port.open()
        await congest(channel)
        await asyncio.sleep(0)
        port.shut()
        for task in sending:
            with pytest.raises(LocalProtocolError, match="not open"):
                await task


async def test_a_woken_sender_that_may_not_send_gives_its_turn_to_the_next() -> None:
    async with room() as r:
        channel, other = await both(r)
        port = channel.port("a")
        too_long = asyncio.create_task(port.send(bytes(channel.max_message_bytes + 1)))
        fits = asyncio.create_task(port.send(b"fits"))
        port.open()
        await congest(channel)
        async with asyncio.timeout(5):
            with pytest.raises(LocalProtocolError, match="the peer takes"):
                await too_long
            await fits
            assert await other.port("a").receive() == b"fits"


async def test_senders_of_a_congested_link_are_woken_when_it_has_caught_up() -> None:
    async with room() as r:
        channel = await r.pair()
        port = channel.port("a")
        sending = asyncio.create_task(port.send(b"x"))
        port.open()
        await congest(channel)
        async with asyncio.timeout(5):
            while not sending.done():
                queued_bytes = channel.session.stream.queued_bytes
                await asyncio.sleep(0)
        await sending
        assert queued_bytes <= CONGESTED_BYTES // 2, "it is woken at half, not at each fragment"
