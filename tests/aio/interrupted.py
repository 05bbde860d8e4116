"""Cancels a coroutine at its n-th wait, for n = 0, 1, 2 … until it gets through uncancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Generator
from typing import Any

MOST_WAITS = 400
"""More than any call here waits; beyond it the test is not getting anywhere."""


class CancelledAt:
    """Awaits `work`, and cancels the task that does so just before its wait number `at` would begin."""

    def __init__(self, work: Awaitable[object], at: int) -> None:
        self._steps = work.__await__()
        self._at = at
        self.waits = 0

    def __await__(self) -> Generator[Any, Any, object]:
        step = self._next(lambda: next(self._steps))
        while not isinstance(step, _Done):
            if self.waits == self._at:
                task = asyncio.current_task()
                assert task is not None
                task.cancel()
            self.waits += 1
            try:
                answer = yield step
            except BaseException as error:  # passed on, whatever it is
                step = self._next(lambda error=error: self._steps.throw(error))
            else:
                step = self._next(lambda answer=answer: self._steps.send(answer))
        return step.value

    @staticmethod
    def _next(resume: Any) -> Any:
        try:
            return resume()
        except StopIteration as done:
            return _Done(done.value)


class _Done:
    def __init__(self, value: object) -> None:
        self.value = value


async def cancelled_at(at: int, work: Awaitable[object]) -> bool:
    """Whether `work` was still waiting at its wait number `at`, and so was cancelled there.

    Raises what `work` raises but the cancellation. Fails when a cancellation was swallowed.
    """
    interrupted = CancelledAt(work, at)

    async def run() -> object:
        return await interrupted

    task = asyncio.create_task(run(), name="under test")
    await asyncio.wait({task})
    reached = interrupted.waits > at
    if task.cancelled():
        assert reached
        return True
    error = task.exception()
    if error is not None:
        raise error
    # It may have finished in the very step in which it was cancelled, never after having gone on waiting.
    assert not reached or interrupted.waits == at + 1, "a cancellation was swallowed"
    return reached
