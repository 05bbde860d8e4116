"""What a phone is told when the watch ends something in the middle."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from blechannel.aio.channel import Channel
from blechannel.aio.phone import Phone
from blechannel.aio.watch import Watch
from blechannel.errors import BlechannelError, LocalProtocolError, TransportError, WatchNotFound
from blechannel.services import echo, transfer
from blechannel.stores.memory import MemoryStore
from blechannel.transports.loopback import LoopbackAir
from blechannel_tools.commands.phone_send import close_when_read
from blechannel_tools.output import JsonOutput
from blechannel_tools.reaching import told_when_closed
from blechannel_tools.resuming import TRIES, Sending, send_file


@asynccontextmanager
async def paired() -> AsyncGenerator[tuple[Watch, Phone, Channel], None]:
    air = LoopbackAir()
    async with Watch(MemoryStore(), air.watch()) as watch, Phone(MemoryStore(), air.phone()) as phone:
        window = watch.open_pairing()

        async def code() -> str:
            return window.code

        yield watch, phone, await phone.pair(await phone.find(), code)


async def test_a_closed_channel_is_no_wrong_usage() -> None:
    async with paired() as (watch, _, channel):
        await watch.close()
        await channel.wait_over()
        with pytest.raises(BlechannelError, match="closed the channel before") as told, told_when_closed(channel):
            async with channel.port(echo.PORT):
                pass
        assert not isinstance(told.value, LocalProtocolError)


async def test_wrong_usage_of_an_open_channel_stays_what_it_is() -> None:
    async with paired() as (_, _, channel):
        with pytest.raises(LocalProtocolError), told_when_closed(channel):
            await channel.port("never opened").send(b"")


async def test_a_port_that_the_watch_shuts() -> None:
    async with paired() as (watch, _, channel):

        async def shut_at_once(_port: object) -> None:
            return

        watch.channels[0].serve("silent", shut_at_once)
        with pytest.raises(BlechannelError, match="ended this before it was done"), told_when_closed(channel):
            async with channel.port("silent") as port:
                await port.receive()


async def test_a_watch_that_goes_in_the_middle_is_looked_for_again_and_given_up(
    capsys: pytest.CaptureFixture[str],
) -> None:
    air = LoopbackAir()
    radio = air.watch()
    async with Watch(MemoryStore(), radio) as watch, Phone(MemoryStore(), air.phone()) as phone:
        window = watch.open_pairing()

        async def code() -> str:
            return window.code

        async def vanish(_port: object) -> None:
            await radio.close()

        watch.serve(transfer.PORT, vanish)
        await (await phone.pair(await phone.find(), code)).close()
        options = argparse.Namespace(watch=None, timeout=0.05)
        with pytest.raises(WatchNotFound):
            await send_file(phone, b"blob", options, JsonOutput())
    assert capsys.readouterr().out.count('"link-lost"') == 1


async def test_a_watch_that_never_comes_back(capsys: pytest.CaptureFixture[str]) -> None:
    async with paired() as (watch, phone, channel):
        await channel.close()
        options = argparse.Namespace(watch=None, timeout=0.05)
        await watch.close()
        with pytest.raises(WatchNotFound):
            await send_file(phone, b"blob", options, JsonOutput())
    assert "link-lost" not in capsys.readouterr().out, "the first connection has to come about"


async def test_what_the_watch_never_read_is_not_called_sent() -> None:
    """Both sides close at once: the watch's CLOSE was on its way before it had read everything."""
    async with paired() as (watch, _, channel), channel.port(echo.PORT) as port:
        closing = asyncio.ensure_future(watch.close())
        while watch.channels:
            await asyncio.sleep(0)
        await port.send(b"too late")
        with pytest.raises(BlechannelError, match="before it had read everything"):
            await close_when_read(channel)
        await closing


def test_tries_are_counted_from_the_last_byte_gained() -> None:
    sending = Sending()
    for _ in range(TRIES - 1):
        sending.lost(TransportError("lost"))
    sending.reached(1)
    sending.lost(TransportError("lost"))
    sending.reached(1)
    for _ in range(TRIES - 2):
        sending.lost(TransportError("lost"))
    with pytest.raises(TransportError):
        sending.lost(TransportError("lost"))
    assert sending.links_lost == 2 * TRIES - 1
