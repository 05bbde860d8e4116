"""The cloud's side over a broker inside this process: restarts, cut connections, and errors that say what to do."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from blechannel.codec import encode
from blechannel.errors import MissingExtra
from blechannel_gateway.broker import Broker
from blechannel_gateway.cloud import CloudInbox
from blechannel_gateway.courier import Letter
from blechannel_gateway.embedded import embedded_broker
from blechannel_gateway.errors import BrokerAway, CloudStoreError
from blechannel_gateway.frames import Base, Post, Version
from tests.gateway.tap import Tap
from tests.gateway.traffic import LANES, QUICK, Address, Received, Station, Way, body, open_station

MOST_S = 15.0


@asynccontextmanager
async def gateway(broker: Broker, folder: Path) -> AsyncGenerator[Station]:
    address = Address(broker=broker, site="test", identifier="gateway", sends=Way.UP, receives=Way.DOWN)
    async with open_station(address, folder / "gateway.db", pace=QUICK) as station:
        running = asyncio.ensure_future(station.run())
        try:
            yield station
        finally:
            running.cancel()
            await asyncio.wait([running])


def cloud(broker: Broker, folder: Path) -> CloudInbox:
    return CloudInbox(folder / "in.db", broker, site="test", identifier="in", pace=QUICK)


async def test_a_consumer_that_is_started_again_goes_on_where_it_was(tmp_path: Path) -> None:
    lane, received = LANES[0], Received()
    async with asyncio.timeout(MOST_S), embedded_broker() as broker, gateway(broker, tmp_path) as station:
        for start in range(3):
            for number in range(8 * start, 8 * start + 8):
                await station.add(lane, body(number + 1))
            async with cloud(broker, tmp_path) as inbox:
                taking = asyncio.ensure_future(received.take_all(inbox))
                while len(received.bodies[lane]) < 8 * start + 4:
                    await asyncio.sleep(0.005)
                taking.cancel()
                await asyncio.wait([taking])
        async with cloud(broker, tmp_path) as inbox:
            taking = asyncio.ensure_future(received.take_all(inbox))
            await received.until({lane: 24})
            taking.cancel()
            await asyncio.wait([taking])


@pytest.mark.parametrize("turns", range(6))
async def test_a_consumer_that_is_cancelled_as_a_message_comes_is_shown_it_next(tmp_path: Path, turns: int) -> None:
    """As `asyncio.wait_for` does it, whose time may be up in any turn of the loop."""
    async with cloud(Broker(url="mqtt://127.0.0.1:1"), tmp_path) as inbox:
        waiting = asyncio.ensure_future(anext(inbox))
        await asyncio.sleep(0.01)
        post = Post(Version.ONE, Base.KEPT, b"s" * 16, 1, 0, "", b"only")
        await inbox.station.inbox.arrived([(LANES[0], post)])
        for _ in range(turns):
            await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        async with asyncio.timeout(1):
            delivery = await anext(inbox) if waiting.cancelled() else waiting.result()
        assert delivery.body == b"only"


async def test_connections_that_are_cut_lose_nothing(tmp_path: Path) -> None:
    lane, received = LANES[1], Received()
    async with (
        asyncio.timeout(MOST_S),
        embedded_broker() as broker,
        Tap(broker) as tap,
        gateway(tap.broker, tmp_path) as station,
        cloud(tap.broker, tmp_path) as inbox,
    ):
        taking = asyncio.ensure_future(received.take_all(inbox))
        for number in range(1, 16):
            await station.add(lane, body(number))
            if number % 5 == 0:
                tap.cut()
        await received.until({lane: 15})
        await station.spool.drained()
        taking.cancel()
        await asyncio.wait([taking])


async def test_what_is_no_frame_is_passed_over(tmp_path: Path) -> None:
    async with (
        asyncio.timeout(MOST_S),
        embedded_broker() as broker,
        gateway(broker, tmp_path) as station,
        cloud(broker, tmp_path) as inbox,
    ):
        while not station.courier.is_connected or not inbox.station.courier.is_connected:
            await asyncio.sleep(0.005)
        topic = station.topics.posts(Way.UP, LANES[0])
        strange = encode(Post(Version.ONE, Base.KEPT, b"x" * 16, 1, 0, "", b"strange"))
        for payload in (b"", b"junk", b"\x02" + strange[1:], strange):
            await station.courier.publish(Letter(topic, payload))
        assert (await anext(inbox)).body == b"strange"


async def test_nobody_there(tmp_path: Path) -> None:
    said: list[str] = []
    async with asyncio.timeout(MOST_S), cloud(Broker(url="mqtt://127.0.0.1:1"), tmp_path) as inbox:
        inbox.station.when_away = lambda error: said.append(str(error))
        with pytest.raises(BrokerAway, match="no connection"):
            await inbox.station.courier.publish(Letter("x", b""))
        while not said:
            await asyncio.sleep(0.005)
    assert "the broker 127.0.0.1:1 cannot be reached" in said[0]


async def test_a_file_that_is_in_use_and_a_package_that_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker = Broker(url="mqtt://127.0.0.1:1")
    async with asyncio.timeout(MOST_S), cloud(broker, tmp_path):
        with pytest.raises(CloudStoreError, match="another program uses it"):
            async with cloud(broker, tmp_path):
                pass
    monkeypatch.setitem(sys.modules, "aiomqtt", None)
    async with asyncio.timeout(MOST_S), cloud(broker, tmp_path) as inbox:
        with pytest.raises(MissingExtra, match=r"blechannel\[mqtt\]"):
            await anext(inbox)


async def test_a_broker_that_never_answers_is_hung_up_on(tmp_path: Path) -> None:
    """And not left with a connection that comes to life under the next one."""
    hung_up = asyncio.Event()

    async def be_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        hung_up.set()
        writer.close()

    said: list[str] = []
    async with asyncio.timeout(MOST_S), await asyncio.start_server(be_silent, "127.0.0.1", 0) as server:
        broker = Broker(url=f"mqtt://127.0.0.1:{server.sockets[0].getsockname()[1]}", answer_s=0.1)
        async with cloud(broker, tmp_path) as inbox:
            inbox.station.when_away = lambda error: said.append(str(error))
            await hung_up.wait()
        assert "cannot be reached (Operation timed out)" in said[0]
