"""Two hundred watches through one gateway and a real broker to a subscriber: nothing is lost, and all are served."""

from __future__ import annotations

from pathlib import Path

import pytest

from blechannel_gateway.broker import Broker
from blechannel_tools.fleet.fleet import fleet_of
from blechannel_tools.fleet.load import Offer, Served
from blechannel_tools.fleet.over_broker import serve_over
from tests.system.mosquitto import mosquitto

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]

WATCHES = 200


async def _serve(folder: Path, offer: Offer) -> Served:
    async with mosquitto(folder, "allow_anonymous true") as server, fleet_of(WATCHES) as fleet:
        assert len(fleet.phones) == 1
        return await serve_over(fleet, offer, Broker(url=f"mqtt://127.0.0.1:{server.port}"))


async def test_two_hundred_watches(tmp_path: Path) -> None:
    served = await _serve(tmp_path, Offer(rate_hz=1.0, seconds=5.0, message_bytes=20))
    assert served.lost == 0
    assert len(served.latencies_s) == 1_000


async def test_more_at_once_than_the_broker_queues_is_late_and_not_lost(tmp_path: Path) -> None:
    served = await _serve(tmp_path, Offer(rate_hz=50.0, seconds=0.2, message_bytes=20))
    assert served.lost == 0
    assert len(served.latencies_s) == 2_000
