"""What a fleet's watches send, and how it arrives.

Each watch sends at its own moments, whatever became of the message before, and a message's latency counts from the
moment at which it was due: a gateway that stalls makes everybody late whose turn it was meanwhile.
"""

from __future__ import annotations

import asyncio
import struct
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from blechannel.aio.port import Port
from blechannel_tools.fleet.fleet import Fleet
from blechannel_tools.fleet.resources import Resources

PORT = "simulated"
DUE = struct.Struct(">d")
"""How a message begins: when it was due, in seconds of the loop's clock."""
SETTLE_S = 0.5
"""For ports to be opened, and for tasks to be there."""
START_S_EACH = 100e-6
DRAIN_S = 30.0
"""For what is on its way at the end."""
PERCENTS = (50.0, 90.0, 99.0, 99.9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What every watch sends."""

    rate_hz: float
    seconds: float
    message_bytes: int

    @property
    def messages(self) -> int:
        """Of each watch."""
        return max(1, round(self.rate_hz * self.seconds))


@dataclass(slots=True)
class Served:
    """What came of it. `latencies_s` are in the order of arrival, `arrived_s` since the beginning."""

    watches: int
    offer: Offer
    latencies_s: array[float] = field(default_factory=lambda: array("d"))
    arrived_s: array[float] = field(default_factory=lambda: array("d"))
    of_each: list[int] = field(default_factory=list)
    """Messages that were served in time, for each watch: within the seconds of the offer."""
    began_s: float = 0.0
    """When the first was due, on the loop's clock."""
    wall_s: float = 0.0
    cpu_s: float = 0.0
    broker: str | None = None
    """HOST:PORT of the one that everything went through, to a subscriber behind it."""

    def take(self, number: int, message: bytes, *, now_s: float) -> None:
        """A message of this watch has arrived."""
        (due_s,) = DUE.unpack_from(message)
        self.latencies_s.append(now_s - due_s)
        self.arrived_s.append(now_s - self.began_s)
        self.of_each[number] += now_s <= self.began_s + self.offer.seconds

    @property
    def offered(self) -> int:
        """Messages sent by all watches."""
        return self.watches * self.offer.messages

    @property
    def lost(self) -> int:
        """Messages that never arrived."""
        return self.offered - len(self.latencies_s)

    @property
    def messages_per_s(self) -> float:
        """Served, from the first that was due to the last that arrived."""
        return len(self.latencies_s) / self.wall_s

    @property
    def fairness(self) -> float:
        """Jain's index of what was served of each watch in time: 1 where all got alike, 1/n where one got all."""
        squares = sum(count * count for count in self.of_each)
        return sum(self.of_each) ** 2 / (len(self.of_each) * squares) if squares else 0.0

    def percentile_s(self, percent: float) -> float:
        """The latency that this many percent of the messages do not exceed."""
        return percentile(sorted(self.latencies_s), percent)


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile of sorted values."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


async def serve(
    fleet: Fleet, offer: Offer, *, port: str = PORT, arrived: Callable[[int], None] = lambda _: None
) -> Served:
    """Let all watches of the fleet send, and wait until everything has arrived, or for `DRAIN_S` after the last.

    `port` is one that was not used before; `arrived` is told how many messages have.
    """
    served = Served(len(fleet.pairs), offer, of_each=[0] * len(fleet.pairs))
    for pair in fleet.pairs:  # beforehand, so that nobody is late because all begin at once
        pair.watch.port(port).open()
    await asyncio.sleep(SETTLE_S)
    used = Resources.now()
    served.began_s = asyncio.get_running_loop().time() + SETTLE_S + len(fleet.pairs) * START_S_EACH
    readers, writers = [], []
    for number, pair in enumerate(fleet.pairs):
        reading = _read(pair.phone.port(port), number, served, arrived=arrived)
        readers.append(asyncio.create_task(reading))
        writing = _write(pair.watch.port(port), offer, first_s(served, number))
        writers.append(asyncio.create_task(writing))
    await asyncio.gather(*writers)
    _, late = await asyncio.wait(readers, timeout=DRAIN_S)
    for reader in late:
        reader.cancel()
    await asyncio.gather(*readers, return_exceptions=True)
    served.wall_s = max(served.arrived_s, default=0.0) or offer.seconds
    served.cpu_s = Resources.now().cpu_s - used.cpu_s
    return served


def first_s(served: Served, number: int) -> float:
    """When a watch sends its first. They do not send at one moment, unless by chance: spread over one period."""
    return served.began_s + number / (served.watches * served.offer.rate_hz)


async def send_due(writer: Port, offer: Offer, first_s: float) -> None:
    """Send each message when it is due, or as soon after as the port takes it."""
    loop = asyncio.get_running_loop()
    rest = bytes(max(0, offer.message_bytes - DUE.size))
    for number in range(offer.messages):
        due_s = first_s + number / offer.rate_hz
        if (wait_s := due_s - loop.time()) > 0:
            await asyncio.sleep(wait_s)
        await writer.send(DUE.pack(due_s) + rest)


async def _write(writer: Port, offer: Offer, first_s: float) -> None:
    await send_due(writer, offer, first_s)
    writer.shut()


async def _read(port: Port, number: int, served: Served, *, arrived: Callable[[int], None]) -> None:
    loop = asyncio.get_running_loop()
    async for message in port:
        served.take(number, message, now_s=loop.time())
        arrived(len(served.latencies_s))
