"""A fleet that has nothing to say: what that costs."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from blechannel.limits import Patience
from blechannel_tools.fleet.fleet import Fleet
from blechannel_tools.fleet.memory import AEAD_BYTES, held_bytes
from blechannel_tools.fleet.resources import Resources

PORT = "simulated"
RESTING = replace(Patience(), park_s=1.0)
"""Channels that rest soon, so that nobody waits for it long."""
MAX_WAIT_S = 60.0
AEADS_OF_AN_END = 2


@dataclass(frozen=True, slots=True)
class Rested:
    """What was measured; `hot_bytes` includes what OpenSSL holds."""

    watches: int
    seconds: float
    hot_bytes: int
    parked_bytes: int
    cpu_share: float
    rss_bytes: int | None


async def let_rest(fleet: Fleet, seconds: float) -> Rested:
    """Open a port on both ends of every channel, let all of them rest, and look on for so long.

    `fleet` has two watches or more.

    Raises:
        TimeoutError: they do not come to rest.
    """
    for pair in fleet.pairs:
        for end in (pair.watch, pair.phone):
            end.port(PORT).open()
    await asyncio.sleep(0.1)
    hot_bytes = _largest(fleet) + AEADS_OF_AN_END * AEAD_BYTES
    async with asyncio.timeout(MAX_WAIT_S):
        while not all(end.rests for pair in fleet.pairs for end in (pair.watch, pair.phone)):
            await asyncio.sleep(0.1)
    before = Resources.now()
    began_s = asyncio.get_running_loop().time()
    await asyncio.sleep(seconds)
    lasted_s = asyncio.get_running_loop().time() - began_s
    after = Resources.now()
    return Rested(
        watches=len(fleet.pairs),
        seconds=lasted_s,
        hot_bytes=hot_bytes,
        parked_bytes=_largest(fleet),
        cpu_share=(after.cpu_s - before.cpu_s) / lasted_s,
        rss_bytes=after.rss_bytes,
    )


def _largest(fleet: Fleet) -> int:
    """Of the two ends of one watch, the one that holds more."""
    pair, other = fleet.pairs[0], fleet.pairs[-1]
    of_phone = held_bytes(pair.phone, fleet.phones[0], besides=other.phone)
    return max(of_phone, held_bytes(pair.watch, fleet.watches[0], besides=other.watch))
