"""A real broker killed again and again: nothing lost, nothing twice, order kept, in both directions."""

from __future__ import annotations

import asyncio
import gc
import os
import random
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest

from blechannel_gateway.cloud import CloudInbox, CloudOutbox
from blechannel_gateway.gateway import Carried, Gateway, GatewayEvent, open_gateway
from tests.gateway.homes import Home, home, plan_for
from tests.gateway.traffic import LANES, QUICK, Address, Broker, Received, Station, Way, body, open_station
from tests.system.mosquitto import Mosquitto, mosquitto
from tests.system.standing import of_outbox, of_station, of_tasks


@pytest.mark.system
@pytest.mark.parametrize("way", ["many lanes", "from a watch and to it"])
async def test_ten_times(tmp_path: Path, way: str) -> None:
    await _killed(10, tmp_path, _many_lanes if way == "many lanes" else _with_a_watch)


@pytest.mark.long
@pytest.mark.parametrize("way", ["many lanes", "from a watch and to it"])
async def test_a_hundred_times(tmp_path: Path, way: str) -> None:
    await _killed(100, tmp_path, _many_lanes if way == "many lanes" else _with_a_watch)


FINISH_S = 120.0
"""A connection that nobody can tell is dead is noticed after some keepalives."""


class Traffic(Protocol):
    """What goes on while the broker is killed."""

    async def disturb(self) -> None:
        """Something else fails, too."""

    async def finish(self) -> int:
        """Send no more; return how many went each way once all have come, each once and in order."""

    async def standing(self) -> str:
        """For a person who wants to know why it does not finish."""


Begin = Callable[[Broker, Path, random.Random], AbstractAsyncContextManager[Traffic]]


async def _killed(times: int, folder: Path, begin: Begin) -> None:
    """Messages go both ways without a pause while the broker is killed at random moments of a printed seed."""
    seed = int(os.environ.get("BLECHANNEL_SEED") or random.randrange(1 << 32))
    print(f"BLECHANNEL_SEED={seed}")
    chance = random.Random(seed)
    complaints: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, said: complaints.append(str(said)))
    async with mosquitto(folder / "broker", "allow_anonymous true") as server:
        broker = Broker(url=f"mqtt://127.0.0.1:{server.port}", answer_s=2.0, keepalive_s=5)
        async with begin(broker, folder, chance) as traffic:
            for _ in range(times):
                await _kill_and_start(server, chance)
                if chance.random() < 0.3:
                    await traffic.disturb()
            try:
                async with asyncio.timeout(FINISH_S):
                    count = await traffic.finish()
            except TimeoutError:
                pytest.fail("\n".join([f"not through in {FINISH_S:g} s", await traffic.standing(), of_tasks()]))
            print(f"{count} messages each way, {times} kills")
    gc.collect()
    assert not [each for each in complaints if "never retrieved" in each], complaints


class _Lanes:
    """Three lanes between two stations, both ways."""

    def __init__(self, gateway: Station, inbox: CloudInbox, outbox: CloudOutbox, up: Received, down: Received) -> None:
        self.stop = asyncio.Event()
        self.feeding: asyncio.Future[list[int]]
        self._gateway = gateway
        self._inbox = inbox
        self._outbox = outbox
        self._up = up
        self._down = down

    async def disturb(self) -> None:
        """There is nothing else."""

    async def finish(self) -> int:
        self.stop.set()
        counts = dict(zip(LANES, await self.feeding, strict=True))
        await self._up.until(counts)
        await self._down.until(counts)
        await self._gateway.spool.drained()
        await self._outbox.drained()
        return sum(counts.values())

    async def standing(self) -> str:
        came = [{lane: len(bodies) for lane, bodies in way.bodies.items()} for way in (self._up, self._down)]
        stations = [("gateway", self._gateway), ("inbox", self._inbox.station), ("outbox", self._outbox.station)]
        return "\n".join([f"came {came}", *[await of_station(*each) for each in stations]])


@asynccontextmanager
async def _many_lanes(broker: Broker, folder: Path, chance: random.Random) -> AsyncGenerator[Traffic]:
    address = Address(broker=broker, site="test", identifier="gateway", sends=Way.UP, receives=Way.DOWN)
    async with (
        open_station(address, folder / "gateway.db", pace=QUICK) as gateway,
        CloudInbox(folder / "in.db", broker, site="test", identifier="in", pace=QUICK) as inbox,
        CloudOutbox(folder / "out.db", broker, site="test", identifier="out", pace=QUICK) as outbox,
    ):
        up, down = Received(), Received()
        traffic = _Lanes(gateway, inbox, outbox, up, down)
        feeds = (_feed(gateway, outbox, lane, traffic.stop, chance) for lane in range(len(LANES)))
        traffic.feeding = asyncio.gather(*feeds)
        async with _meanwhile(gateway.run(), up.take_all(inbox), down.take_all(gateway.inbox)):
            yield traffic


