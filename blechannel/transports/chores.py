"""What a transport does in the background, and ends with."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine


class Chores:
    """Tasks that somebody holds: the loop alone would let them be collected."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def later(self, chore: Coroutine[object, object, None]) -> None:
        """Begin something that nobody waits for."""
        _ = self._begun(chore)

    async def insist(self, chore: Coroutine[object, object, None]) -> None:
        """Run something to its end, also when the caller is cancelled meanwhile."""
        await asyncio.shield(self._begun(chore))

    async def finished(self) -> None:
        """Wait until everything has come to its end: each chore is bounded by itself."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _begun(self, chore: Coroutine[object, object, None]) -> asyncio.Task[None]:
        self._tasks.add(task := asyncio.ensure_future(chore))
        task.add_done_callback(self._tasks.discard)
        return task
