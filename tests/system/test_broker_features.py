"""What MQTT 5 adds, on a real broker: properties for its rules, sessions that are kept, and what is retained."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiomqtt
import pytest

from blechannel.codec import decode
from blechannel_gateway.broker import Broker
from blechannel_gateway.cloud import CloudInbox
from blechannel_gateway.frames import Post
from blechannel_gateway.gateway import open_gateway
from blechannel_gateway.presence import Roster
from tests.gateway.homes import home, plan_for
from tests.system.mosquitto import Mosquitto, mosquitto

pytestmark = pytest.mark.system
MOST_S = 20.0


def _client(server: Mosquitto, **more: object) -> aiomqtt.Client:
    version = aiomqtt.ProtocolVersion.V5
    return aiomqtt.Client("127.0.0.1", server.port, protocol=version, **more)  # type: ignore[arg-type]


async def test_a_message_has_its_properties_and_the_state_is_retained(tmp_path: Path) -> None:
    async with asyncio.timeout(MOST_S), mosquitto(tmp_path / "broker", "allow_anonymous true") as server:
        broker = Broker(url=f"mqtt://127.0.0.1:{server.port}")
        async with (
            home(tmp_path) as ours,
            open_gateway(ours.phone, plan_for(broker, tmp_path), ours.phone_outbox) as gateway,
            CloudInbox(tmp_path / "in.db", broker, site="home", identifier="in") as inbox,
            _client(server) as rules,
        ):
            [watch] = gateway.watches
            await rules.subscribe(f"blechannel/v1/home/+/{watch}/up/heart-rate", qos=1)
            running = asyncio.ensure_future(gateway.run())
            message = await anext(rules.messages)
            assert isinstance(message.payload, bytes)
            post = decode(Post, message.payload)
            assert dict(message.properties.UserProperty) == {  # type: ignore[union-attr]
                "schema": "gatt:00002a38-0000-1000-8000-00805f9b34fb",
                "bond": watch,
                "stream": post.stream.hex(),
                "sequence": "1",
            }
            while not inbox.roster.is_connected(watch):
                await asyncio.sleep(0.01)
            async with CloudInbox(tmp_path / "late.db", broker, site="home", identifier="late") as late:
                while not late.roster.is_connected(watch):
                    await asyncio.sleep(0.01)
            assert isinstance(inbox.roster, Roster)
            running.cancel()
            await asyncio.wait([running])


@pytest.mark.parametrize(("expiry_s", "kept"), [(60, True), (0, False)])
async def test_the_broker_keeps_a_session_for_so_long(tmp_path: Path, expiry_s: int, kept: bool) -> None:
    async with asyncio.timeout(MOST_S), mosquitto(tmp_path / "broker", "allow_anonymous true") as server:
        broker = Broker(url=f"mqtt://127.0.0.1:{server.port}", session_expiry_s=expiry_s)
        async with CloudInbox(tmp_path / "in.db", broker, site="home", identifier="in") as inbox:
            while not inbox.station.courier.is_connected:
                await asyncio.sleep(0.01)
        async with _client(server, identifier="in", clean_start=False) as again:
            async with _client(server) as other:
                topic = f"blechannel/v1/home/ab/{'ab' * 16}/up/p"
                await other.publish(topic, b"x", qos=1)
            if kept:
                assert str((await anext(again.messages)).topic) == topic
            else:
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.3):
                        await anext(again.messages)


async def test_the_subset_of_3_1_1_on_the_same_broker(tmp_path: Path) -> None:
    async with asyncio.timeout(MOST_S), mosquitto(tmp_path / "broker", "allow_anonymous true") as server:
        broker = Broker(url=f"mqtt://127.0.0.1:{server.port}", protocol="3.1.1")
        async with (
            home(tmp_path) as ours,
            open_gateway(ours.phone, plan_for(broker, tmp_path), ours.phone_outbox) as gateway,
            CloudInbox(tmp_path / "in.db", broker, site="home", identifier="in") as inbox,
        ):
            running = asyncio.ensure_future(gateway.run())
            delivery = await anext(inbox)
            assert delivery.schema == "gatt:00002a38-0000-1000-8000-00805f9b34fb", "it is in the payload"
            running.cancel()
            await asyncio.wait([running])
