"""Numbered messages through stations, and what became of them."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterable
from pathlib import Path

from blechannel_gateway.broker import Broker
from blechannel_gateway.forwarder import Pace
from blechannel_gateway.inbox import Delivery
from blechannel_gateway.messages import Lane
from blechannel_gateway.station import Address, Station, open_station
from blechannel_gateway.topics import Way

WATCHES = ("0a" * 16, "f3" * 16)
LANES = [Lane(WATCHES[0], "heart-rate"), Lane(WATCHES[0], "journal/é+#"), Lane(WATCHES[1], "heart-rate")]
QUICK = Pace(window=16, again_s=0.3, most_again_s=2.0)

__all__ = [
    "LANES",
    "QUICK",
    "WATCHES",
    "Address",
    "Broker",
    "Path",
    "Received",
    "Station",
    "Way",
    "body",
    "open_station",
]


def body(number: int) -> bytes:
    """Of message `number`, which begins with 1."""
    return b"message %d " % number + b"." * (number % 50)


class Received:
    """Takes deliveries and holds each lane to nothing lost, nothing twice, order kept."""

    def __init__(self) -> None:
        self.bodies: defaultdict[Lane, list[bytes]] = defaultdict(list)
        self._changed = asyncio.Event()

    async def take_all(self, deliveries: AsyncIterable[Delivery]) -> None:
        """Until cancelled."""
        async for delivery in deliveries:
            self.bodies[delivery.lane].append(delivery.body)
            await delivery.taken()
            self._changed.set()

    async def until(self, counts: dict[Lane, int]) -> None:
        """Return once each lane has so many; AssertionError where they are others than sent, or in another order."""
        while any(len(self.bodies[lane]) < count for lane, count in counts.items()):
            self._changed.clear()
            await self._changed.wait()
        for lane, count in counts.items():
            assert self.bodies[lane] == [body(number) for number in range(1, count + 1)], lane
