"""A channel's contract: what it is before, while and after it stands, and how its services end."""

from __future__ import annotations

import asyncio
import logging

import pytest

from blechannel.aio.channel import FINISH_S
from blechannel.aio.port import Port
from blechannel.errors import BondNotFound, LinkLost, LocalProtocolError
from blechannel.pairing.changes import Forget
from blechannel.services import echo
from tests.aio.rooms import room
from tests.aio.virtual import now_s, on_virtual_clock


@on_virtual_clock
async def test_what_a_channel_tells() -> None:
    async with room(phone_max_fragment_bytes=101) as r:
        async with await r.pair() as channel:
            assert channel.peer == "watch"
            assert channel.max_fragment_bytes == 101
            assert channel.posture.transport == "loopback"
            assert channel.was_established
            assert channel.error is None
            assert channel.bond == next(iter(r.phone.store.book.bonds.values()))
            assert repr(channel) == "Channel(watch, established)"
            channel.check()
        assert not channel.is_open
        assert channel.was_established
        with pytest.raises(LocalProtocolError, match="is closed"):
            channel.check()
        channel.check_cut_off()


@on_virtual_clock
async def test_the_bond_of_a_channel_may_be_removed() -> None:
    async with room() as r:
        channel = await r.pair()
        await r.phone.store.apply(Forget(channel.bond.bond_id))
        with pytest.raises(BondNotFound):
            _ = channel.bond


@on_virtual_clock
async def test_a_cut_is_no_end() -> None:
    async with room() as r:
        channel = await r.pair()
        r.links[-1].drop("out of range")
        await channel.wait_over()
        assert isinstance(channel.error, LinkLost)
        with pytest.raises(LinkLost, match="out of range"):
            channel.check()
        await channel.close()


@on_virtual_clock
async def test_closing_many_times_at_once() -> None:
    async with room() as r:
        channel, other = await r.pair(), await r.other_end()
        await asyncio.gather(*(end.close() for end in (channel, other, channel, other)))
        assert channel.error is None
        assert other.error is None


@on_virtual_clock
async def test_a_service_may_close_its_channel() -> None:
    async def goodbye(port: Port) -> None:
        await port.receive()
        await port.channel.close()

    async with room() as r:
        r.watch.serve("goodbye", goodbye)
        channel, other = await r.pair(), await r.other_end()
        async with channel.port("goodbye") as port:
            began_s = now_s()
            await port.send(b"please close")
            await other.wait_over()
        assert other.error is None
        assert now_s() - began_s < 1.0, "nobody waited for somebody who waits"


@pytest.mark.parametrize("count", [1, 8])
def test_services_that_do_not_end_are_dismissed_together(count: int) -> None:
    async def sleepy(_port: Port) -> None:
        await asyncio.sleep(3600)

    @on_virtual_clock
    async def run() -> None:
        async with room() as r:
            r.watch.serve("sleepy", sleepy)
            channel, other = await r.pair(), await r.other_end()
            for number in range(count):
                other.serve(f"sleepy {number}", sleepy)
                channel.port(f"sleepy {number}").open()
            await asyncio.sleep(1)
            assert len(other._tasks) == count
            began_s = now_s()
            await channel.close()
            await other.wait_over()
            assert FINISH_S <= now_s() - began_s < FINISH_S + 1

    run()


def test_a_service_that_cannot_be_cancelled_holds_nobody_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    enough = asyncio.Event()

    async def stubborn(_port: Port) -> None:
        while not enough.is_set():
            try:
                await enough.wait()
            except asyncio.CancelledError:
                continue

    @on_virtual_clock
    async def run() -> None:
        async with room() as r:
            r.watch.serve("stubborn", stubborn)
            channel, other = await r.pair(), await r.other_end()
            channel.port("stubborn").open()
            await asyncio.sleep(1)
            began_s = now_s()
            await channel.close()
            await other.wait_over()
            assert now_s() - began_s < 2 * FINISH_S + 1
            enough.set()
            await asyncio.sleep(0)

    with caplog.at_level(logging.ERROR):
        run()
    assert "does not end though it was cancelled" in caplog.text


@on_virtual_clock
async def test_a_service_that_is_cancelled_ends_its_port_only() -> None:
    async def gives_up(_port: Port) -> None:
        raise asyncio.CancelledError

    async with room() as r:
        r.watch.serve("gives up", gives_up)
        r.watch.serve(echo.PORT, echo.echo)
        channel = await r.pair()
        async with channel.port("gives up") as port, channel.port(echo.PORT) as other:
            with pytest.raises(EOFError):
                await port.receive()
            await other.send(b"still here")
            assert await other.receive() == b"still here"


@on_virtual_clock
async def test_undelivered_records_are_counted() -> None:
    """The watch says CLOSE before it has heard what the phone said last."""
    async with room() as r:
        channel, other = await r.pair(), await r.other_end()
        async with channel.port("a") as port:
            await port.send(b"first")
            await asyncio.sleep(1)
            closing = asyncio.create_task(other.close())
            await port.send(b"crosses the CLOSE")
            await closing
        await channel.wait_over()
        assert channel.error is None
        assert channel.undelivered == 1
