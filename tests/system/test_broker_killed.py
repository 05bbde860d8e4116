"""A real broker killed again and again: nothing lost, nothing twice, order kept, in both directions."""

from __future__ import annotations

import asyncio
import gc
import os
import random
from pathlib import Path

import pytest

from blechannel_gateway.cloud import CloudInbox, CloudOutbox
from tests.gateway.traffic import LANES, QUICK, Address, Broker, Received, Station, Way, body, open_station
from tests.system.mosquitto import Mosquitto, mosquitto


@pytest.mark.system
async def test_ten_times(tmp_path: Path) -> None:
    await _killed(10, tmp_path)


@pytest.mark.long
async def test_a_hundred_times(tmp_path: Path) -> None:
    await _killed(100, tmp_path)


async def _killed(times: int, folder: Path) -> None:
    """Messages go both ways without a pause while the broker is killed at random moments of a printed seed."""
    seed = int(os.environ.get("BLECHANNEL_SEED") or random.randrange(1 << 32))
    print(f"BLECHANNEL_SEED={seed}")
    chance = random.Random(seed)
    async with mosquitto(folder / "broker", "allow_anonymous true") as server:
        broker = Broker(url=f"mqtt://127.0.0.1:{server.port}", answer_s=2.0)
        address = Address(broker=broker, site="test", identifier="gateway", sends=Way.UP, receives=Way.DOWN)
        async with (
            open_station(address, folder / "gateway.db", pace=QUICK) as gateway,
            CloudInbox(folder / "in.db", broker, site="test", identifier="in", pace=QUICK) as inbox,
            CloudOutbox(folder / "out.db", broker, site="test", identifier="out", pace=QUICK) as outbox,
        ):
            up, down = Received(), Received()
            tasks = [
                asyncio.ensure_future(work)
                for work in (gateway.run(), up.take_all(inbox), down.take_all(gateway.inbox))
            ]
            stop = asyncio.Event()
            feeding = asyncio.gather(*(_feed(gateway, outbox, number, stop, chance) for number in range(len(LANES))))
            complaints: list[str] = []
            asyncio.get_running_loop().set_exception_handler(lambda _, said: complaints.append(str(said)))
            try:
                for _ in range(times):
                    await _kill_and_start(server, chance)
                stop.set()
                counts = dict(zip(LANES, await feeding, strict=True))
                async with asyncio.timeout(60):
                    await up.until(counts)
                    await down.until(counts)
                    await gateway.spool.drained()
                    await outbox.drained()
                gc.collect()
                assert not [each for each in complaints if "never retrieved" in each], complaints
                print(f"{sum(counts.values())} messages each way, {times} kills")
            finally:
                feeding.cancel()
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, feeding, return_exceptions=True)


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
