"""The cloud's half of exactly once: what is new, what was seen, what follows a gap, and what has no room."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from blechannel_gateway import inbox as inboxes
from blechannel_gateway.database import Database
from blechannel_gateway.errors import GatewayError
from blechannel_gateway.frames import Ack, Base, Post, Version, Wish
from blechannel_gateway.inbox import STREAMS_KEPT, Delivery, Inbox
from blechannel_gateway.messages import LANES_IN_ALL, Lane, Limits

LANE, OTHER = Lane("0a" * 16, "p"), Lane("0b" * 16, "p")
STREAM = b"s" * 16


def post(sequence: int, after: int | None = None, *, base: Base = Base.KEPT, stream: bytes = STREAM) -> Post:
    return Post(Version.ONE, base, stream, sequence, sequence - 1 if after is None else after, "", b"%d" % sequence)


def ack(upto: int, wish: Wish = Wish.NOTHING, stream: bytes = STREAM) -> Ack:
    return Ack(Version.ONE, wish, stream, upto)


@asynccontextmanager
async def opened(folder: Path, limits: Limits = Limits()) -> AsyncGenerator[Inbox]:  # noqa: B008 - frozen
    async with await Database.open(folder / "inbox.db", inboxes.SCHEMA) as database:
        yield await Inbox.open(database, limits)


async def arrive(inbox: Inbox, *posts: Post, lane: Lane = LANE) -> list[Ack]:
    return [said for _, said in await inbox.arrived([(lane, each) for each in posts])]


async def shown(inbox: Inbox, count: int) -> Sequence[Delivery]:
    return [await anext(inbox) for _ in range(count)]


async def test_what_is_new_is_shown_in_order_and_acknowledged_at_once(tmp_path: Path) -> None:
    async with opened(tmp_path) as inbox:
        assert await arrive(inbox, post(1), post(2), post(3)) == [ack(3)]
        assert [each.body for each in await shown(inbox, 3)] == [b"1", b"2", b"3"]


async def test_what_is_stored_is_shown_though_the_connection_ends_meanwhile(tmp_path: Path) -> None:
    """It is known from then on: sent again, it would not be stored again, and nobody would ever see it."""
    async with opened(tmp_path, Limits(messages=2)) as inbox:
        storing = asyncio.ensure_future(arrive(inbox, post(1), post(2)))
        await asyncio.sleep(0)
        storing.cancel()
        await asyncio.wait([storing])
        assert storing.cancelled()
        assert await arrive(inbox, post(1), post(2)) in ([ack(2)], []), "known, or full"
        assert inbox._loads.messages(LANE) == 2, "they take room"
        async with asyncio.timeout(1):
            assert [each.body for each in await shown(inbox, 2)] == [b"1", b"2"]


async def test_what_comes_twice_is_shown_once_and_acknowledged_again(tmp_path: Path) -> None:
    async with opened(tmp_path) as inbox:
        await arrive(inbox, post(1), post(1), post(2))
        assert await arrive(inbox, post(1), post(2)) == [ack(2)]
        assert await arrive(inbox, post(3)) == [ack(3)]
        assert [each.message_id.sequence for each in await shown(inbox, 3)] == [1, 2, 3]


async def test_a_restart_shows_what_was_not_taken_and_knows_what_was_seen(tmp_path: Path) -> None:
    async with opened(tmp_path) as inbox:
        await arrive(inbox, post(1), post(2))
        await (await anext(inbox)).taken()
    async with opened(tmp_path) as inbox:
        assert await inbox.known() == [(LANE, ack(2, Wish.SEND_AGAIN))]
        assert await arrive(inbox, post(1), post(2), post(3)) == [ack(3)]
        assert [each.body for each in await shown(inbox, 2)] == [b"2", b"3"]


async def test_what_follows_a_gap_waits_and_is_asked_for_once(tmp_path: Path) -> None:
    async with opened(tmp_path) as inbox:
        assert await arrive(inbox, post(1), post(3), post(4)) == [ack(1, Wish.SEND_AGAIN)]
        assert await arrive(inbox, post(5)) == [ack(1)], "the wish was said"
        inbox.connected()
        assert await arrive(inbox, post(5)) == [ack(1, Wish.SEND_AGAIN)], "and may be lost with a connection"
        assert await arrive(inbox, post(2), post(3)) == [ack(3)]
        assert [each.body for each in await shown(inbox, 3)] == [b"1", b"2", b"3"]


async def test_numbers_that_were_left_out_on_purpose_are_no_gap(tmp_path: Path) -> None:
    async with opened(tmp_path) as inbox:
        assert await arrive(inbox, post(4, after=0), post(9, after=4)) == [ack(9)]


async def test_what_is_gone_at_the_sender_is_told_of_and_not_waited_for(tmp_path: Path) -> None:
    """This side's file is new, or was put back: it acknowledged up to 7 and knows nothing of it."""
    async with opened(tmp_path) as inbox:
        assert await arrive(inbox, post(8)) == [ack(0, Wish.SEND_AGAIN)]
        assert await arrive(inbox, post(8, base=Base.GONE), post(9)) == [ack(9)]
        assert [each.missed for each in await shown(inbox, 2)] == [7, 0]


