"""The watch's contract: beginning, windows, events, an adapter that goes away, and more phones than it serves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from blechannel.aio.household import World
from blechannel.aio.link import Link
from blechannel.aio.phone import Phone
from blechannel.aio.watch import EVENTS_KEPT, ROTATE_S, CodeHidden, CodeShown, Declined, Watch, WatchEvent
from blechannel.errors import FragmentRefused, LinkLost, LocalProtocolError, PairingRefused, StoreError, TransportError
from blechannel.limits import MAX_LINKS, MIN_FRAGMENT_BYTES
from blechannel.stores.memory import MemoryStore
from blechannel.transports.loopback import LoopbackAir, LoopbackLink, loopback_pair
from blechannel.wire.adverts import resolves
from tests.aio.rooms import room, typing
from tests.aio.virtual import now_s, on_virtual_clock


async def events_until(watch: Watch, enough: Callable[[WatchEvent], bool]) -> list[WatchEvent]:
    seen: list[WatchEvent] = []
    async for event in watch.events():
        seen.append(event)
        if enough(event):
            break
    return seen


@on_virtual_clock
async def test_a_watch_that_cannot_begin_leaves_the_air_to_others() -> None:
    air, store = LoopbackAir(), MemoryStore()
    await store.close()
    with pytest.raises(StoreError):
        async with Watch(store, air.watch()):
            raise AssertionError("it never began")
    async with Watch(MemoryStore(), air.watch()):
        pass


@on_virtual_clock
async def test_a_watch_that_is_cancelled_as_it_begins_leaves_the_air_to_others() -> None:
    air = LoopbackAir()
    transport = air.watch()
    advertise = transport.advertise

    async def slowly(service_data: bytes) -> None:
        await advertise(service_data)
        await asyncio.sleep(10)

    transport.advertise = slowly  # type: ignore[method-assign]
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1), Watch(MemoryStore(), transport):
            raise AssertionError("it never began")
    async with Watch(MemoryStore(), air.watch()):
        pass


@on_virtual_clock
async def test_the_same_address_twice() -> None:
    air = LoopbackAir()
    async with Watch(MemoryStore(), air.watch()):
        with pytest.raises(TransportError, match="another watch"):
            async with Watch(MemoryStore(), air.watch()):
                raise AssertionError("it never began")


@on_virtual_clock
async def test_an_adapter_that_goes_away() -> None:
    air = LoopbackAir()
    transport = air.watch()
    async with Watch(MemoryStore(), transport) as watch:
        looking = asyncio.create_task(events_until(watch, lambda _: False))
        await asyncio.sleep(1)
        await transport.close()
        with pytest.raises(TransportError, match="closed"):
            await looking
        with pytest.raises(TransportError, match="closed"):
            await events_until(watch, lambda _: False)
        watch.open_pairing()
        await asyncio.sleep(2 * ROTATE_S)


@on_virtual_clock
async def test_the_oldest_events_are_dropped_when_nobody_looks() -> None:
    async with room() as r:
        for _ in range(EVENTS_KEPT):
            r.watch.open_pairing()
            r.watch.close_pairing()
        code = r.watch.open_pairing().code
        seen = await events_until(r.watch, lambda event: isinstance(event, CodeShown) and event.code == code)
        assert len(seen) == EVENTS_KEPT


@on_virtual_clock
async def test_a_window_closes_by_itself_and_the_display_is_told() -> None:
    async with room() as r:
        window = r.watch.open_pairing(duration_s=30)
        began_s = now_s()
        await events_until(r.watch, lambda event: isinstance(event, CodeHidden))
        assert now_s() - began_s == pytest.approx(30, abs=0.1)
        assert r.watch.window is None
        assert not window.is_open(now_s())
        assert not (await anext(r.phone.scan())).pairing_open
        again = r.watch.open_pairing()
        assert r.watch.window is again


@on_virtual_clock
async def test_a_window_that_closes_in_mid_run_lets_nobody_in_later() -> None:
    async with room() as r:
        window = r.watch.open_pairing(duration_s=30)
        code = window.code

        async def thinks_long() -> str:
            await asyncio.sleep(40)
            return code

        with pytest.raises(PairingRefused):
            await r.phone.pair(await r.phone.find(), thinks_long)
        assert not r.watch.store.book.bonds
        await (await r.pair()).close()


@on_virtual_clock
async def test_numbers_that_make_no_window() -> None:
    async with room() as r:
        for duration_s, attempts in ((0.0, 3), (-1.0, 3), (30.0, 0)):
            with pytest.raises(LocalProtocolError):
                r.watch.open_pairing(duration_s=duration_s, attempts=attempts)
        assert r.watch.window is None


@on_virtual_clock
async def test_advertisements_rotate() -> None:
    transport = LoopbackAir().watch()
    async with Watch(MemoryStore(), transport, world=World(unix_time=lambda: 1e9 + now_s())) as watch:
        seen = set()
        for _ in range(6):
            assert resolves(transport.service_data, watch.store.book.discovery_key, 1e9 + now_s())
            seen.add(transport.service_data)
            await asyncio.sleep(ROTATE_S + 1)
        assert len(seen) == 6


@on_virtual_clock
async def test_one_link_too_many_is_let_go_and_the_watch_goes_on() -> None:
    """The transport admits more than the watch serves."""
    air = LoopbackAir()
    watch = Watch(MemoryStore(), air.watch(max_links=3 * MAX_LINKS))
    stranger = air.phone()
    async with watch:
        links: list[Link] = [await stranger.connect("watch-1") for _ in range(2 * MAX_LINKS)]
        await asyncio.sleep(1)
        assert [isinstance(link, LoopbackLink) and link.ended for link in links] == (
            [False] * MAX_LINKS + [True] * MAX_LINKS
        )
        for link in links:
            await link.close()
        await asyncio.sleep(10)
        window = watch.open_pairing()
        async with Phone(MemoryStore(), air.phone()) as phone:
            assert (await phone.pair(await phone.find(), typing(lambda: window.code))).is_open


@on_virtual_clock
async def test_a_link_that_carries_too_little_is_let_go_and_the_watch_goes_on() -> None:
    made: list[tuple[LoopbackLink, LoopbackLink]] = []

    def join() -> tuple[LoopbackLink, LoopbackLink]:
        ends = loopback_pair()
        if not made:
            ends[1].max_fragment_bytes = MIN_FRAGMENT_BYTES - 1
        made.append(ends)
        return ends

    air = LoopbackAir(join=join)
    async with Watch(MemoryStore(), air.watch()) as watch, Phone(MemoryStore(), air.phone()) as phone:
        window = watch.open_pairing()
        with pytest.raises(LinkLost):
            await phone.pair(await phone.find(), typing(lambda: window.code))
        assert made[0][0].ended
        seen = await events_until(watch, lambda event: isinstance(event, Declined))
        assert isinstance(seen[-1], Declined)
        assert isinstance(seen[-1].error, FragmentRefused)
        assert (await phone.pair(await phone.find(), typing(lambda: window.code))).is_open


@on_virtual_clock
async def test_many_quick_connections_are_each_told_and_forgotten() -> None:
    joined: list[LoopbackLink] = []

    def join() -> tuple[LoopbackLink, LoopbackLink]:
        ends = loopback_pair()
        joined.extend(ends)
        return ends

    air = LoopbackAir(join=join)
    stranger = air.phone()
    async with Watch(MemoryStore(), air.watch()) as watch:
        for _ in range(EVENTS_KEPT):
            link = await stranger.connect("watch-1")
            await asyncio.sleep(0)
            link.drop("gone at once")
            await asyncio.sleep(0.01)
        seen = await events_until(watch, lambda _: not watch._events.waiting)
        assert len(seen) == EVENTS_KEPT
        assert all(isinstance(event, Declined) for event in seen)
        assert not watch._channels
        assert all(link.ended for link in joined)


@on_virtual_clock
async def test_a_watch_may_begin_again_after_it_was_left() -> None:
    air, store = LoopbackAir(), MemoryStore()
    for _ in range(2):
        async with Watch(store, air.watch()) as watch:
            await watch.close()
