"""Every public call, cancelled at each of its waits: nothing hangs, nothing is left, and the next call works."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from blechannel.aio.channel import Channel
from blechannel.aio.port import Port
from blechannel.aio.watch import Watch
from blechannel.errors import BlechannelError, LinkLost, PairingRefused
from blechannel.roles import Role
from blechannel.services import echo, transfer
from blechannel.stores.sqlite import SqliteStore
from blechannel.transports.loopback import LoopbackAir
from tests.aio.interrupted import MOST_WAITS, cancelled_at
from tests.aio.rooms import Room, room, typing

Attempt = Callable[[int], Awaitable[bool]]


async def at_each_wait(attempt: Attempt) -> None:
    """Try with a cancellation at wait 0, 1, 2 … until there is none left to cancel."""
    for at in range(MOST_WAITS):
        if not await attempt(at):
            assert at > 0, "nothing was ever waited for"
            return
    raise AssertionError("it never gets through")


async def works(r: Room) -> None:
    """An honest echo on a new channel, by the bond if there is one, else by a new pairing."""
    channel = await (r.connect() if r.watch.store.book.bonds and r.phone.store.book.bonds else r.pair())
    async with channel, channel.port(echo.PORT) as port:
        await port.send(b"still here")
        assert await port.receive() == b"still here"


# --- coming together --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stores", ["memory", "files"])
async def test_pair(stores: str, tmp_path: Path) -> None:
    async def attempt(at: int) -> bool:
        folder = tmp_path / str(at)
        folder.mkdir()
        async with room(folder if stores == "files" else None) as r:
            r.watch.serve(echo.PORT, echo.echo)
            window = r.watch.open_pairing()
            found = await r.phone.find()
            cancelled = await cancelled_at(at, r.phone.pair(found, typing(lambda: window.code)))
            if not cancelled:
                assert len(r.phone.channels) == 1
                return False
            assert r.phone.channels == []
            r.watch.close_pairing()
            for bond in r.phone.store.book.bonds.values():
                assert bond.pending or r.watch.store.book.bonds, "a confirmed bond is one that the watch has"
            await repaired(r)
            await works(r)
            return True

    await at_each_wait(attempt)


async def repaired(r: Room) -> None:
    """Where only one side has a bond, or none has, a person pairs again."""
    try:
        await (await r.connect()).close()
    except (BlechannelError, TimeoutError):
        await asyncio.sleep(0)
        await (await r.pair()).close()


@pytest.mark.parametrize("stores", ["memory", "files"])
async def test_connect(stores: str, tmp_path: Path) -> None:
    async with room(tmp_path if stores == "files" else None) as r:
        r.watch.serve(echo.PORT, echo.echo)
        await (await r.pair()).close()

        async def attempt(at: int) -> bool:
            found = await r.phone.find()
            cancelled = await cancelled_at(at, r.phone.connect(found))
            assert len(r.phone.channels) == (not cancelled)
            await works(r)
            return cancelled

        await at_each_wait(attempt)


async def test_find_and_scan() -> None:
    async with room() as r:

        async def attempt(at: int) -> bool:
            """The window opens while the phone looks for it."""
            finding = asyncio.create_task(cancelled_at(at, r.phone.find()))
            await asyncio.sleep(0.01)
            r.watch.open_pairing()
            cancelled = await finding
            r.watch.close_pairing()
            await asyncio.sleep(0.01)
            return cancelled

        await at_each_wait(attempt)
        assert r.air_is_quiet(), "no scan goes on"


async def test_a_person_is_no_longer_asked() -> None:
    asked = asyncio.Event()
    left = asyncio.Event()

    async def ask() -> str:
        asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            left.set()
        return ""

    async with room() as r:
        r.watch.open_pairing()
        pairing = asyncio.create_task(r.phone.pair(await r.phone.find(), ask))
        await asked.wait()
        pairing.cancel()
        await asyncio.wait({pairing})
        assert pairing.cancelled()
        assert left.is_set()


# --- beginning and ending ---------------------------------------------------------------------------------------


async def test_starting_a_watch(tmp_path: Path) -> None:
    async def attempt(at: int) -> bool:
        store = await SqliteStore.open(tmp_path / f"{at}.db", role=Role.WATCH)
        watch = Watch(store, LoopbackAir().watch())
        cancelled = await cancelled_at(at, watch.start())
        await watch.close()
        await store.close()
        return cancelled

    await at_each_wait(attempt)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_leaving_a_phone() -> None:
    async def attempt(at: int) -> bool:
        async with room() as r:
            channel = await r.pair()
            cancelled = await cancelled_at(at, r.phone.close())
            await r.phone.close()
            assert not channel.is_open
            return cancelled

    await at_each_wait(attempt)


async def test_leaving_a_watch() -> None:
    async def attempt(at: int) -> bool:
        async with room() as r:
            channel = await r.pair()
            await r.other_end()
            cancelled = await cancelled_at(at, r.watch.close())
            await r.watch.close()
            await channel.wait_over()
            return cancelled

    await at_each_wait(attempt)


async def test_closing_a_channel() -> None:
    async with room() as r:
        r.watch.serve(echo.PORT, echo.echo)
        await (await r.pair()).close()

        async def attempt(at: int) -> bool:
            channel = await r.connect()
            cancelled = await cancelled_at(at, channel.close())
            await channel.close()
            assert channel.error is None, "CLOSE was said once, and answered"
            await works(r)
            return cancelled

        await at_each_wait(attempt)


# --- talking ----------------------------------------------------------------------------------------------------


async def blocked(r: Room, name: str) -> tuple[Channel, Port, int]:
    """A port whose reader does not read, full to the brim."""
    channel = await r.connect()
    port = channel.port(name)
    port.open()
    sent = 0
    while channel.traffic.send(port._writing or 0, b"%04d" % sent + bytes(996)):
        channel.pump.flush_soon()
        sent += 1
    return channel, port, sent


async def test_a_cancelled_send_has_sent_nothing() -> None:
    async with room() as r:
        await (await r.pair()).close()

        async def attempt(at: int) -> bool:
            channel, port, sent = await blocked(r, "unread")
            reader = (await r.other_end()).port("unread")
            in_question = b"the one in question".ljust(1000)
            sending = asyncio.create_task(cancelled_at(at, port.send(in_question)))
            await asyncio.sleep(0.01)
            for number in range(sent):
                assert (await reader.receive())[:4] == b"%04d" % number
            cancelled = await sending
            await port.send(b"after")
            if not cancelled:
                assert await reader.receive() == in_question
            assert await reader.receive() == b"after"
            await channel.close()
            return cancelled

        await at_each_wait(attempt)


async def test_a_cancelled_sender_gives_its_turn_to_the_next() -> None:
    async with room() as r:
        await (await r.pair()).close()
        channel, port, sent = await blocked(r, "unread")
        reader = (await r.other_end()).port("unread")
        first, second = (asyncio.create_task(port.send(message)) for message in (bytes(1000), bytes(999)))
        await asyncio.sleep(0.01)
        for _ in range(sent):
            await reader.receive()
            if first in asyncio.all_tasks() and not first.done():
                first.cancel()
        async with asyncio.timeout(5):
            await second
            assert first.cancelled()
            assert await reader.receive() == bytes(999)
        await channel.close()


async def test_a_cancelled_receive_takes_nothing() -> None:
    async with room() as r:
        channel = await r.pair()
        reader = (await r.other_end()).port("talk")
        async with channel.port("talk") as port:
            waiting = asyncio.create_task(reader.receive())
            await asyncio.sleep(0.01)
            await port.send(b"crosses the cancellation")
            waiting.cancel()
            await asyncio.wait({waiting})
            assert waiting.cancelled()
            assert await reader.receive() == b"crosses the cancellation"


async def test_a_cancelled_transfer_goes_on_where_it_was() -> None:
    blob = bytes(range(256)) * 512
    async with room() as r:
        receiver = transfer.Receiver()
        r.watch.serve(transfer.PORT, receiver.serve)
        await (await r.pair()).close()
        starts: list[int] = []

        async def attempt(at: int) -> bool:
            channel = await r.connect()
            starts.append(receiver.offset)
            cancelled = await cancelled_at(at, transfer.send_blob(channel, blob))
            await channel.close()
            return cancelled

        await at_each_wait(attempt)
        assert receiver.received == blob
        assert starts == sorted(starts)


# --- what else may come in the way ------------------------------------------------------------------------------


async def test_a_link_lost_while_it_is_being_cancelled() -> None:
    async with room() as r:
        window = r.watch.open_pairing()
        pairing = asyncio.create_task(r.phone.pair(await r.phone.find(), typing(lambda: window.code)))
        while not r.links:
            await asyncio.sleep(0)
        r.links[-1].drop("gone")
        pairing.cancel()
        await asyncio.wait({pairing})
        assert pairing.cancelled() or isinstance(pairing.exception(), (LinkLost, PairingRefused))
