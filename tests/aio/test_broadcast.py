"""Every reader has all the news; what nobody reads waits for the next one; nothing grows."""

from __future__ import annotations

import asyncio

import pytest

from blechannel.aio.broadcast import Broadcast
from blechannel.aio.watch import CodeShown, Declined, WatchEvent
from blechannel.errors import TransportError
from tests.aio.rooms import room
from tests.aio.virtual import on_virtual_clock


def read(reader: asyncio.Queue[int]) -> list[int]:
    return [reader.get_nowait() for _ in range(reader.qsize())]


async def test_each_reader_has_what_was_said_since_it_began() -> None:
    news: Broadcast[int] = Broadcast(3)
    news.say(1)
    first = news.join()
    news.say(2)
    second = news.join()
    news.say(3)
    assert news.waiting == 3
    assert (read(first), read(second)) == ([1, 2, 3], [3])


async def test_the_oldest_is_missed_by_who_is_behind_and_by_nobody_else() -> None:
    news: Broadcast[int] = Broadcast(2)
    slow, quick = news.join(), news.join()
    for number in range(5):
        news.say(number)
        assert read(quick) == [number]
    assert read(slow) == [3, 4]
    news.leave(slow)
    news.leave(quick)
    for number in range(5):
        news.say(number)
    assert read(news.join()) == [3, 4]


async def test_what_the_last_reader_left_unread_is_for_the_next() -> None:
    news: Broadcast[int] = Broadcast(9)
    first, second = news.join(), news.join()
    news.say(1)
    news.leave(first)
    news.leave(second)
    news.say(2)
    assert read(news.join()) == [1, 2]


@on_virtual_clock
async def test_two_who_watch_the_events_see_the_same() -> None:
    async with room() as r:
        seen: list[list[WatchEvent]] = [[], []]

        async def look(which: int) -> None:
            async for event in r.watch.events():
                seen[which].append(event)

        looking = [asyncio.create_task(look(which)) for which in range(2)]
        await asyncio.sleep(0)
        r.watch.open_pairing()
        await (await r.pair()).close()
        await r.watch._transport.close()
        for task in looking:
            with pytest.raises(TransportError):
                await asyncio.wait_for(task, 10)
        assert seen[0] == seen[1]
        assert isinstance(seen[0][0], CodeShown)
        assert isinstance(seen[0][-1], Declined)
