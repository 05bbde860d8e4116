"""A window, repeated until it is acknowledged."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from blechannel_gateway import spool as spools
from blechannel_gateway.database import Database
from blechannel_gateway.errors import BrokerAway
from blechannel_gateway.forwarder import Forwarder, Pace
from blechannel_gateway.frames import Ack, Post, Version, Wish
from blechannel_gateway.messages import Lane
from blechannel_gateway.spool import Spool

LANE, OTHER = Lane("0a" * 16, "p"), Lane("0b" * 16, "p")
PATIENT = Pace(window=3, again_s=60.0)
QUICK = Pace(window=3, again_s=0.1, most_again_s=0.2)


class Bench:
    """A forwarder, and what it published."""

    def __init__(self, spool: Spool, pace: Pace) -> None:
        self.spool = spool
        self.out: list[tuple[Lane, int]] = []
        self.posts: list[Post] = []
        self.is_away = False
        self.forwarder = Forwarder(spool, self._publish, pace)

    async def _publish(self, lane: Lane, post: Post) -> None:
        if self.is_away:
            raise BrokerAway("away")
        self.out.append((lane, post.sequence))
        self.posts.append(post)

    async def add(self, count: int, lane: Lane = LANE) -> None:
        for _ in range(count):
            await self.spool.add(lane, b"x")
            self.forwarder.wake(lane)

    async def acknowledge(self, upto: int, wish: Wish = Wish.NOTHING) -> None:
        await self.forwarder.acknowledged(LANE, Ack(Version.ONE, wish, self.posts[0].stream, upto))

    def numbers(self, lane: Lane = LANE) -> list[int]:
        return [number for out, number in self.out if out == lane]

    async def until(self, *numbers: int, lane: Lane = LANE) -> None:
        """Return once that was published in the lane, first of all; AssertionError where it was not."""
        for _ in range(2000):
            if len(self.numbers(lane)) >= len(numbers):
                break
            await asyncio.sleep(0.005)
        assert self.numbers(lane)[: len(numbers)] == list(numbers)


@asynccontextmanager
async def bench(folder: Path, pace: Pace = PATIENT) -> AsyncGenerator[Bench]:
    async with await Database.open(folder / "spool.db", spools.SCHEMA) as database:
        ours = Bench(await Spool.open(database), pace)
        running = asyncio.ensure_future(ours.forwarder.run())
        try:
            yield ours
        finally:
            running.cancel()
            await asyncio.wait([running])
            assert running.cancelled(), running


async def test_a_window_is_out_and_moves_with_each_acknowledgement(tmp_path: Path) -> None:
    async with bench(tmp_path) as ours:
        ours.forwarder.connected()
        await ours.add(5)
        await ours.until(1, 2, 3)
        await asyncio.sleep(0.02)
        assert ours.numbers() == [1, 2, 3]
        await ours.acknowledge(2)
        await ours.until(1, 2, 3, 4, 5)
        await ours.acknowledge(5)
        assert ours.spool.lanes == []


async def test_without_a_connection_nothing_goes_out(tmp_path: Path) -> None:
    async with bench(tmp_path) as ours:
        await ours.add(2)
        await asyncio.sleep(0.02)
        assert ours.out == []
        ours.forwarder.connected()
        await ours.until(1, 2)


async def test_what_is_not_acknowledged_is_sent_again_with_growing_pauses(tmp_path: Path) -> None:
    async with bench(tmp_path, QUICK) as ours:
        ours.forwarder.connected()
        await ours.add(2)
        began = asyncio.get_running_loop().time()
        await ours.until(1, 2, 1, 2, 1, 2)
        assert asyncio.get_running_loop().time() - began >= 0.3 - 0.02, "0.1 s, then twice as long"


async def test_a_wish_is_heard_at_once_but_not_twice(tmp_path: Path) -> None:
    async with bench(tmp_path) as ours:
        ours.forwarder.connected()
        await ours.add(3)
        await ours.until(1, 2, 3)
        await ours.acknowledge(1, Wish.SEND_AGAIN)
        await ours.acknowledge(1, Wish.SEND_AGAIN)
        await ours.until(1, 2, 3, 2, 3)
        await asyncio.sleep(0.02)
        assert ours.numbers() == [1, 2, 3, 2, 3]


async def test_a_new_connection_begins_with_what_is_not_acknowledged(tmp_path: Path) -> None:
    async with bench(tmp_path) as ours:
        ours.forwarder.connected()
        await ours.add(3)
        await ours.until(1, 2, 3)
        await ours.acknowledge(1)
        ours.forwarder.away()
        ours.forwarder.connected()
        await ours.until(1, 2, 3, 2, 3)


async def test_a_broker_that_is_away_costs_nothing_but_time(tmp_path: Path) -> None:
    async with bench(tmp_path, QUICK) as ours:
        ours.is_away = True
        ours.forwarder.connected()
        await ours.add(2)
        await ours.add(1, OTHER)
        await asyncio.sleep(0.02)
        ours.is_away = False
        await ours.until(1, 2)
        await ours.until(1, lane=OTHER)


async def test_all_lanes_together_have_a_window_that_is_shared_and_moves(tmp_path: Path) -> None:
    async with bench(tmp_path, Pace(window=8, window_in_all=4, again_s=60.0)) as ours:
        await ours.add(4)
        await ours.add(4, OTHER)
        ours.forwarder.connected()
        await ours.until(1, 2)
        await ours.until(1, 2, lane=OTHER)
        await asyncio.sleep(0.02)
        assert len(ours.out) == 4, "though each lane's own window is not full"
        await ours.acknowledge(2)
        await ours.until(1, 2, 3, 4)
        await asyncio.sleep(0.02)
        assert ours.numbers(OTHER) == [1, 2]
        await ours.acknowledge(4)
        stream = next(post.stream for post, (lane, _) in zip(ours.posts, ours.out, strict=True) if lane == OTHER)
        await ours.forwarder.acknowledged(OTHER, Ack(Version.ONE, Wish.NOTHING, stream, 2))
        await ours.until(1, 2, 3, 4, lane=OTHER)


async def test_a_lane_that_waits_for_room_goes_on_once_another_is_through(tmp_path: Path) -> None:
    async with bench(tmp_path, Pace(window=8, window_in_all=2, again_s=60.0)) as ours:
        await ours.add(2)
        ours.forwarder.connected()
        await ours.until(1, 2)
        await ours.add(1, OTHER)
        await asyncio.sleep(0.02)
        assert ours.numbers(OTHER) == []
        await ours.acknowledge(2)
        await ours.until(1, lane=OTHER)
