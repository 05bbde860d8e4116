"""A fleet through a gateway and the broker inside this process."""

from __future__ import annotations

import aiomqtt
import pytest

from blechannel_gateway.broker import Broker
from blechannel_gateway.embedded import embedded_broker
from blechannel_gateway.errors import BrokerError
from blechannel_tools.fleet.fleet import fleet_of
from blechannel_tools.fleet.load import Offer
from blechannel_tools.fleet.over_broker import NAME, serve_over

OFFER = Offer(rate_hz=20.0, seconds=0.2, message_bytes=20)


async def _retained(broker: Broker) -> list[str]:
    """Topics on which something is kept for who comes next."""
    found: list[str] = []
    async with aiomqtt.Client(broker.host, broker.port) as client:
        await client.publish("last", b"x", retain=True)
        await client.subscribe("#")
        async for message in client.messages:
            found.append(str(message.topic))
            if found[-1] == "last" or len(found) > 20:
                break
    return [topic for topic in found if topic.startswith(f"blechannel/v1/{NAME}/")]


async def test_every_message_reaches_the_subscriber_and_nothing_stays_on_the_broker() -> None:
    told: list[int] = []
    async with embedded_broker() as broker:
        async with fleet_of(3) as fleet:
            served = await serve_over(fleet, OFFER, broker, arrived=told.append)
        assert await _retained(broker) == []
    assert served.lost == 0
    assert told == list(range(1, 13))
    assert served.broker == f"127.0.0.1:{broker.port}"
    assert min(served.latencies_s) > 0
    assert served.cpu_s > 0


async def test_a_broker_that_is_not_there_ends_the_run_at_once() -> None:
    async with fleet_of(2) as fleet:
        with pytest.raises(BrokerError, match="cannot be reached"):
            await serve_over(fleet, OFFER, Broker(url="mqtt://127.0.0.1:1"))
