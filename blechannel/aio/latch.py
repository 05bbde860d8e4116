"""Something that happens once, for whoever waits for it: an `asyncio.Event` in a seventh of its memory."""

from __future__ import annotations

import asyncio


class Latch:
    """Open from the first `open` on."""

    __slots__ = ("_waiters", "is_open")

    def __init__(self) -> None:
        self.is_open = False
        self._waiters: tuple[asyncio.Future[None], ...] = ()

    def open(self) -> None:
        """Let everybody through who waits or will come."""
        self.is_open = True
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def wait(self) -> None:
        """Return once it is open."""
        if self.is_open:
            return
        waiter = asyncio.get_running_loop().create_future()
        self._waiters += (waiter,)
        try:
            await waiter
        finally:
            self._waiters = tuple(other for other in self._waiters if other is not waiter)
