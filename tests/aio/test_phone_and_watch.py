"""A phone and a watch on the loopback air: pair, talk, part, reconnect."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

import blechannel
from blechannel.aio.channel import Channel
from blechannel.aio.phone import Phone
from blechannel.aio.port import Port
from blechannel.aio.watch import CodeHidden, CodeShown, Declined, Joined, Left, Watch
from blechannel.errors import BondNotFound, BondSuperseded, LinkLost, LocalProtocolError, PairingRefused, WatchNotFound
from blechannel.limits import MAX_LINKS
from blechannel.services import echo, transfer
from blechannel.stores.memory import MemoryStore
from blechannel.transports.loopback import LoopbackAir, LoopbackLink, loopback_pair
from tests.transports.receivers import Receiver


class Room:
    """A watch and a phone in one room, and the links between them."""

    def __init__(self) -> None:
        self.links: list[LoopbackLink] = []
        air = LoopbackAir(join=self._join)
        self.watch = Watch(MemoryStore(), air.watch())
        self.phone = Phone(MemoryStore(), air.phone())

    def _join(self) -> tuple[LoopbackLink, LoopbackLink]:
        ends = loopback_pair()
        self.links.append(ends[0])
        return ends

    async def pair(self) -> Channel:
        window = self.watch.open_pairing()
        return await self.phone.pair(await self.phone.find(), typing(lambda: window.code))

    async def connect(self) -> Channel:
        return await self.phone.connect(await self.phone.find())


def typing(code: Callable[[], str]) -> Callable[[], Awaitable[str]]:
    async def ask() -> str:
        return code()

    return ask


@asynccontextmanager
async def room() -> AsyncGenerator[Room, None]:
    ours = Room()
    async with ours.watch, ours.phone:
        yield ours
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_pair_talk_part_and_reconnect() -> None:
    async with room() as r:
        r.watch.serve(echo.PORT, echo.echo)
        channel = await r.pair()
        assert not channel.resumed
        assert channel.handshake_hash == r.watch.channels[0].handshake_hash
        async with channel.port(echo.PORT) as port:
            await port.send(b"hello")
            assert await port.receive() == b"hello"
        await channel.close()
        assert channel.error is None
        assert channel.undelivered == 0
        again = await r.connect()
        assert again.resumed
        assert again.bond.epoch.number == 1
        assert again.posture.transport
        assert r.phone.channels == [again]


async def test_a_bond_is_reconnected_once_at_a_time() -> None:
    async with room() as r:
        await (await r.pair()).close()
        found = await r.phone.find()
        r.links.clear()
        first, second = (asyncio.create_task(r.phone.connect(found)) for _ in range(2))
        while not first.done():
            assert len(r.links) <= 1
            await asyncio.sleep(0)
        assert (await second).is_open
        assert (await second).bond.epoch.number == 2
        assert isinstance((await first).error, BondSuperseded)


async def test_a_wrong_code_is_refused_and_burned() -> None:
    async with room() as r:
        window = r.watch.open_pairing()
        first = window.code
        wrong = f"{(int(first) + 1) % 10**6:06d}"
        with pytest.raises(PairingRefused, match="wrong code"):
            await r.phone.pair(await r.phone.find(), typing(lambda: wrong))
        assert window.attempts_left == 2
        assert window.code != first
        assert not r.watch.store.book.bonds
        assert not r.phone.store.book.bonds


async def test_what_is_no_code_is_asked_again() -> None:
    async with room() as r:
        window = r.watch.open_pairing()
        answers = iter(["", "12345", "abcdef"])
        channel = await r.phone.pair(await r.phone.find(), typing(lambda: next(answers, window.code)))
        assert channel.is_open


async def test_who_asks_may_fail() -> None:
    async with room() as r:
        r.watch.open_pairing()

        def nobody() -> str:
            raise RuntimeError("no keyboard")

        with pytest.raises(PairingRefused, match="no keyboard"):
            await r.phone.pair(await r.phone.find(), typing(nobody))


async def test_events_tell_the_display_what_to_show() -> None:
    async with room() as r:
        channel = await r.pair()
        await channel.close()
        with pytest.raises(PairingRefused):
            await r.phone.pair(await r.phone.find(), typing(lambda: "000000"))
        kinds = []
        async for event in r.watch.events():
            kinds.append(type(event))
            if len(kinds) == 5:
                break
        assert kinds == [CodeShown, CodeHidden, Joined, Left, Declined]


async def test_a_lost_link_is_told_to_who_waits() -> None:
    async with room() as r:
        channel = await r.pair()
        async with channel.port("quiet") as port:
            waiting = asyncio.create_task(port.receive())
            await asyncio.sleep(0)
            r.links[-1].drop("gone")
            with pytest.raises(LinkLost):
                await waiting
            with pytest.raises(LinkLost):
                await port.send(b"")
        await channel.wait_over()
        assert isinstance(channel.error, LinkLost)


async def test_a_reader_that_does_not_read_stops_its_writer_only() -> None:
    async with room() as r:
        r.watch.serve(echo.PORT, echo.echo)
        channel = await r.pair()
        async with channel.port("unread") as unread, channel.port(echo.PORT) as port:
            sent = 0

            async def flood() -> None:
                nonlocal sent
                while True:
                    await unread.send(bytes(1000))
                    sent += 1

            flooding = asyncio.create_task(flood())
            await asyncio.sleep(0.05)
            assert sent == 65536 // 1016
            await port.send(b"still here")
            assert await port.receive() == b"still here"
            reader = r.watch.channels[0].port("unread")
            for _ in range(40):
                await reader.receive()
            await asyncio.sleep(0.05)
            assert sent == 65536 // 1016 + 33
            flooding.cancel()
            await asyncio.wait({flooding})


async def test_a_transfer_goes_on_where_the_link_was_lost() -> None:
    async with room() as r:
        receiver = transfer.Receiver()
        r.watch.serve(transfer.PORT, receiver.serve)
        channel = await r.pair()
        blob = bytes(range(256)) * 400

        def lose(done: int, _size: int) -> None:
            if done > 50_000:
                r.links[-1].drop("gone")

        with pytest.raises(LinkLost):
            await transfer.send_blob(channel, blob, progress=lose)
        await channel.wait_over()
        had = receiver.offset
        assert 0 < had < len(blob)
        again = await r.connect()
        await transfer.send_blob(again, blob)
        assert receiver.received == blob


async def test_closing_ends_the_peers_iteration() -> None:
    async with room() as r:
        channel = await r.pair()
        async with channel.port("talk") as port:
            await port.send(b"last words")
            await asyncio.sleep(0.01)
            listener = r.watch.channels[0].port("talk")
        assert [message async for message in listener] == [b"last words"]
        await channel.close()
        with pytest.raises(LocalProtocolError):
            channel.port("more").open()


async def test_a_second_connection_takes_over() -> None:
    async with room() as r:
        first = await r.pair()
        second = await r.connect()
        await first.wait_over()
        assert first.error is not None
        assert second.is_open


async def test_forgetting_a_bond_ends_its_channel_at_once() -> None:
    async with room() as r:
        channel = await r.pair()
        found = await r.phone.find()
        await r.watch.members.forget(r.watch.channels[0].bond.bond_id)
        await channel.wait_over()
        with pytest.raises(PairingRefused, match="not recognised"):
            await r.phone.connect(found)
        assert r.phone.store.book.bonds


async def test_nothing_to_find() -> None:
    async with room() as r:
        with pytest.raises(WatchNotFound):
            await r.phone.find(timeout_s=0.2)
        watches = r.phone.scan()
        stranger = await anext(watches)
        await watches.aclose()
        with pytest.raises(BondNotFound):
            await r.phone.connect(stranger)


async def test_a_service_that_fails_shuts_its_port_and_nothing_else() -> None:
    async def fail(port: Port) -> None:
        raise RuntimeError(port.name)

    async with room() as r:
        r.watch.serve("broken", fail)
        r.watch.serve(echo.PORT, echo.echo)
        channel = await r.pair()
        async with channel.port("broken") as port:
            with pytest.raises(EOFError):
                await port.receive()
        async with channel.port(echo.PORT) as port:
            await port.send(b"fine")
            assert await port.receive() == b"fine"


async def test_a_window_is_opened_once_and_closed_by_its_person() -> None:
    async with room() as r:
        r.watch.open_pairing()
        with pytest.raises(LocalProtocolError):
            r.watch.open_pairing()
        r.watch.close_pairing()
        assert r.watch.window is None


def test_the_two_sides_are_at_the_top() -> None:
    assert blechannel.Phone is Phone
    assert blechannel.Watch is Watch
    with pytest.raises(AttributeError):
        blechannel.Phablet  # noqa: B018 - that is the test


async def test_a_watch_serves_so_many_links_whatever_its_transport_takes() -> None:
    air = LoopbackAir()
    store = MemoryStore()
    async with Watch(store, air.watch(max_links=MAX_LINKS + 1)) as watch:
        phone = air.phone()
        sightings = phone.scan()
        address = (await anext(sightings)).address
        await sightings.aclose()
        receivers = [Receiver(await phone.connect(address)) for _ in range(MAX_LINKS + 1)]
        async with asyncio.timeout(5):
            await receivers[-1].lost.wait()
        assert not any(each.lost.is_set() for each in receivers[:-1])
        assert len(watch._channels) == MAX_LINKS
        for each in receivers:
            await each.link.close()
    await store.close()
