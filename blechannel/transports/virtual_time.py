"""An event loop whose clock jumps: when nothing is left to do, it is at once the time of the next timer.

An hour on the air takes milliseconds and is the same in every run. Threads are waited for, because their work
takes real time: a clock that jumped past them would make every deadline pass before a store could write. With
sockets or pipes open the clock runs as usual, for the same reason. Threads that reach the loop only by
`call_soon_threadsafe` are not known to it, so are not waited for.
"""

from __future__ import annotations

import asyncio
import math
import selectors
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import TypeVar, TypeVarTuple, Unpack

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

THREAD_PATIENCE_S = 5.0
"""Real time for which the clock stands still while threads work: they may themselves wait for a timer."""
_OWN_DESCRIPTORS = 1
"""The pipe that wakes the loop from other threads and signals."""


_RESOLUTION_S = time.get_clock_info("monotonic").resolution


class VirtualTimeDeadlock(RuntimeError):
    """Nothing is ready and nothing ever will be: no timer, thread or socket is left to end the wait."""


class _JumpingSelector(selectors.DefaultSelector):
    """Where a loop waits for time to pass."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0
        self.jobs = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready; `timeout` as everywhere, but in seconds of the virtual clock."""
        ready = super().select(0)
        if ready:
            return ready
        if timeout == 0:
            self._tick()
            return ready
        if len(self.get_map()) > _OWN_DESCRIPTORS:
            return self._select_for_real(timeout)
        if self.jobs:
            ready = super().select(THREAD_PATIENCE_S)
        if not ready:
            self._jump(timeout)
        return ready

    def _select_for_real(self, timeout: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        began_s = time.monotonic()
        ready = super().select(timeout)
        self.now_s += time.monotonic() - began_s
        return ready

    def _tick(self) -> None:
        # A loop takes a timer as due when it lies before now + resolution. From about 1e7 s on, that sum is now
        # itself, and a timer at exactly this moment would be waited for in vain.
        if self.now_s + _RESOLUTION_S == self.now_s:
            self.now_s = math.nextafter(self.now_s, math.inf)

    def _jump(self, timeout: float | None) -> None:
        if timeout is not None:
            # At least one step of the float, so that a timeout too small to count cannot stop the clock.
            self.now_s = max(self.now_s + timeout, math.nextafter(self.now_s, math.inf))
        elif not self.jobs:
            raise VirtualTimeDeadlock("every task waits for something that nobody is left to do")


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """A loop on its own clock, which begins at 0."""

    def __init__(self) -> None:
        self._clock = _JumpingSelector()
        super().__init__(self._clock)

    def time(self) -> float:
        """Seconds of the virtual clock."""
        return self._clock.now_s

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[Ts]], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """As everywhere; the clock stands still until the work is done."""
        future = super().run_in_executor(executor, func, *args)
        self._clock.jobs += 1
        future.add_done_callback(self._job_done)
        return future

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """As everywhere, without a time-out: that one would be virtual."""
        del timeout
        self._clock.jobs += 1
        try:
            await super().shutdown_default_executor()
        finally:
            self._clock.jobs -= 1

    def _job_done(self, _: object) -> None:
        self._clock.jobs -= 1


def run_virtual(main: Coroutine[object, object, T]) -> T:
    """Run `main` to its end on a new virtual clock, like `asyncio.run`.

    Raises:
        VirtualTimeDeadlock: `main` waits for what can never come.
    """
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)