async def test_streams_and_lanes_are_numbered_apart(tmp_path: Path) -> None:
    async with opened(tmp_path) as inbox:
        other = b"t" * 16
        assert await arrive(inbox, post(1), post(1, stream=other)) == [ack(1), ack(1, stream=other)]
        assert await arrive(inbox, post(1), lane=OTHER) == [ack(1)]


async def test_only_the_newest_streams_are_remembered(tmp_path: Path) -> None:
    async with opened(tmp_path) as inbox:
        for number in range(STREAMS_KEPT + 5):
            await arrive(inbox, post(1, stream=number.to_bytes(16)))
        assert len(await inbox.known()) == STREAMS_KEPT


async def test_what_has_no_room_is_left_to_be_sent_again_and_asked_for_when_there_is(tmp_path: Path) -> None:
    async with opened(tmp_path, Limits(messages=2)) as inbox:
        asked: list[tuple[Lane, Ack]] = []
        inbox.tell = lambda lane, said: asked.append((lane, said))
        assert await arrive(inbox, post(1), post(2), post(3)) == [ack(2)]
        assert await arrive(inbox, post(3)) == []
        assert await arrive(inbox, post(1), lane=OTHER) == [ack(1)], "another lane has room"
        first = await anext(inbox)
        await first.taken()
        assert asked == [(LANE, ack(2, Wish.SEND_AGAIN))]
        assert await arrive(inbox, post(3)) == [ack(3)]


async def test_the_whole_file_is_bounded(tmp_path: Path) -> None:
    async with opened(tmp_path, Limits(messages=1)) as inbox:
        for number in range(LANES_IN_ALL):
            assert await arrive(inbox, post(1), lane=Lane(f"{number:032x}", "p"))
        assert await arrive(inbox, post(1), lane=OTHER) == []


async def test_an_act_of_the_application_stands_exactly_when_the_message_is_taken(tmp_path: Path) -> None:
    async with opened(tmp_path) as inbox:
        await arrive(inbox, post(1))
        delivery = await anext(inbox)

        def spoiled(db: sqlite3.Connection) -> None:
            db.execute("CREATE TABLE mine(body BLOB)")
            raise ValueError("not now")

        with pytest.raises(ValueError, match="not now"):
            await delivery.taken(spoiled)
        await delivery.taken(lambda db: db.execute("CREATE TABLE mine(body BLOB)"))
        with pytest.raises(GatewayError, match="taken before"):
            await delivery.taken()
    async with opened(tmp_path) as inbox:
        assert await arrive(inbox, post(1)) == [ack(1)]
        assert await arrive(inbox, post(2)) == [ack(2)]
        assert (await anext(inbox)).body == b"2"
