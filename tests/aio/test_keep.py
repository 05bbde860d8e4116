"""Watches that a phone keeps: over links that break, watches that go away, refusals that nobody signed, and ends."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, asynccontextmanager
from random import Random

import pytest

from blechannel.aio.channel import Channel
from blechannel.aio.household import World
from blechannel.aio.keep import Connected, Connecting, Kept, KeptState, Searching, Stopped, Waiting
from blechannel.aio.keep_policy import KeepPolicy
from blechannel.aio.phone import Phone
from blechannel.aio.watch import Watch
from blechannel.config import Config
from blechannel.errors import (
    BlechannelError,
    BondNotFound,
    LocalProtocolError,
    PairingRefused,
    ReplayDetected,
    TransportGone,
    WatchNotFound,
)
from blechannel.pairing.changes import Forget, MarkCopied, SetDiscoveryKey
from blechannel.services import echo
from blechannel.stores.memory import MemoryStore
from blechannel.transports.loopback import LoopbackAir, LoopbackLink, loopback_pair
from tests.aio.rooms import WALL_S, House, bond_of
from tests.aio.virtual import now_s, on_virtual_clock

AT_ONCE = KeepPolicy(first_s=1.0, jitter=0.0)


class Pair(House):
    """A watch and a phone with a bond; the channels' links can be broken, and new ones made to fail."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[LoopbackLink] = []
        self.air = LoopbackAir(join=self._join)
        self.watch: Watch
        self.phone: Phone
        self.bond_id = b""

    def _join(self) -> tuple[LoopbackLink, LoopbackLink]:
        ends = loopback_pair()
        self.links.append(ends[0])
        return ends

    def break_link(self) -> None:
        self.links[-1].drop("out of reach")


@asynccontextmanager
async def bonded(random: Callable[[int], bytes] = secrets.token_bytes) -> AsyncGenerator[Pair, None]:
    ours = Pair()
    ours.world = World(random=random, unix_time=lambda: WALL_S)
    async with asyncio.timeout(4 * 3600), ours.stack:
        ours.watch, ours.phone = await ours.add_watch(), await ours.add_phone()
        ours.watch.serve(echo.PORT, echo.echo)
        await (await ours.pair(ours.phone, ours.watch)).close()
        [ours.bond_id] = ours.phone.store.book.bonds
        yield ours


async def heard(kept: Kept, count: int) -> list[KeptState]:
    """So many states, from the one of now on."""
    states: list[KeptState] = []
    async with aclosing(kept.states()) as reader:
        while len(states) < count:
            states.append(await anext(reader))
    return states


async def next_wait(kept: Kept) -> Waiting:
    """The wait of now, or the next one."""
    async with aclosing(kept.states()) as states:
        async for state in states:
            if isinstance(state, Waiting):
                return state
    raise AssertionError("it never waits")


async def stopped(kept: Kept) -> BlechannelError | None:
    async with asyncio.timeout(3600):
        async for state in kept.states():
            last = state
    assert isinstance(last, Stopped)
    return last.error


async def echoed(channel: Channel) -> bytes:
    async with channel.port(echo.PORT) as port:
        await port.send(b"a")
        return await port.receive()


@on_virtual_clock
async def test_it_is_connected_to_and_again_when_the_link_is_lost() -> None:
    async with bonded() as h:
        async with h.phone.keep(h.bond_id) as kept:
            reading = asyncio.create_task(stopped(kept))
            states = asyncio.create_task(heard(kept, 8))
            first = await kept.channel()
            assert await echoed(first) == b"a"
            h.break_link()
            await first.wait_over()
            second = await kept.channel()
            assert second is not first
            assert await echoed(second) == b"a"
        assert await reading is None
        assert list(map(type, await states)) == [
            *(Searching, Connecting, Connected, Waiting),
            *(Searching, Connecting, Connected, Stopped),
        ]
        assert not second.is_open
        assert not h.phone.channels


@on_virtual_clock
async def test_a_channel_that_stands_already_is_kept_too() -> None:
    async with bonded() as h:
        channel = await h.phone.connect(await h.phone.find())
        async with h.phone.keep(h.bond_id) as kept:
            assert await kept.channel() is channel
            h.break_link()
            await channel.wait_over()
            assert await kept.channel() is not channel


