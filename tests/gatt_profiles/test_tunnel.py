"""Profiles through the channel, between two live sides."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

import pytest

from blechannel.aio.attributes import MAX_UNREAD, Notifications
from blechannel.aio.port import Port
from blechannel.codec import encode
from blechannel.errors import (
    AccessDenied,
    AttributeRefused,
    LinkLost,
    LocalProtocolError,
    MalformedFrame,
    PeerTimedOut,
)
from blechannel.gatt import AttErrorCode
from gatt_profiles import alert_notification, battery, current_time, heart_rate, tunnel_peer
from gatt_profiles.alert_notification import Category, Command, NewAlert, UnreadStatus
from gatt_profiles.alerts import Alerts
from gatt_profiles.battery import LEVEL, BatteryLevel
from gatt_profiles.client import Client
from gatt_profiles.current_time import CURRENT_TIME, CurrentTime
from gatt_profiles.profile import Service
from gatt_profiles.server import Server
from gatt_profiles.tunnel import Kind, Reply, serving
from gatt_profiles.tunnel_peer import NUMBERS, TunnelPeer, open_client
from tests.aio.rooms import Room, house, room

LEVEL_KEY = UUID(LEVEL.uuid).bytes


def charged(percent: int = 87) -> Server:
    server = Server(battery.SERVICE)
    server.set(LEVEL, BatteryLevel(percent))
    return server


@asynccontextmanager
async def client_of(server: Server) -> AsyncIterator[tuple[Client, Room]]:
    async with room() as r:
        r.watch.serve(server.service.port, serving(server))
        async with open_client(await r.pair(), server.service) as client:
            yield client, r


async def test_read_and_subscribe() -> None:
    server = charged()
    async with client_of(server) as (client, _):
        assert await client.read(LEVEL) == BatteryLevel(87)
        async with client.subscribed(LEVEL) as levels:
            for percent in (86, 0, 100):
                server.set(LEVEL, BatteryLevel(percent))
            assert [(await anext(levels)).percent for _ in range(3)] == [86, 0, 100]
        server.set(LEVEL, BatteryLevel(5))
        assert await client.read(LEVEL) == BatteryLevel(5)


async def test_what_was_left_is_not_heard() -> None:
    server = charged()
    async with client_of(server) as (client, _):
        async with client.subscribed(LEVEL) as before:
            pass
        server.set(LEVEL, BatteryLevel(1))
        async with client.subscribed(LEVEL) as levels:
            server.set(LEVEL, BatteryLevel(2))
            assert (await anext(levels)).percent == 2
        assert server._subscribers[LEVEL.uuid] == [], "nor is it sent any more"
        assert before.missed == 0


async def test_a_port_that_is_shut_takes_its_subscriptions_with_it() -> None:
    server = charged()
    async with room() as r:
        r.watch.serve(battery.SERVICE.port, serving(server))
        channel = await r.pair()
        async with open_client(channel, battery.SERVICE) as client:
            await client._peer.subscribe(battery.SERVICE.uuid, LEVEL.uuid, Notifications())
            assert len(server._subscribers[LEVEL.uuid]) == 1
        async with asyncio.timeout(5):
            while server._subscribers[LEVEL.uuid]:
                await asyncio.sleep(0)


async def test_requests_of_several_tasks_find_their_answers() -> None:
    server = Server(current_time.SERVICE)
    server.set(CURRENT_TIME, CurrentTime.of(datetime(2024, 2, 29)))
    server.on_write(CURRENT_TIME, lambda value: server.set(CURRENT_TIME, value))
    async with client_of(server) as (client, _):
        later = CurrentTime.of(datetime(2025, 1, 1))
        first, _, second = await asyncio.gather(
            client.read(CURRENT_TIME), client.write(CURRENT_TIME, later), client.read(CURRENT_TIME)
        )
        assert (first.year, second.year) == (2024, 2025)


async def test_what_the_server_refuses_keeps_its_code() -> None:
    server = Server(heart_rate.SERVICE)

    def refuse(_written: heart_rate.ControlPoint) -> None:
        raise AttributeRefused(heart_rate.CONTROL_POINT_NOT_SUPPORTED, "no such command")

    server.on_write(heart_rate.CONTROL_POINT, refuse)
    async with client_of(server) as (client, _):
        for asked, code, words in (
            (client.write(heart_rate.CONTROL_POINT, heart_rate.ControlPoint(9)), 0x80, "Control Point be written"),
            (client.read(heart_rate.MEASUREMENT), AttErrorCode.READ_NOT_PERMITTED, "Measurement be read"),
            (client.read(heart_rate.LOCATION), AttErrorCode.ATTRIBUTE_NOT_FOUND, "Location be read"),
        ):
            with pytest.raises(AttributeRefused, match=words) as refused:
                await asked
            assert refused.value.code == code
        with pytest.raises(AttributeRefused, match="be subscribed to"):
            async with client.subscribed(heart_rate.CONTROL_POINT):
                pass
        with pytest.raises(LocalProtocolError, match="no characteristic of heart-rate"):
            await client.read(LEVEL)
        with pytest.raises(AttributeRefused, match="another service"):
            await client._peer.read(battery.SERVICE.uuid, LEVEL.uuid)
        with pytest.raises(AttributeRefused, match="00002a19"):
            await client._peer.read(heart_rate.SERVICE.uuid, LEVEL.uuid)
        await client._peer.unsubscribe(heart_rate.SERVICE.uuid, LEVEL.uuid)


async def test_one_subscription_a_characteristic() -> None:
    async with client_of(charged()) as (client, _), client.subscribed(LEVEL):
        with pytest.raises(LocalProtocolError, match="already"):
            async with client.subscribed(LEVEL):
                pass


async def test_who_does_not_listen_keeps_the_newest_values() -> None:
    server = charged(0)
    async with client_of(server) as (client, _), client.subscribed(LEVEL) as levels:
        for percent in range(80):
            server.set(LEVEL, BatteryLevel(percent))
            await client.read(LEVEL)
        assert levels.missed == 80 - MAX_UNREAD
        assert (await anext(levels)).percent == 80 - MAX_UNREAD


async def test_the_end_of_the_channel_and_its_cutting_off_are_told_apart() -> None:
    for cut_off in (False, True):
        async with client_of(charged()) as (client, r), client.subscribed(LEVEL) as levels:
            if cut_off:
                await r.links[0].close()
                with pytest.raises(LinkLost):
                    await anext(levels)
                with pytest.raises(LinkLost):
                    await client.read(LEVEL)
            else:
                await (await r.other_end()).close()
                with pytest.raises(StopAsyncIteration):
                    await anext(levels)
                with pytest.raises(EOFError):
                    await client.read(LEVEL)


async def test_a_request_that_is_under_way_when_the_link_is_lost() -> None:
    async with room() as r:
        channel = await r.pair()
        async with open_client(channel, battery.SERVICE) as client:
            asked = asyncio.ensure_future(client.read(LEVEL))
            await asyncio.sleep(0.01)
            await r.links[0].close()
            with pytest.raises(LinkLost):
                await asked


async def test_nobody_who_serves_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tunnel_peer, "ANSWER_S", 0.05)
    async with room() as r, open_client(await r.pair(), battery.SERVICE) as client:
        with pytest.raises(PeerTimedOut, match="does the peer serve battery"):
            await client.read(LEVEL)


async def test_a_guest_who_may_not() -> None:
    async with house() as h:
        watch = await h.add_watch()
        owner, guest = await h.add_phone(), await h.add_phone()
        watch.serve(battery.SERVICE.port, serving(charged()))
        await h.pair(owner, watch)
        async with open_client(await h.pair(guest, watch), battery.SERVICE) as client:
            with pytest.raises(AccessDenied):
                await client.read(LEVEL)
            with pytest.raises(AccessDenied):
                await client.read(LEVEL)


async def test_the_phone_serves_and_the_watch_asks() -> None:
    async with room() as r:
        channel = await r.pair()
        channel.serve(battery.SERVICE.port, serving(charged()))
        async with open_client(await r.other_end(), battery.SERVICE) as client:
            assert await client.read(LEVEL) == BatteryLevel(87)


@asynccontextmanager
async def answered_with(*messages: bytes) -> AsyncIterator[Client]:
    """The client of a watch that answers the first request with these, whatever it was."""

    async def serve(port: Port) -> None:
        await port.receive()
        for message in messages:
            await port.send(message)
        async for _ in port:
            pass

    async with room() as r:
        r.watch.serve(battery.SERVICE.port, serve)
        async with open_client(await r.pair(), battery.SERVICE) as client:
            yield client


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (b"", "no Reply"),
        (b"\x09" + bytes(17), "no Reply"),
        (encode(Reply(Kind.REFUSED, 0, LEVEL_KEY, b"")), "without its error code"),
        (encode(Reply(Kind.REFUSED, 0, LEVEL_KEY, b"\1\2")), "without its error code"),
        (encode(Reply(Kind.DONE, 0, LEVEL_KEY, b"\xff")), "percent is 0 to 100"),
    ],
)
async def test_a_reply_that_is_none(reply: bytes, why: str) -> None:
    async with answered_with(reply) as client:
        with pytest.raises(MalformedFrame, match=why):
            await client.read(LEVEL)


async def test_replies_that_nobody_asked_for_are_passed_over() -> None:
    stray = encode(Reply(Kind.DONE, 200, LEVEL_KEY, b"\x01"))
    unasked = encode(Reply(Kind.NOTIFIED, 0, LEVEL_KEY, b"\x02"))
    true = encode(Reply(Kind.DONE, 0, LEVEL_KEY, b"\x03"))
    async with answered_with(stray, unasked, true, true) as client:
        assert await client.read(LEVEL) == BatteryLevel(3)


async def test_a_request_that_is_none_ends_the_port_and_nothing_else() -> None:
    async with room() as r:
        r.watch.serve(battery.SERVICE.port, serving(charged()))
        channel = await r.pair()
        async with channel.port(battery.SERVICE.port) as port:
            await port.send(b"\0")
            with pytest.raises(EOFError):
                await port.receive()
        async with open_client(channel, battery.SERVICE) as client:
            assert await client.read(LEVEL) == BatteryLevel(87)


async def test_numbers_are_not_given_twice() -> None:
    async with room() as r:
        channel = await r.pair()
        async with channel.port("silent") as port:
            peer = TunnelPeer(port, Service(battery.SERVICE.uuid, "silent", ()))
            asked = [asyncio.ensure_future(peer.read(battery.SERVICE.uuid, LEVEL.uuid)) for _ in range(NUMBERS)]
            await asyncio.sleep(0)
            with pytest.raises(LocalProtocolError, match="256 requests"):
                await peer.read(battery.SERVICE.uuid, LEVEL.uuid)
            asked[7].cancel()
            await asyncio.wait({asked[7]})
            assert peer._free_number() == 7
            for waiting in asked:
                waiting.cancel()
            await asyncio.wait(asked)


async def test_alerts() -> None:
    server = Server(alert_notification.SERVICE)
    alerts = Alerts(server, Category.EMAIL, Category.CALL)
    control, new, unread = (
        alert_notification.CONTROL_POINT,
        alert_notification.NEW_ALERT,
        alert_notification.UNREAD_STATUS,
    )

    def command(what: int, category: Category) -> alert_notification.ControlPoint:
        return alert_notification.ControlPoint(what, category)

    async with (
        client_of(server) as (client, _),
        client.subscribed(new) as news,
        client.subscribed(unread) as counts,
    ):
        supported = await client.read(alert_notification.SUPPORTED_NEW)
        assert [category for category in Category if category in supported] == [Category.EMAIL, Category.CALL]
        alerts.came(Category.CALL, "before anybody wants to know")
        await client.write(control, command(Command.ENABLE_NEW, Category.CALL))
        await client.write(control, command(Command.ENABLE_UNREAD, Category.ALL))
        alerts.came(Category.EMAIL, "not wanted")
        alerts.came(Category.CALL, "Ada Lovelace was ΩΩ")
        assert await anext(news) == NewAlert(Category.CALL, 2, "Ada Lovelace was ")
        assert [await anext(counts), await anext(counts)] == [
            UnreadStatus(Category.EMAIL, 1),
            UnreadStatus(Category.CALL, 2),
        ]
        await client.write(control, command(Command.NOTIFY_NEW_NOW, Category.ALL))
        assert (await anext(news)).count == 2
        alerts.was_read(Category.CALL)
        assert await anext(counts) == UnreadStatus(Category.CALL, 0)
        await client.write(control, command(Command.NOTIFY_UNREAD_NOW, Category.EMAIL))
        assert await anext(counts) == UnreadStatus(Category.EMAIL, 1)
        await client.write(control, command(Command.DISABLE_NEW, Category.ALL))
        await client.write(control, command(Command.DISABLE_UNREAD, Category.EMAIL))
        alerts.came(Category.EMAIL, "unheard")
        alerts.came(Category.CALL, "counted")
        assert await anext(counts) == UnreadStatus(Category.CALL, 1)
        for wrong in (command(6, Category.ALL), command(Command.ENABLE_NEW, Category.NEWS)):
            with pytest.raises(AttributeRefused) as refused:
                await client.write(control, wrong)
            assert refused.value.code == alert_notification.COMMAND_NOT_SUPPORTED
        assert len(news._notifications._values) == 0
        with pytest.raises(LocalProtocolError, match="no category NEWS"):
            alerts.came(Category.NEWS, "none")
        with pytest.raises(LocalProtocolError, match="no category ALL"):
            alerts.was_read(Category.ALL)
