"""One process as a gateway of a thousand watches that talk and of ten thousand that rest. Bounds, no times.

The figures of a machine come from ``blechannel gateway simulate``; what is held here does not depend on its speed.
"""

from __future__ import annotations

import asyncio
import gc
import tracemalloc

import pytest

from blechannel.transports.virtual_time import run_virtual
from blechannel_tools.fleet.fleet import Fleet, fleet_of
from blechannel_tools.fleet.load import PORT, Offer, Served, serve
from blechannel_tools.fleet.rest import RESTING, let_rest

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]

TALKING, RESTING_WATCHES = 1_000, 10_000
OFFER = Offer(rate_hz=10.0, seconds=10.0, message_bytes=20)
PARKED_BYTES, HOT_BYTES = 2_000, 12_000
WHOLE_WATCH_BYTES = 26_000
"""Both ends at rest, with two households, their stores and advertising, the bonds, and a link over the loopback."""


def test_a_thousand_watches_are_served_alike_and_nothing_is_lost() -> None:
    async def main() -> tuple[Served, int]:
        async with fleet_of(TALKING) as fleet:
            first = await serve(fleet, OFFER)
            gc.collect()
            before = tracemalloc.get_traced_memory()[0]
            again = await serve(fleet, OFFER, port="again")
            kept = len(again.latencies_s) * (again.latencies_s.itemsize + again.arrived_s.itemsize)
            assert first.lost == 0
            gc.collect()
            return again, tracemalloc.get_traced_memory()[0] - before - kept

    tracemalloc.start(1)
    try:
        served, grown_bytes = run_virtual(main())
    finally:
        tracemalloc.stop()
    assert served.lost == 0
    assert served.of_each == [OFFER.messages] * TALKING
    assert served.fairness > 0.999
    assert grown_bytes / TALKING < 1000, "100,000 messages later, a watch costs what it did"


async def wake_some(fleet: Fleet, every: int) -> None:
    """A message each way for some of them, who are at rest."""
    for pair in fleet.pairs[::every]:
        for writer, reader in ((pair.watch, pair.phone), (pair.phone, pair.watch)):
            await writer.port(PORT).send(b"still there?")
            assert await reader.port(PORT).receive() == b"still there?"


def test_ten_thousand_watches_rest_in_little_memory_and_wake() -> None:
    async def main() -> float:
        before = tracemalloc.get_traced_memory()[0]
        async with fleet_of(RESTING_WATCHES, patience=RESTING) as fleet:
            rested = await let_rest(fleet, 60.0)
            gc.collect()
            whole_bytes = (tracemalloc.get_traced_memory()[0] - before) / RESTING_WATCHES
            assert rested.parked_bytes <= PARKED_BYTES
            assert rested.hot_bytes <= HOT_BYTES
            assert len(asyncio.all_tasks()) <= 2 * RESTING_WATCHES + 10, (
                "a watch accepts and advertises: no task a session"
            )
            await wake_some(fleet, 100)
            assert all(pair.phone.is_open and pair.watch.is_open for pair in fleet.pairs)
            return whole_bytes

    tracemalloc.start(1)
    try:
        assert run_virtual(main()) <= WHOLE_WATCH_BYTES
    finally:
        tracemalloc.stop()