@on_virtual_clock
async def test_a_watch_that_says_close_is_connected_to_again() -> None:
    async with bonded() as h, h.phone.keep(h.bond_id, policy=AT_ONCE) as kept:
        await echoed(await kept.channel())
        await h.watch.channels[0].close()
        assert (await next_wait(kept)).error is None
        assert await echoed(await kept.channel()) == b"a"


@on_virtual_clock
async def test_waits_double_till_the_most_and_begin_anew_after_a_channel_that_stood() -> None:
    async with bonded() as h:
        h.watch.book_changed()
        policy = KeepPolicy(first_s=1.0, most_s=5.0, jitter=0.0, steady_s=10.0)
        async with h.phone.keep(h.bond_id, policy=policy) as kept:
            waits: list[float] = []

            async def note() -> None:
                async for state in kept.states():
                    if isinstance(state, Waiting):
                        waits.append(state.until_s - now_s())

            noting = asyncio.create_task(note())
            for _ in range(5):
                channel = await kept.channel()
                h.break_link()
                await channel.wait_over()
                await asyncio.sleep(0)
            channel = await kept.channel()
            await asyncio.sleep(10.0)
            h.break_link()
            await channel.wait_over()
            await kept.channel()
        await noting
        assert waits == pytest.approx([1.0, 2.0, 4.0, 5.0, 5.0, 1.0])


@on_virtual_clock
async def test_a_watch_that_was_away_is_met_when_it_comes_back() -> None:
    async with bonded() as h:
        store = h.watch.store
        await h.watch.close()
        async with h.phone.keep(h.bond_id) as kept:
            await asyncio.sleep(600)
            assert kept.state == Searching()
            back = Watch(store, h.air.watch(address="watch-1"), config=Config("back"), world=h.world)
            async with back:
                assert (await kept.channel()).is_open


@on_virtual_clock
async def test_a_watch_whose_key_of_discovery_this_phone_lacks_is_met_all_the_same() -> None:
    async with bonded() as h:
        other = await h.add_phone()
        await (await h.pair(other, h.watch)).close()
        await h.watch.members.forget(bond_of(h.watch, "phone-2").bond_id)
        began_s = now_s()
        async with h.phone.keep(h.bond_id) as kept:
            assert (await kept.channel()).bond_id == h.bond_id
        assert now_s() - began_s < 20


@on_virtual_clock
async def test_a_refusal_that_nobody_signed_ends_nothing_and_costs_no_bond() -> None:
    async with bonded() as h:
        stranger = MemoryStore()
        await h.watch.close()
        await stranger.apply(SetDiscoveryKey(h.watch.store.book.discovery_key))
        liar = Watch(stranger, h.air.watch(address="watch-1"), config=Config("liar"), world=h.world)
        async with liar, h.phone.keep(h.bond_id, policy=AT_ONCE) as kept:
            waiting = await next_wait(kept)
            assert isinstance(waiting.error, PairingRefused)
            await asyncio.sleep(600)
            assert not isinstance(kept.state, Stopped)
        assert h.bond_id in h.phone.store.book.bonds


@on_virtual_clock
async def test_who_removes_the_bond_ends_it() -> None:
    async with bonded() as h, h.phone.keep(h.bond_id) as kept:
        channel = await kept.channel()
        await h.phone.store.apply(Forget(h.bond_id))
        h.phone.book_changed()
        assert isinstance(await stopped(kept), BondNotFound)
        assert not channel.is_open
        with pytest.raises(BondNotFound):
            await kept.channel()


@on_virtual_clock
async def test_a_bond_that_is_removed_ends_a_search_at_once() -> None:
    async with bonded() as h:
        await h.watch.close()
        async with h.phone.keep(h.bond_id) as kept:
            await asyncio.sleep(100)
            removed_s = now_s()
            await h.phone.store.apply(Forget(h.bond_id))
            h.phone.book_changed()
            assert isinstance(await stopped(kept), BondNotFound)
            assert now_s() == removed_s


@on_virtual_clock
async def test_somebody_elses_watch_is_tried_once() -> None:
    async with bonded() as h:
        await h.watch.close()
        await h.add_watch()
        h.links.clear()
        async with h.phone.keep(h.bond_id):
            await asyncio.sleep(600)
        assert len(h.links) == 1


