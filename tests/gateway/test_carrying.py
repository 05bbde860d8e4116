"""Between outboxes and the station: a crash in between neither loses nor doubles."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from blechannel.errors import LocalProtocolError
from blechannel_gateway.broker import Broker
from blechannel_gateway.carrying import carry_up, store_down
from blechannel_gateway.messages import Lane, Limits, Message, MessageId
from blechannel_gateway.station import Address, Station, open_station
from blechannel_gateway.topics import Way
from tests.gateway.homes import Home, home
from tests.gateway.test_inbox import arrive, opened, post

LANE = Lane("0a" * 16, "journal")


@asynccontextmanager
async def idle_station(folder: Path) -> AsyncGenerator[Station]:
    """One that has no broker, and keeps what it is given."""
    address = Address(broker=Broker(url="mqtt://127.0.0.1"), site="home", identifier="g", sends=Way.UP)
    async with open_station(address, folder / "gateway.db") as station:
        yield station


async def _bond_of_phone(ours: Home) -> bytes:
    [bond_id] = ours.phone.store.book.bonds
    return bond_id


async def test_a_message_of_the_cloud_is_put_into_the_outbox_once(tmp_path: Path) -> None:
    """Shown again, because the gateway was ended before it could say that it had taken it."""
    async with home(tmp_path) as ours, opened(tmp_path) as inbox:
        queue = ours.phone_outbox.queue(await _bond_of_phone(ours), "journal")
        await arrive(inbox, post(1), post(2))
        first, second = await anext(inbox), await anext(inbox)
        for delivery in (first, first, second, first, second):
            await store_down(queue, delivery)
        assert queue.waiting == 2


async def test_one_that_is_too_long_for_the_outbox_is_said_to_be(tmp_path: Path) -> None:
    async with home(tmp_path) as ours, opened(tmp_path) as inbox:
        queue = ours.phone_outbox.queue(await _bond_of_phone(ours), "journal")
        too_long = post(1)
        await arrive(inbox, type(too_long)(too_long.version, too_long.base, too_long.stream, 1, 0, "", bytes(2 << 20)))
        with pytest.raises(LocalProtocolError, match="takes"):
            await store_down(queue, await anext(inbox))


async def test_a_message_of_the_watch_is_kept_before_it_is_taken(tmp_path: Path) -> None:
    """Ended in between, the gateway is shown it again, and keeps it once."""
    async with home(tmp_path) as ours, idle_station(tmp_path) as station, asyncio.timeout(5):
        [bond] = ours.watch.store.book.bonds.values()
        sent = (await ours.watch_outbox.queue(bond.bond_id, "journal").send(b"entry")).message_id
        channel = await ours.phone.connect(await ours.phone.find())
        queue = ours.phone_outbox.queue(await _bond_of_phone(ours), "journal")
        shown = await queue.after(0)
        await station.put(LANE, Message(MessageId(sent.stream, sent.sequence), shown.message, "text"))
        up = carry_up(queue, LANE, station, schema="text")
        assert queue.untaken == 1
        assert await anext(up) == len(b"entry")
        await up.aclose()
        assert queue.untaken == 0
        [kept] = await station.spool.unacknowledged(LANE, most=9)
        assert (kept.post.stream, kept.post.sequence, kept.post.body) == (sent.stream, sent.sequence, b"entry")
        await channel.close()


async def test_while_the_gateway_has_no_room_the_watchs_messages_stay_in_the_outbox(tmp_path: Path) -> None:
    address = Address(broker=Broker(url="mqtt://127.0.0.1"), site="home", identifier="g", sends=Way.UP)
    async with (
        home(tmp_path) as ours,
        open_station(address, tmp_path / "gateway.db", limits=Limits(messages=2)) as station,
        asyncio.timeout(5),
    ):
        [bond] = ours.watch.store.book.bonds.values()
        for number in range(4):
            await ours.watch_outbox.queue(bond.bond_id, "journal").send(b"%d" % number)
        channel = await ours.phone.connect(await ours.phone.find())
        queue = ours.phone_outbox.queue(await _bond_of_phone(ours), "journal")
        up = carry_up(queue, LANE, station, schema="text")
        assert [await anext(up), await anext(up)] == [1, 1]
        third = asyncio.ensure_future(anext(up))
        await asyncio.sleep(0.05)
        assert not third.done()
        assert queue.untaken == 2
        [first, _] = await station.spool.unacknowledged(LANE, most=9)
        await station.spool.acknowledged(LANE, MessageId(first.post.stream, first.post.sequence))
        assert await third == 1
        await up.aclose()
        await channel.close()