class _Journal:
    """A watch's outbox, through its phone, a gateway and the broker, to the cloud, and back; links break, too."""

    def __init__(self, ours: Home, gateway: Gateway, inbox: CloudInbox, outbox: CloudOutbox) -> None:
        [watch] = gateway.watches
        [bond_id] = ours.watch.store.book.bonds
        self._queue = ours.watch_outbox.queue(bond_id, "journal")
        self._ours = ours
        self._gateway = gateway
        self._links: list[GatewayEvent] = []
        gateway.tell = self._told
        self._watch = watch
        self._inbox = inbox
        self._outbox = outbox
        self._count = 0
        self._is_over = False
        self._sent = asyncio.Event()
        self._came: dict[str, list[bytes]] = {"up": [], "down": []}

    async def disturb(self) -> None:
        self._ours.links[-1].drop("out of reach")

    def _told(self, event: GatewayEvent) -> None:
        if not isinstance(event, Carried):
            self._links = [*self._links[-9:], event]

    async def feed(self, chance: random.Random) -> None:
        while not self._is_over:
            self._count += 1
            await self._queue.send(body(self._count))
            await self._outbox.send(self._watch, "journal", body(self._count))
            await asyncio.sleep(chance.uniform(0.0, 0.02))
        self._sent.set()

    async def hear_up(self) -> None:
        async for delivery in self._inbox:
            await delivery.taken()
            if delivery.lane.port == "journal":
                self._came["up"].append(delivery.body)

    async def hear_down(self) -> None:
        async for delivery in self._queue:
            await delivery.taken()
            self._came["down"].append(delivery.message)

    async def finish(self) -> int:
        self._is_over = True
        await self._sent.wait()
        while any(len(came) < self._count for came in self._came.values()):
            await asyncio.sleep(0.01)
        await self._outbox.drained()
        sent = [body(number + 1) for number in range(self._count)]
        assert self._came == {"up": sent, "down": sent}
        return self._count

    async def standing(self) -> str:
        ours, came = self._ours, {way: len(bodies) for way, bodies in self._came.items()}
        stations = [
            ("gateway", self._gateway.station),
            ("inbox", self._inbox.station),
            ("outbox", self._outbox.station),
        ]
        return "\n".join(
            [
                f"sent {self._count}, came {came}; the gateway told last {self._links}",
                of_outbox("watch", ours.watch_outbox),
                of_outbox("phone", ours.phone_outbox),
                *[await of_station(*each) for each in stations],
            ]
        )


@asynccontextmanager
async def _with_a_watch(broker: Broker, folder: Path, chance: random.Random) -> AsyncGenerator[Traffic]:
    async with (
        home(folder) as ours,
        open_gateway(ours.phone, plan_for(broker, folder), ours.phone_outbox) as gateway,
        CloudInbox(folder / "in.db", broker, site="home", identifier="in", pace=QUICK) as inbox,
        CloudOutbox(folder / "out.db", broker, site="home", identifier="out", pace=QUICK) as outbox,
    ):
        traffic = _Journal(ours, gateway, inbox, outbox)
        async with _meanwhile(gateway.run(), traffic.feed(chance), traffic.hear_up(), traffic.hear_down()):
            yield traffic


@asynccontextmanager
async def _meanwhile(*jobs: Coroutine[Any, Any, None]) -> AsyncGenerator[None]:
    """They run, and none may fail: that would end the test at once."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(job) for job in jobs]
        yield
        for task in tasks:
            task.cancel()


async def _kill_and_start(server: Mosquitto, chance: random.Random) -> None:
    await asyncio.sleep(chance.uniform(0.0, 0.8))
    await server.kill()
    await asyncio.sleep(chance.uniform(0.0, 0.2))
    await server.start()


async def _feed(gateway: Station, outbox: CloudOutbox, lane: int, stop: asyncio.Event, chance: random.Random) -> int:
    """The same messages up and down; says how many."""
    count = 0
    while not stop.is_set():
        count += 1
        await gateway.add(LANES[lane], body(count), schema="text")
        await outbox.send(*LANES[lane], body(count))
        await asyncio.sleep(chance.uniform(0.0, 0.02))
    return count
