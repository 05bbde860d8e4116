"""Peers that stop at each step of the conversation and stay: they are let go in time, and others served meanwhile."""

from __future__ import annotations

import asyncio
import gc
from contextlib import aclosing, suppress

from blechannel.aio.household import Household
from blechannel.aio.keep_policy import KeepPolicy
from blechannel.aio.phone import Phone
from blechannel.aio.pump import Pump
from blechannel.aio.watch import FULL_HOUSE_S, Declined, Watch
from blechannel.config import Config
from blechannel.errors import BlechannelError
from blechannel.limits import MAX_LINKS
from blechannel.roles import Role
from blechannel.session.conversation import TABLE, State
from blechannel.stores.memory import MemoryStore
from blechannel.wire.frames import Refuse
from tests.aio.rooms import House, happened, house, typing
from tests.aio.virtual import now_s, on_virtual_clock
from tests.hostile.muted import ENDLESS, Deaf, MutedPhone, MutedWatch, Nodding

HONEST_S = 2.0
"""What a reconnect may take an honest phone meanwhile."""
LET_GO_S = 75.0
"""Until a peer that stays silent is let go, wherever it stopped."""


def turns_of(role: Role) -> set[State]:
    """Where a side has something to say beside a refusal: each of these is a place to stop at."""
    return {state for state, row in TABLE.items() if any(who is role and said is not Refuse for who, said in row)}


def states(side: Household) -> set[State]:
    """Where its sessions stand that are under way."""
    return {channel.session.state for channel in side._channels if not channel.session.is_over}


async def let_go(side: Household, but: int = 0) -> None:
    """Return once no more than `but` links are served."""
    async with asyncio.timeout(LET_GO_S):
        while side.figures.links > but:
            await asyncio.sleep(0.1)


async def silent_phone(h: House, store: MemoryStore, frames: int) -> Phone:
    radio = MutedPhone(h.air.phone(), frames)
    phone = Phone(store, radio, config=Config("silent", patience=ENDLESS), world=h.world)
    return await h.stack.enter_async_context(phone)


async def served(phone: Phone, h: House, watch: Watch) -> None:
    """An honest phone reconnects and leaves, quickly."""
    began_s = now_s()
    await (await phone.connect(await h.seen(phone, watch))).close()
    assert now_s() - began_s < HONEST_S


async def stall_as_phone(frames: int, *, pairs: bool, closes: bool = False) -> set[State]:
    """A phone that says so many frames; returns where that leaves the watch."""
    async with house() as h:
        watch, honest = await h.add_watch(), await h.add_phone()
        await (await h.pair(honest, watch)).close()
        known = MemoryStore()
        guest = await h.add_phone(known)
        await (await h.pair(guest, watch)).close()
        silent = await silent_phone(h, MemoryStore() if pairs else known, frames)
        found = await h.seen(silent, watch)
        window = watch.open_pairing() if pairs else None
        if window is not None:
            attempt = asyncio.create_task(silent.pair(found, typing(lambda: window.code), timeout_s=1e6))
        else:
            attempt = asyncio.create_task(silent.connect(found, timeout_s=1e6))
        await asyncio.sleep(1)
        if closes:
            leaving = [asyncio.create_task(channel.close()) for channel in watch.channels]
            await asyncio.sleep(1)
        reached = states(watch)
        await served(honest, h, watch)
        await let_go(watch)
        attempt.cancel()
        with suppress(asyncio.CancelledError, BlechannelError):
            await attempt
        if closes:
            await asyncio.gather(*leaving)
        return reached


async def stall_as_watch(frames: int, *, pairs: bool, closes: bool = False) -> set[State]:
    """A watch that says so many frames; returns where that leaves the phone."""
    async with house() as h:
        radio = MutedWatch(h.air.watch(address="watch-1"))
        watch = Watch(MemoryStore(), radio, config=Config("silent", patience=ENDLESS), world=h.world)
        h.watches.append(await h.stack.enter_async_context(watch))
        phone = await h.add_phone()
        await (await h.pair(phone, watch)).close()
        other = await h.add_phone()
        radio.frames = frames
        victim = other if pairs else phone
        found = await h.seen(victim, watch)
        window = watch.open_pairing() if pairs else None
        if window is not None:
            attempt = asyncio.create_task(victim.pair(found, typing(lambda: window.code), timeout_s=1e6))
        else:
            attempt = asyncio.create_task(victim.connect(found, timeout_s=1e6))
        await asyncio.sleep(1)
        if closes:
            leaving = [asyncio.create_task(channel.close()) for channel in victim.channels]
            await asyncio.sleep(1)
        reached = states(victim)
        await let_go(victim)
        with suppress(BlechannelError):
            await attempt
        if closes:
            await asyncio.gather(*leaving)
        return reached


