"""One timer a second for any number of sleepers, where a timer each would cost more than what sleeps."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Protocol
from weakref import WeakKeyDictionary

TICK_S = 1.0


class Sleeper(Protocol):
    """Who is to be looked at now and then."""

    def look(self, tick: int) -> None:
        """The tick that `Wheel.add` gave has come. Does not raise and does not block."""


class Wheel:
    """The sleepers of one event loop, by the tick in which each is due.

    They are looked at when that tick begins, so up to `TICK_S` early: what must come on time sets a timer then.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._call_at = loop.call_at
        self._sleepers: dict[int, list[Sleeper]] = {}

    def add(self, at_s: float, sleeper: Sleeper) -> int:
        """Look at `sleeper` at the beginning of the tick of `at_s`; returns the tick. Who is not interested in a tick
        any more ignores it; who is over says so with `drop`, which costs more than to ignore."""
        tick = int(at_s / TICK_S)
        if tick not in self._sleepers:
            self._sleepers[tick] = []
            self._call_at(tick * TICK_S, self._turn, tick)
        self._sleepers[tick].append(sleeper)
        return tick

    def drop(self, tick: int, sleeper: Sleeper) -> None:
        """Keep `sleeper` alive no longer for that tick, where it has not come yet."""
        with suppress(KeyError, ValueError):
            self._sleepers[tick].remove(sleeper)

    def _turn(self, tick: int) -> None:
        for sleeper in self._sleepers.pop(tick):
            sleeper.look(tick)


_wheels: WeakKeyDictionary[asyncio.AbstractEventLoop, Wheel] = WeakKeyDictionary()


def running_wheel() -> Wheel:
    """The wheel of the running loop."""
    loop = asyncio.get_running_loop()
    wheel = _wheels.get(loop)
    if wheel is None:
        wheel = _wheels[loop] = Wheel(loop)
    return wheel
