"""The whole channel in one process, over loopback: messages and megabytes in a processor second, both sides."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from blechannel.transports.loopback import LoopbackAir, loopback_pair
from tests.bench.ratio import Figures, measure
from tests.bench.talking import paired
from tests.bench.test_bench_channel import floor

pytestmark = pytest.mark.bench

MESSAGES = {20: 5000, 244: 5000, 4096: 1000}
ROUND_TRIPS = 2000
BATCHES = 7


async def _batches(length_bytes: int, fragment_bytes: int) -> tuple[dict[str, float], ...]:
    """A stream and its floor by turns."""
    air = LoopbackAir(
        join=lambda: loopback_pair(phone_max_fragment_bytes=fragment_bytes, watch_max_fragment_bytes=fragment_bytes)
    )
    taken = []
    async with paired(air.phone(), air.watch()) as both:
        for _ in range(BATCHES + 1):
            alone = measure({"floor": floor(length_bytes)}, rounds=5, number=1000)["floor"]
            stream = await both.stream_s(MESSAGES[length_bytes], length_bytes)
            taken.append({"floor": alone, "stream": stream})
    return tuple(taken[1:])


@pytest.mark.parametrize("length_bytes", MESSAGES)
@pytest.mark.parametrize("fragment_bytes", [512, 244])
def test_a_stream(length_bytes: int, fragment_bytes: int, report: Callable[[Figures], None]) -> None:
    batches = asyncio.run(_batches(length_bytes, fragment_bytes))
    report(Figures(f"{length_bytes} bytes a message, values of {fragment_bytes}", batches, moved_bytes=length_bytes))
