"""The sender's half: kept until it is acknowledged, numbered for ever, one stream at a time, and bounded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from blechannel_gateway import spool as spools
from blechannel_gateway.database import Database
from blechannel_gateway.errors import GatewayError
from blechannel_gateway.frames import Base, Post
from blechannel_gateway.messages import Lane, Limits, Message, MessageId
from blechannel_gateway.spool import STREAMS_KEPT, Spool

LANE, OTHER = Lane("0a" * 16, "p"), Lane("0b" * 16, "p")
A, B = b"a" * 16, b"b" * 16


@asynccontextmanager
async def opened(folder: Path, limits: Limits = Limits()) -> AsyncGenerator[Spool]:  # noqa: B008 - frozen
    async with await Database.open(folder / "spool.db", spools.SCHEMA) as database:
        yield await Spool.open(database, limits)


async def posts(spool: Spool, *, above_row: int = 0, most: int = 10, lane: Lane = LANE) -> list[Post]:
    return [kept.post for kept in await spool.unacknowledged(lane, above_row=above_row, most=most)]


async def put(spool: Spool, stream: bytes, *sequences: int) -> list[bool]:
    return [await spool.put(LANE, Message(MessageId(stream, each), b"%d" % each)) for each in sequences]


async def test_ids_that_the_spool_gives_go_on_after_a_restart(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        first = await spool.add(LANE, b"one")
        assert first.sequence == 1
    async with opened(tmp_path) as spool:
        assert await spool.add(LANE, b"two", schema="x") == (first.stream, 2)
        assert [(each.after, each.sequence, each.body, each.schema) for each in await posts(spool)] == [
            (0, 1, b"one", ""),
            (1, 2, b"two", "x"),
        ]
        assert await spool.add(OTHER, b"one") != first


async def test_a_message_that_was_put_before_is_not_kept_again(tmp_path: Path) -> None:
    """An outbox shows it again where the gateway was ended before it said that it had taken it."""
    async with opened(tmp_path) as spool:
        assert await put(spool, A, 3, 7, 7, 3) == [True, True, False, False]
        assert spool.waiting(LANE) == 2
        await spool.acknowledged(LANE, MessageId(A, 7))
    async with opened(tmp_path) as spool:
        assert await put(spool, A, 7, 9) == [False, True]
        assert [(each.after, each.sequence) for each in await posts(spool)] == [(7, 9)]


async def test_what_is_acknowledged_goes_and_what_follows_says_so(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await put(spool, A, 1, 2, 3)
        assert {each.base for each in await posts(spool)} == {Base.KEPT}
        assert await spool.acknowledged(LANE, MessageId(A, 2)) == 2
        assert await spool.acknowledged(LANE, MessageId(A, 2)) == 0
        assert [(each.base, each.sequence) for each in await posts(spool)] == [(Base.GONE, 3)]
        assert await spool.acknowledged(LANE, MessageId(B, 9)) == 0, "of a stream that there is not"
        assert await spool.acknowledged(LANE, MessageId(A, 1 << 40)) == 1
        assert spool.lanes == []


async def test_a_stream_begins_when_the_one_before_is_through(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await put(spool, A, 1, 2)
        await put(spool, B, 1)
        assert [each.stream for each in await posts(spool)] == [A, A]
        await spool.acknowledged(LANE, MessageId(A, 1))
        assert [each.stream for each in await posts(spool)] == [A]
        await spool.acknowledged(LANE, MessageId(A, 2))
        assert [(each.stream, each.base) for each in await posts(spool)] == [(B, Base.KEPT)]


async def test_whoever_brings_too_much_waits_for_room(tmp_path: Path) -> None:
    async with opened(tmp_path, Limits(messages=2)) as spool:
        await put(spool, A, 1, 2)
        third = asyncio.ensure_future(spool.put(LANE, Message(MessageId(A, 3), b"3")))
        await spool.put(OTHER, Message(MessageId(B, 1), b"another lane has room"))
        assert not third.done()
        await spool.acknowledged(LANE, MessageId(A, 1))
        assert await third
        blocked = asyncio.ensure_future(spool.add(LANE, b"4"))
        await asyncio.sleep(0.01)
        blocked.cancel()
        await asyncio.wait([blocked])
        await spool.acknowledged(LANE, MessageId(A, 3))
        assert spool.waiting(LANE) == 0
        with pytest.raises(GatewayError, match="over the limit"):
            await spool.add(LANE, bytes(2 * 1024 * 1024))


async def test_who_is_cancelled_while_it_is_written_has_put_it(tmp_path: Path) -> None:
    async with opened(tmp_path, Limits(messages=2)) as spool:
        told: list[Lane] = []
        spool.tell = told.append
        putting = asyncio.ensure_future(spool.add(LANE, b"1"))
        await asyncio.sleep(0)
        putting.cancel()
        await asyncio.wait([putting])
        await spool.add(LANE, b"2")
        assert spool.waiting(LANE) == len(await posts(spool)) == 2
        assert told == [LANE, LANE], "so both are sent"


async def test_what_is_acknowledged_makes_room_though_the_connection_ends_meanwhile(tmp_path: Path) -> None:
    """Else who brings messages would wait for room that there is, and who waits for the end would wait for ever."""
    async with opened(tmp_path, Limits(messages=2)) as spool:
        await put(spool, A, 1, 2)
        draining = asyncio.ensure_future(spool.drained())
        hearing = asyncio.ensure_future(spool.acknowledged(LANE, MessageId(A, 2)))
        await asyncio.sleep(0)
        hearing.cancel()
        await asyncio.wait([hearing])
        assert hearing.cancelled()
        async with asyncio.timeout(1):
            await draining
            assert await put(spool, A, 3, 4) == [True, True]


async def test_what_waits_is_counted_again_after_a_restart(tmp_path: Path) -> None:
    async with opened(tmp_path, Limits(messages=2)) as spool:
        await put(spool, A, 1, 2)
    async with opened(tmp_path, Limits(messages=2)) as spool:
        third = asyncio.ensure_future(spool.put(LANE, Message(MessageId(A, 3), b"3")))
        await asyncio.sleep(0.01)
        assert not third.done()
        third.cancel()
        await asyncio.wait([third])


async def test_old_streams_are_forgotten_and_the_own_one_never(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        own = await spool.add(LANE, b"")
        await spool.acknowledged(LANE, own)
        for number in range(2 * STREAMS_KEPT):
            stream = number.to_bytes(16)
            await put(spool, stream, 1)
            await spool.acknowledged(LANE, MessageId(stream, 1))
        assert await spool.add(LANE, b"") == (own.stream, 2)
        assert await put(spool, (0).to_bytes(16), 1) == [True], "forgotten"
        assert await put(spool, (2 * STREAMS_KEPT - 1).to_bytes(16), 1) == [False]