@on_virtual_clock
async def test_without_a_bond_there_is_nothing_to_keep() -> None:
    async with bonded() as h, h.phone.keep(bytes(16)) as kept:
        assert isinstance(await stopped(kept), BondNotFound)


@on_virtual_clock
async def test_a_bond_that_was_copied_is_not_used_again() -> None:
    async with bonded() as h, h.phone.keep(h.bond_id) as kept:
        channel = await kept.channel()
        await h.phone.store.apply(MarkCopied(h.bond_id))
        h.phone.book_changed()
        assert channel.is_open
        h.break_link()
        error = await stopped(kept)
        assert isinstance(error, ReplayDetected)
        assert error.bond_id == h.bond_id


@on_virtual_clock
async def test_the_bond_of_a_new_pairing_is_kept_in_place_of_the_old_one() -> None:
    async with bonded() as h, h.phone.keep(h.bond_id) as kept:
        await kept.channel()
        anew = await h.pair(h.phone, h.watch)
        await asyncio.sleep(5)
        assert kept.bond_id == anew.bond_id != h.bond_id
        assert await kept.channel() is anew


@on_virtual_clock
async def test_a_transport_that_is_closed_for_good_ends_it() -> None:
    async with bonded() as h, h.phone.keep(h.bond_id) as kept:
        await kept.channel()
        await h.phone._transport.close()
        assert isinstance(await stopped(kept), TransportGone)


@on_virtual_clock
async def test_it_is_given_up_in_time() -> None:
    async with bonded() as h:
        await h.watch.close()
        policy = KeepPolicy(give_up_after_s=120.0)
        async with h.phone.keep(h.bond_id, policy=policy) as kept:
            began_s = now_s()
            assert isinstance(await stopped(kept), WatchNotFound)
            assert now_s() - began_s == pytest.approx(120.0, abs=1)


@on_virtual_clock
async def test_a_bond_is_kept_once_and_not_by_a_closed_phone() -> None:
    async with bonded() as h:
        async with h.phone.keep(h.bond_id):
            with pytest.raises(LocalProtocolError, match="kept already"):
                await h.phone.keep(h.bond_id).__aenter__()
        async with h.phone.keep(h.bond_id) as kept:
            channel = await kept.channel()
            await h.phone.close()
            assert kept.state == Stopped(None)
            assert not channel.is_open
            with pytest.raises(LocalProtocolError, match="no longer"):
                await kept.channel()
        with pytest.raises(LocalProtocolError, match="closed"):
            await h.phone.keep(h.bond_id).__aenter__()


@on_virtual_clock
async def test_it_ends_in_whatever_state_it_is_left() -> None:
    async with bonded() as h:
        for turns in range(60):
            async with h.phone.keep(h.bond_id):
                for _ in range(turns):
                    await asyncio.sleep(0)
            assert not h.phone.channels
            assert not h.air._scanners
        async with h.phone.keep(h.bond_id) as kept:
            assert await echoed(await kept.channel()) == b"a"


@on_virtual_clock
async def test_a_reader_that_is_behind_misses_the_oldest_states_and_no_more() -> None:
    async with bonded() as h, h.phone.keep(h.bond_id, policy=KeepPolicy(first_s=0.1, most_s=0.1)) as kept:
        states = kept.states()
        await anext(states)
        for _ in range(30):
            channel = await kept.channel()
            h.break_link()
            await channel.wait_over()
            await asyncio.sleep(1)
        await kept.close()
        left = [state async for state in states]
        assert len(left) == 64
        assert left[-1] == Stopped(None)


@on_virtual_clock
async def test_a_replayed_run_waits_as_long() -> None:
    async def waits(seed: int) -> list[float]:
        async with bonded(random=Random(seed).randbytes) as h:
            waited: list[float] = []
            async with h.phone.keep(h.bond_id, policy=KeepPolicy(first_s=4.0)) as kept:
                for _ in range(4):
                    channel = await kept.channel()
                    h.break_link()
                    await channel.wait_over()
                    waiting = await next_wait(kept)
                    waited.append(waiting.until_s - now_s())
            return waited

    first = await waits(1)
    assert first == pytest.approx(await waits(1))
    assert first != pytest.approx(await waits(2))
    assert all(0 < wait_s <= min(60, 4 * 2**failed) for failed, wait_s in enumerate(first))
