"""Many watches that one phone keeps: one scan, a few connections in the making, and everyone gets a turn."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack

import pytest

from blechannel.aio.keep import Kept, Stopped
from blechannel.aio.keep_policy import KeepPolicy
from blechannel.aio.keeping import CONNECTING_AT_ONCE
from blechannel.aio.link import Link, Sighting
from blechannel.aio.phone import Phone
from blechannel.config import Config
from blechannel.errors import LocalProtocolError, TransportError
from blechannel.stores.memory import MemoryStore
from blechannel.transports.loopback import LoopbackAir
from blechannel.transports.loopback.air import LoopbackPhone
from tests.aio.rooms import House, house
from tests.aio.virtual import now_s, on_virtual_clock

WATCHES = 24


class Counting(LoopbackPhone):
    """A radio that notes how many scan and connect at the same time, and lets some addresses hang."""

    def __init__(self, air: LoopbackAir) -> None:
        super().__init__(air)
        self.scans = self.most_scans = 0
        self.connecting = self.most_connecting = 0
        self.attempts: Counter[str] = Counter()
        self.hanging: set[str] = set()
        self.broken: TransportError | None = None

    async def scan(self) -> AsyncGenerator[Sighting, None]:
        self.scans += 1
        self.most_scans = max(self.most_scans, self.scans)
        try:
            if self.broken is not None:
                raise self.broken
            async for sighting in super().scan():
                yield sighting
        finally:
            self.scans -= 1

    async def connect(self, address: str) -> Link:  # type: ignore[override]
        self.attempts[address] += 1
        self.connecting += 1
        self.most_connecting = max(self.most_connecting, self.connecting)
        try:
            await asyncio.sleep(3600 if address in self.hanging else 0.5)
            return await super().connect(address)
        finally:
            self.connecting -= 1


async def counted(h: House) -> tuple[Phone, Counting]:
    """A phone with such a radio."""
    radio = Counting(h.air)
    phone = Phone(MemoryStore(), radio, config=Config("phone"), world=h.world)
    return await h.stack.enter_async_context(phone), radio


async def connected(keeps: list[Kept]) -> None:
    async with asyncio.timeout(3600):
        await asyncio.gather(*(kept.channel() for kept in keeps))


@on_virtual_clock
async def test_many_share_one_scan_and_a_bounded_number_of_connection_attempts() -> None:
    async with house() as h:
        phone, radio = await counted(h)
        for _ in range(WATCHES):
            await (await h.pair(phone, await h.add_watch())).close()
        radio.most_scans = radio.most_connecting = 0
        began_s = now_s()
        async with AsyncExitStack() as held:
            keeps = [await held.enter_async_context(phone.keep(bond_id)) for bond_id in phone.store.book.bonds]
            await connected(keeps)
            assert len(phone.channels) == WATCHES
            assert radio.most_scans == 1
            assert radio.most_connecting == CONNECTING_AT_ONCE
            assert now_s() - began_s < 2 * 0.5 * WATCHES / CONNECTING_AT_ONCE
            assert not radio.scans


@on_virtual_clock
async def test_watches_that_hang_keep_others_from_their_turn_for_a_while_and_no_more() -> None:
    async with house() as h:
        phone, radio = await counted(h)
        for _ in range(2 * CONNECTING_AT_ONCE):
            await (await h.pair(phone, await h.add_watch())).close()
        bonds = list(phone.store.book.bonds)
        radio.hanging = {f"watch-{number + 1}" for number in range(CONNECTING_AT_ONCE)}
        async with AsyncExitStack() as held:
            keeps = [await held.enter_async_context(phone.keep(bond_id)) for bond_id in bonds]
            honest = keeps[CONNECTING_AT_ONCE:]
            began_s = now_s()
            await connected(honest)
            assert now_s() - began_s < 40
            await asyncio.sleep(600)
            assert all(not isinstance(kept.state, Stopped) for kept in keeps)
            assert all(radio.attempts[address] > 3 for address in radio.hanging)


@on_virtual_clock
async def test_a_scan_that_fails_is_tried_again_by_each() -> None:
    async with house() as h:
        phone, radio = await counted(h)
        for _ in range(2):
            await (await h.pair(phone, await h.add_watch())).close()
        radio.broken = TransportError("the adapter is switched off")
        async with AsyncExitStack() as held:
            bonds = list(phone.store.book.bonds)
            keeps = [await held.enter_async_context(phone.keep(bond_id)) for bond_id in bonds]
            await asyncio.sleep(300)
            radio.broken = None
            await connected(keeps)


def test_waits_that_make_no_sense_are_refused() -> None:
    for wrong in (
        {"first_s": 0.0},
        {"first_s": 2.0, "most_s": 1.0},
        {"factor": 0.5},
        {"factor": float("nan")},
        {"jitter": 1.1},
        {"jitter": -0.1},
        {"steady_s": -1.0},
        {"give_up_after_s": 0.0},
    ):
        with pytest.raises(LocalProtocolError, match=r"waits|share|steady"):
            KeepPolicy(**wrong)


def test_any_number_of_failures_has_a_wait() -> None:
    assert KeepPolicy(jitter=0.0).wait_s(100_000, bytes) == 60.0