@on_virtual_clock
async def test_a_phone_that_stops_at_any_step_is_let_go_and_others_are_served() -> None:
    reached: set[State] = set()
    for frames in range(4):
        reached |= await stall_as_phone(frames, pairs=True)
    for frames in range(3):
        reached |= await stall_as_phone(frames, pairs=False)
    reached |= await stall_as_phone(2, pairs=False, closes=True)
    assert turns_of(Role.PHONE) <= reached


@on_virtual_clock
async def test_a_watch_that_stops_at_any_step_is_let_go() -> None:
    reached: set[State] = set()
    for frames in range(5):
        reached |= await stall_as_watch(frames, pairs=True)
    for frames in range(3):
        reached |= await stall_as_watch(frames, pairs=False)
    reached |= await stall_as_watch(2, pairs=False, closes=True)
    assert turns_of(Role.WATCH) <= reached


@on_virtual_clock
async def test_a_house_full_of_silent_strangers_makes_room_for_a_bonded_phone() -> None:
    async with house() as h:
        watch, honest = await h.add_watch(), await h.add_phone()
        await (await h.pair(honest, watch)).close()
        [bond_id] = honest.store.book.bonds
        squatter = h.air.phone()
        began_s = now_s()
        for _ in range(MAX_LINKS):
            (await squatter.connect("watch-1")).start(Deaf())
        async with honest.keep(bond_id, policy=KeepPolicy(first_s=0.5, most_s=0.5)) as kept:
            assert (await kept.channel()).is_open
            assert FULL_HOUSE_S <= now_s() - began_s < FULL_HOUSE_S + 4
        await squatter.close()


@on_virtual_clock
async def test_while_people_pair_nobody_gives_way() -> None:
    async with house() as h:
        watch = await h.add_watch()
        watch.open_pairing()
        slow = h.air.phone()
        for _ in range(MAX_LINKS):
            link = await slow.connect("watch-1")
            link.start(Nodding(link))
        await asyncio.sleep(5 * FULL_HOUSE_S)
        assert watch.figures.links == MAX_LINKS
        await slow.close()


@on_virtual_clock
async def test_a_stranger_that_says_nothing_has_less_time_while_nobody_pairs() -> None:
    async with house() as h:
        watch, stranger = await h.add_watch(), h.air.phone()
        for opens, stays_s in ((False, 10), (True, 60)):
            if opens:
                watch.open_pairing(duration_s=300)
            link = await stranger.connect("watch-1")
            link.start(Nodding(link))
            await asyncio.sleep(stays_s - 1)
            assert watch.figures.links == 1
            await asyncio.sleep(15)
            assert watch.figures.links == 0
        await stranger.close()


@on_virtual_clock
async def test_the_error_of_a_handshake_keeps_no_frame_alive() -> None:
    async with house() as h:
        watch, stranger = await h.add_watch(), h.air.phone()
        link = await stranger.connect("watch-1")
        link.start(Deaf())
        for number in range(2):  # the second one comes after the refusal
            link.send(bytes((number, 0, 0xFF)))
        declined = await happened(watch, Declined)
        assert isinstance(declined, Declined)
        assert declined.error.__traceback__ is None
        await stranger.close()


def pumps() -> int:
    """How many are alive."""
    gc.collect()
    return sum(isinstance(each, Pump) for each in gc.get_objects())


@on_virtual_clock
async def test_a_session_that_is_over_is_kept_alive_by_no_timer() -> None:
    before = pumps()
    async with house() as h:
        watch, phone = await h.add_watch(), await h.add_phone()
        await (await h.pair(phone, watch)).close()
        for _ in range(5):
            await (await phone.connect(await h.seen(phone, watch))).close()
        async with aclosing(watch.events()) as events:  # which hold their channels until they are taken
            with suppress(TimeoutError):
                async with asyncio.timeout(1):
                    async for _ in events:
                        pass
        assert pumps() <= before + 2  # the radios remember their last link
