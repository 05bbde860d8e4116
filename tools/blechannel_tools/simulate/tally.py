"""Counts what arrives, and says how fast it came."""

from __future__ import annotations

import asyncio

from blechannel.errors import TransportError
from blechannel_tools.simulate.sides import now_s

WARM_UP_INTERVALS = 20
LEAST_INTERVALS = 100
LEAST_S = 3.0


class Tally:
    """Bytes a second of one direction, over at least 100 connection intervals and 3 seconds."""

    def __init__(self, interval_s: float) -> None:
        loop = asyncio.get_running_loop()
        self._warm_s = now_s() + WARM_UP_INTERVALS * interval_s
        self._long_enough_s = max(LEAST_S, LEAST_INTERVALS * interval_s)
        self._arrived_bytes: dict[float, int] = {}
        """By the moment: all that crosses in one connection event arrives at its end."""
        self.bytes_per_s: asyncio.Future[float] = loop.create_future()

    def arrived(self, length_bytes: int) -> None:
        """Count one message or value."""
        moment_s = now_s()
        if moment_s < self._warm_s or self.bytes_per_s.done():
            return
        moments = self._arrived_bytes
        if moment_s not in moments and moments:
            first_s, last_s = next(iter(moments)), next(reversed(moments))
            if last_s - first_s >= self._long_enough_s:
                counted_bytes = sum(moments.values()) - moments[first_s]
                self.bytes_per_s.set_result(counted_bytes / (last_s - first_s))
        moments[moment_s] = moments.get(moment_s, 0) + length_bytes

    def failed(self, error: TransportError) -> None:
        """Nothing more will come."""
        if not self.bytes_per_s.done():
            self.bytes_per_s.set_exception(error)
