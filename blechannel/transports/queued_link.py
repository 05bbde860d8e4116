"""A link over a platform that takes one fragment after another: the queue, the order, and one end.

What is the platform's alone is behind `Carrier`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Protocol

from blechannel.aio.link import LinkPosture, LinkReceiver
from blechannel.errors import LinkLost, LocalProtocolError, TransportError
from blechannel.gatt import MAX_ATTRIBUTE_BYTES
from blechannel.limits import MAX_WINDOW

ROOM_FRAGMENTS = 32
"""Queued and not yet taken by the platform; more would only wait longer."""
FLUSH_S = 2.0
LINGER_S = 0.05
"""Values and the news of the end may come by two ways: what was sent before the end is waited for this long."""


class Carrier(Protocol):
    """One GATT connection, as a platform has it."""

    @property
    def peer(self) -> str:
        """The peer's address, for people."""

    @property
    def posture(self) -> LinkPosture:
        """The connection's own protection as far as it is known."""

    @property
    def max_fragment_bytes(self) -> int:
        """Longest value that `write` takes now."""

    async def write(self, fragment: bytes) -> None:
        """Pass one fragment on; the platform has it, or has thrown it away, when this returns. Bounded.

        Raises:
            TransportError: it may or may not have gone out: nobody can tell.
        """

    async def hang_up(self) -> None:
        """Disconnect if need be, and free what the platform holds. Bounded; never raises."""


class QueuedLink:
    """See `Link`; made once the phone has subscribed. The platform's side calls `deliver` and `lost`."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier
        self._receiver: LinkReceiver | None = None
        self._started = False
        self._early: list[bytes] = []
        self._queue: deque[bytes] = deque()
        self._sending: asyncio.Task[None] | None = None
        self._starved = False
        self._deaf = False
        self._ending: asyncio.Task[None] | None = None
        self._reason = ""
        self._over: LinkLost | None = None
        self.on_ended: Callable[[], None] | None = None
        """Called once, when the platform has freed everything."""
        self.info: bytes | None = None

    @property
    def peer(self) -> str:
        """The peer's address, for people."""
        return self._carrier.peer

    @property
    def posture(self) -> LinkPosture:
        """The link's own protection as far as it is known."""
        return self._carrier.posture

    @property
    def max_fragment_bytes(self) -> int:
        """Longest value that `send` takes now; may grow."""
        return self._carrier.max_fragment_bytes

    @property
    def ended(self) -> bool:
        """Whether nothing more can be sent."""
        return self._ending is not None

    @property
    def room(self) -> int:
        """Fragments that `send` takes now; whoever is told 0 is called when there is room again."""
        room = ROOM_FRAGMENTS - len(self._queue) if self._ending is None else 0
        self._starved = self._starved or not room
        return room

    def start(self, receiver: LinkReceiver) -> None:
        """Begin to deliver, with what came before; if the link is gone by now, that comes last.

        Raises:
            LocalProtocolError: called before.
        """
        if self._started:
            raise LocalProtocolError("a link starts once")
        self._started = True
        self._receiver = receiver
        early, self._early = self._early, []
        for fragment in early:
            receiver.fragment_received(fragment)
        if self._over is not None:
            self._tell(self._over)
        else:
            self._resume()

    def send(self, fragment: bytes) -> None:
        """Queue one fragment.

        Raises:
            LocalProtocolError: `room` is 0 or the fragment is longer than `max_fragment_bytes`.
        """
        if len(fragment) > self.max_fragment_bytes:
            raise LocalProtocolError(f"a fragment of {len(fragment)} bytes: at most {self.max_fragment_bytes}")
        if not self.room:
            raise LocalProtocolError("the link has no room: wait for resume_sending")
        self._queue.append(fragment)
        if self._sending is None:
            self._sending = asyncio.ensure_future(self._send_queued())

    def publish_info(self, info: bytes) -> None:
        """What `info` answers on this connection."""
        self.info = info

    async def close(self) -> None:
        """Send what is queued if the link still lives, then disconnect. Safe to call again. Never raises."""
        await asyncio.shield(self._ending_for("closed on this side", self._close))

    def hang_up(self, reason: str) -> None:
        """Begin to close, for this reason, unless the link ends already."""
        self._ending = self._ending_for(reason, self._close)

    def lost(self, reason: str) -> None:
        """The connection is gone, the platform says."""
        self._ending = self._ending_for(reason, self._release)
        self._queue.clear()

    def deliver(self, fragment: bytes) -> None:
        """Take a value from the air; after one that cannot be right, nothing more."""
        if self._deaf:
            return
        if len(fragment) > MAX_ATTRIBUTE_BYTES:
            self._refuse(f"{len(fragment)} bytes came as one value; GATT has at most 512: were two merged into one?")
        elif self._receiver is not None:
            self._receiver.fragment_received(fragment)
        elif len(self._early) < MAX_WINDOW:
            self._early.append(fragment)
        else:
            self._refuse("the peer sent more than the window before the link was used")

    def _ending_for(self, reason: str, end: Callable[[], Coroutine[object, object, None]]) -> asyncio.Task[None]:
        if self._ending is None:
            self._reason = reason
            self._ending = asyncio.ensure_future(end())
        return self._ending

    def _refuse(self, reason: str) -> None:
        self._deaf = True
        self.hang_up(reason)

    async def _send_queued(self) -> None:
        try:
            while self._queue:
                await self._carrier.write(self._queue.popleft())
                if self._starved and len(self._queue) <= ROOM_FRAGMENTS // 2:
                    self._resume()
        except TransportError as error:
            # Sent again it could arrive twice; not sent, never: either breaks the order that a link promises.
            self.lost(f"{error}; what was being sent may have arrived or not")
        finally:
            self._sending = None

    def _resume(self) -> None:
        if self._receiver is not None and self.room:
            self._starved = False
            self._receiver.resume_sending()

    async def _close(self) -> None:
        await self._stop_sending(after_s=FLUSH_S)
        await self._carrier.hang_up()
        self._finish()
        self._announce()

    async def _release(self) -> None:
        await asyncio.sleep(LINGER_S)
        self._finish()
        await self._stop_sending(after_s=0)
        await self._carrier.hang_up()
        self._announce()

    async def _stop_sending(self, *, after_s: float) -> None:
        if (sending := self._sending) is not None:
            await asyncio.wait({sending}, timeout=after_s)
            while not sending.done():
                sending.cancel()
                await asyncio.wait({sending}, timeout=FLUSH_S)

    def _finish(self) -> None:
        self._deaf = True
        self._over = LinkLost(self._reason)
        self._tell(self._over)

    def _tell(self, error: LinkLost) -> None:
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            receiver.link_lost(error)

    def _announce(self) -> None:
        if self.on_ended is not None:
            self.on_ended()
