"""Puts what a spool keeps on its topics, and again until it is acknowledged: a window a lane, go back and repeat."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from blechannel_gateway.errors import BrokerError
from blechannel_gateway.frames import Ack, Post, Wish
from blechannel_gateway.messages import Lane, MessageId
from blechannel_gateway.spool import Spool

LANES_AT_ONCE: Final = 256
IDLE_S: Final = 3600.0
REPEAT_AFTER_S: Final = 0.2
"""A wish for more is heard at most so often in a lane: a stale one must not double the traffic."""

Publish = Callable[[Lane, Post], Awaitable[None]]
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """How much is under way, and how long an acknowledgement may take."""

    window: int = 64
    """Posts of a lane that are not acknowledged yet."""
    window_in_all: int = 256
    """Of all lanes: brokers queue about 1,000 for a subscriber and drop the rest, which each lane would repeat."""
    again_s: float = 2.0
    """Sent again after so long without an acknowledgement; twice as long each time."""
    most_again_s: float = 60.0


@dataclass(slots=True)
class _Progress:
    """How far a lane is out."""

    sent_row: int = 0
    in_flight: int = 0
    wait_s: float = 0.0
    due: float = math.inf
    went_back: float = -math.inf
    times_back: int = 0

    def go_back(self) -> None:
        self.times_back += 1
        self.sent_row = self.in_flight = 0
        self.due = math.inf


class Forwarder:
    """`run` does the work; `wake`, `acknowledged` and `connected` tell it what changed."""

    def __init__(self, spool: Spool, publish: Publish, pace: Pace = Pace()) -> None:
        self._spool = spool
        self._publish = publish
        self._pace = pace
        self._lanes: dict[Lane, _Progress] = {}
        self._ready: dict[Lane, None] = {}  # in the order in which they woke
        self._changed = asyncio.Event()
        self._is_connected = False

    def wake(self, lane: Lane) -> None:
        """Something was put into the lane."""
        self._ready[lane] = None
        self._changed.set()

    def connected(self) -> None:
        """A connection begins: what the broker was given before may be lost with it."""
        self._is_connected = True
        for progress in self._lanes.values():
            progress.go_back()
            progress.wait_s = self._pace.again_s
        for lane in self._spool.lanes:
            self.wake(lane)

    def away(self) -> None:
        """Nothing can be published now."""
        self._is_connected = False

    async def acknowledged(self, lane: Lane, ack: Ack) -> None:
        """The other side says what it has stored. Raises CloudStoreError."""
        freed = await self._spool.acknowledged(lane, MessageId(ack.stream, ack.upto))
        progress = self._lanes.get(lane)
        if progress is None:
            return
        now = asyncio.get_running_loop().time()
        if freed:
            progress.in_flight = max(0, progress.in_flight - freed)
            progress.wait_s = self._pace.again_s
            progress.due = now + progress.wait_s if progress.in_flight else math.inf
        if ack.wish is Wish.SEND_AGAIN and now - progress.went_back >= REPEAT_AFTER_S:
            progress.went_back = now
            progress.go_back()
        if self._spool.waiting(lane):
            self.wake(lane)
        else:
            self._lanes.pop(lane, None)
        self._changed.set()  # there may be room for others

    async def run(self) -> None:
        """Until cancelled. Raises CloudStoreError."""
        while True:
            await self._until_something_is_due()
            now = asyncio.get_running_loop().time()
            for lane, progress in self._lanes.items():
                if progress.due <= now:
                    progress.wait_s = min(progress.wait_s * 2, self._pace.most_again_s)
                    progress.go_back()
                    self._ready[lane] = None
            room = self._room()
            ready = list(self._ready)[: min(LANES_AT_ONCE, room)]
            for lane in ready:
                del self._ready[lane]
            await asyncio.gather(*(self._advance(lane, most=room // len(ready)) for lane in ready))

    async def _until_something_is_due(self) -> None:
        while not (self._is_connected and ((self._ready and self._room()) or self._due_in_s() <= 0)):
            self._changed.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._due_in_s() if self._is_connected else None):
                    await self._changed.wait()

    def _room(self) -> int:
        """How many more posts may be under way, of all lanes."""
        return max(0, self._pace.window_in_all - sum(progress.in_flight for progress in self._lanes.values()))

    def _due_in_s(self) -> float:
        due = min((progress.due for progress in self._lanes.values()), default=math.inf)
        return min(due - asyncio.get_running_loop().time(), IDLE_S)

    async def _advance(self, lane: Lane, *, most: int) -> None:
        progress = self._lanes.setdefault(lane, _Progress(wait_s=self._pace.again_s))
        room = min(most, self._pace.window - progress.in_flight)
        if room <= 0:
            return
        times_back = progress.times_back
        posts = await self._spool.unacknowledged(lane, above_row=progress.sent_row, most=room)
        if not posts:
            if not self._spool.waiting(lane):
                self._lanes.pop(lane, None)
            return
        if progress.times_back != times_back:  # meanwhile: these would leave a gap
            self.wake(lane)
            return
        progress.sent_row = posts[-1].row
        progress.in_flight += len(posts)
        progress.due = asyncio.get_running_loop().time() + progress.wait_s
        try:
            await asyncio.gather(*(self._publish(lane, kept.post) for kept in posts))
        except BrokerError as error:  # they are sent again when the connection is back, or when they are due
            _log.debug("lane %s/%s: %s", *lane, error)
