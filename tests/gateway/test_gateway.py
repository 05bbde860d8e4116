"""A whole way: watch, gateway, a broker inside this process, and the cloud, both ways."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from blechannel.codec import decode
from blechannel.errors import BondNotFound
from blechannel.pairing.changes import Forget
from blechannel_gateway.broker import Broker
from blechannel_gateway.cloud import CloudInbox, CloudOutbox
from blechannel_gateway.embedded import embedded_broker
from blechannel_gateway.gateway import Gateway, GatewayEvent, Moved, open_gateway
from blechannel_gateway.inbox import Delivery
from blechannel_gateway.presence import Link
from gatt_profiles.heart_rate import BodySensorLocation, HeartRate
from tests.gateway.homes import Home, home, plan_for
from tests.gateway.tap import Tap

MOST_S = 15.0


@dataclass
class Way:
    """All of it, running."""

    home: Home
    gateway: Gateway
    inbox: CloudInbox
    outbox: CloudOutbox
    broker: Broker
    events: list[GatewayEvent] = field(default_factory=list)

    async def until(self, kind: type[GatewayEvent], count: int = 1) -> None:
        while sum(isinstance(event, kind) for event in self.events) < count:
            await asyncio.sleep(0.005)

    async def until_link(self, link: Link, count: int = 1) -> None:
        while sum(isinstance(event, Moved) and event.link is link for event in self.events) < count:
            await asyncio.sleep(0.005)


@asynccontextmanager
async def way(folder: Path, **changes: object) -> AsyncGenerator[Way, None]:
    async with (
        asyncio.timeout(MOST_S),
        embedded_broker() as broker,
        home(folder) as ours,
        open_gateway(ours.phone, plan_for(broker, folder, **changes), ours.phone_outbox) as gateway,
        CloudInbox(folder / "in.db", broker, site="home", identifier="in") as inbox,
        CloudOutbox(folder / "out.db", broker, site="home", identifier="out") as outbox,
    ):
        whole = Way(ours, gateway, inbox, outbox, broker)
        gateway.tell = whole.events.append
        running = asyncio.ensure_future(gateway.run())
        try:
            await whole.until_link(Link.CONNECTED)
            yield whole
        finally:
            running.cancel()
            await asyncio.wait([running])
            assert running.cancelled(), running


async def _next(inbox: CloudInbox) -> Delivery:
    delivery = await anext(inbox)
    await delivery.taken()
    return delivery


async def test_a_heart_rate_comes_out_in_the_cloud(tmp_path: Path) -> None:
    async with way(tmp_path) as whole:
        location = await _next(whole.inbox)
        assert decode(BodySensorLocation, location.body).location == 2
        whole.home.beat(72)
        measured = await _next(whole.inbox)
        assert decode(HeartRate, measured.body).bpm == 72
        assert measured.schema == "gatt:00002a37-0000-1000-8000-00805f9b34fb"
        assert measured.lane.port == "heart-rate"
        assert measured.message_id.sequence == location.message_id.sequence + 1


async def test_a_ports_messages_go_up_and_the_link_may_break(tmp_path: Path) -> None:
    async with way(tmp_path) as whole:
        for number in (1, 2):
            while not whole.home.watch.channels:
                await asyncio.sleep(0.005)
            async with whole.home.watch.channels[0].port("steps") as port:
                await port.send(b"%d steps" % number)
                while (delivery := await _next(whole.inbox)).lane.port != "steps":
                    pass
            assert (delivery.body, delivery.schema) == (b"%d steps" % number, "text/plain")
            whole.home.links[-1].drop("out of reach")
            await whole.until_link(Link.CONNECTED, number + 1)


async def test_a_message_of_the_cloud_comes_out_at_the_watch(tmp_path: Path) -> None:
    async with way(tmp_path) as whole:
        [watch] = whole.gateway.watches
        async with whole.home.watch.channels[0].port("note") as port:
            await whole.outbox.send(watch, "note", b"buy milk")
            assert await port.receive() == b"buy milk"
        await whole.outbox.drained()


async def test_a_message_goes_down_where_nothing_is_bridged_up(tmp_path: Path) -> None:
    async with way(tmp_path, up=()) as whole:
        [watch] = whole.gateway.watches
        async with whole.home.watch.channels[0].port("note") as port:
            await whole.outbox.send(watch, "note", b"buy milk")
            assert await port.receive() == b"buy milk"


async def test_outboxes_carry_both_ways_under_the_watchs_own_ids(tmp_path: Path) -> None:
    async with way(tmp_path) as whole:
        [watch] = whole.gateway.watches
        [bond_id] = whole.home.watch.store.book.bonds
        queue = whole.home.watch_outbox.queue(bond_id, "journal")
        receipts = [await queue.send(b"entry %d" % number) for number in range(5)]
        for number, receipt in enumerate(receipts):
            delivery = await _next(whole.inbox)
            while delivery.lane.port != "journal":
                delivery = await _next(whole.inbox)
            assert delivery.body == b"entry %d" % number
            sent = receipt.message_id
            assert delivery.message_id == (sent.stream, sent.sequence)
        for number in range(5):
            await whole.outbox.send(watch, "journal", b"answer %d" % number)
        for number in range(5):
            async with queue.next() as down:
                assert down.message == b"answer %d" % number


async def test_what_no_watch_takes_is_told_of_and_let_go(tmp_path: Path) -> None:
    async with way(tmp_path) as whole:
        [watch] = whole.gateway.watches
        await whole.outbox.send(watch, "nowhere", b"?")
        await whole.outbox.drained()
        while not any("bridges no such port" in str(event) for event in whole.events):
            await asyncio.sleep(0.005)


async def test_another_gateways_watch_is_left_to_it(tmp_path: Path) -> None:
    async with way(tmp_path) as whole:
        await whole.outbox.send("ab" * 16, "note", b"not here")
        await whole.outbox.send(next(iter(whole.gateway.watches)), "nowhere", b"?")
        while len(whole.outbox.station.spool.lanes) > 1:
            await asyncio.sleep(0.005)
        assert [lane.watch for lane in whole.outbox.station.spool.lanes] == ["ab" * 16]


async def test_a_watch_is_there_while_its_link_stands(tmp_path: Path) -> None:
    async with way(tmp_path) as whole:
        [watch] = whole.gateway.watches
        roster = whole.inbox.roster
        while not roster.is_connected(watch):
            await asyncio.sleep(0.005)
        await whole.home.watch.close()
        while roster.is_connected(watch):
            await asyncio.sleep(0.005)
        assert roster.watches[watch].gateway == "hall"


async def test_a_gateway_that_ends_takes_its_watches_with_it(tmp_path: Path) -> None:
    """Once with a good-bye, and once cut off: then the broker tells its last will."""
    async with (
        asyncio.timeout(MOST_S),
        embedded_broker() as broker,
        Tap(broker) as tap,
        CloudInbox(tmp_path / "in.db", broker, site="home", identifier="in") as inbox,
        home(tmp_path) as ours,
    ):
        for ends in ("with a good-bye", "cut off"):
            async with open_gateway(ours.phone, plan_for(tap.broker, tmp_path), ours.phone_outbox) as gateway:
                [watch] = gateway.watches
                running = asyncio.ensure_future(gateway.run())
                while not inbox.roster.is_connected(watch):
                    await asyncio.sleep(0.005)
                if ends == "cut off":
                    tap.is_open = False
                    tap.cut()
                    while inbox.roster.is_connected(watch):
                        await asyncio.sleep(0.005)
                running.cancel()
                await asyncio.wait([running])
            while inbox.roster.is_connected(watch):
                await asyncio.sleep(0.005)


async def test_a_gateway_without_a_bond_says_what_to_do(tmp_path: Path) -> None:
    async with home(tmp_path) as ours:
        for bond_id in list(ours.phone.store.book.bonds):
            await ours.phone.store.apply(Forget(bond_id))
        with pytest.raises(BondNotFound, match="phone pair"):
            async with open_gateway(ours.phone, plan_for(Broker(url="mqtt://127.0.0.1"), tmp_path), ours.phone_outbox):
                pass
