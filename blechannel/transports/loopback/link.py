"""Two joined ends. What one sends arrives at the other in one batch at the loop's next turn."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from blechannel.aio.link import LinkPosture, LinkReceiver
from blechannel.errors import LinkLost, LocalProtocolError, TransportError
from blechannel.limits import MAX_FRAGMENT_BYTES, MIN_FRAGMENT_BYTES
from blechannel.roles import Role

DEFAULT_FRAGMENT_BYTES = 244
"""What one link-layer packet of 251 bytes carries."""
DEFAULT_CAPACITY = 64
FLUSH_S = 2.0
"""How long `close` waits for what is queued to arrive."""


class LoopbackLink:
    """One end. `room` and `max_fragment_bytes` are for reading; being plain attributes keeps them cheap."""

    __slots__ = (
        "_arm",
        "_armed",
        "_capacity",
        "_closing",
        "_deaf",
        "_ended",
        "_far",
        "_flushed",
        "_loop",
        "_queue",
        "_receiver",
        "_starved",
        "info",
        "max_fragment_bytes",
        "peer",
        "posture",
        "role",
        "room",
    )

    def __init__(self, role: Role, peer: str, *, max_fragment_bytes: int, capacity: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._far = self
        self._receiver: LinkReceiver | None = None
        self._queue: list[bytes] = []
        self._capacity = capacity
        self._armed = False
        self._arm: Callable[[], object] = self._soon
        self._starved = False
        self._closing = False
        self._ended: TransportError | None = None
        self._deaf = False
        self._flushed = asyncio.Event()
        self.role = role
        self.peer = peer
        self.posture = LinkPosture("loopback", encrypted=False)
        self.room = capacity if role is Role.PHONE else 0
        self.info = b""
        self.set_max_fragment_bytes(max_fragment_bytes)

    def set_max_fragment_bytes(self, max_fragment_bytes: int) -> None:
        """What this end may send from now on, as after an MTU exchange.

        Raises:
            LocalProtocolError: outside what BLE allows.
        """
        if not MIN_FRAGMENT_BYTES <= max_fragment_bytes <= MAX_FRAGMENT_BYTES:
            raise LocalProtocolError(f"a fragment is {MIN_FRAGMENT_BYTES} to {MAX_FRAGMENT_BYTES} bytes")
        self.max_fragment_bytes = max_fragment_bytes

    def start(self, receiver: LinkReceiver) -> None:
        """Begin to deliver; at the phone's end this is also the subscription that gives the watch room.

        Raises:
            LocalProtocolError: called before.
        """
        if self._receiver is not None:
            raise LocalProtocolError("a link starts once")
        self._receiver = receiver
        far = self._far
        self._loop.call_soon(far._deliver)
        if self._ended is not None:
            self._loop.call_soon(self._tell_lost)
            return
        if self.role is Role.PHONE:
            far._subscribed()
        elif self.room:
            self._loop.call_soon(self._resume)

    def send(self, fragment: bytes) -> None:
        """Queue one fragment; it arrives at the loop's next turn.

        Raises:
            LocalProtocolError: `room` is 0 or the fragment is longer than `max_fragment_bytes`.
        """
        room = self.room
        if not room or len(fragment) > self.max_fragment_bytes:
            raise self._refusal(fragment)
        self.room = room - 1
        self._queue.append(fragment)
        if not self._armed:
            self._armed = True
            self._arm()

    @property
    def ended(self) -> bool:
        """Whether the link is gone."""
        return self._ended is not None

    def publish_info(self, info: bytes) -> None:
        """Kept in `info`; nobody reads it here, because the outbox opens with the same bytes."""
        self.info = info

    async def close(self) -> None:
        """Send what is queued if the link still lives, then disconnect. Safe to call again. Never raises."""
        self._closing = True
        self.room = 0
        if self._ended is None and (self._queue or self._armed) and self._far._receiver is not None:
            try:
                with suppress(TimeoutError):
                    async with asyncio.timeout(FLUSH_S):
                        await self._flushed.wait()
            finally:
                self.drop("the peer disconnected", here="closed on this side")
        self.drop("the peer disconnected", here="closed on this side")
        await asyncio.sleep(0)

    def drop(self, reason: str, *, here: str = "") -> None:
        """Lose the link at both ends now, as a radio does; `here` is the reason that this end is told."""
        if self._ended is None:
            self._end(LinkLost(here or reason))
            self._far._end(LinkLost(reason))

    def _end(self, error: TransportError) -> None:
        self._ended = error
        self.room = 0
        self._flushed.set()
        if self._receiver is not None:
            self._deaf = True
            self._loop.call_soon(self._tell_lost)

    def _tell_lost(self) -> None:
        if self._receiver is not None and self._ended is not None:
            self._deaf = True
            self._receiver.link_lost(self._ended)

    def _subscribed(self) -> None:
        self.room = self._capacity
        self._loop.call_soon(self._resume)

    def _resume(self) -> None:
        if self._receiver is not None and self.room:
            self._receiver.resume_sending()

    def _soon(self) -> None:
        self._loop.call_soon(self._deliver)

    def _deliver(self) -> None:
        far = self._far
        receiver = far._receiver
        if receiver is None or far._deaf:
            return
        batch = self._queue
        self._queue = []
        self._armed = False
        received = receiver.fragment_received
        for fragment in batch:
            received(fragment)
            if far._deaf:
                return
        self._arrived(len(batch))

    def _arrived(self, count: int) -> None:
        if self._closing or self._ended is not None:
            self._flushed.set()
            return
        starved = self._starved or not self.room
        self.room += count
        self._starved = starved and self.room <= self._capacity // 2
        if starved and not self._starved:
            self._resume()

    def _refusal(self, fragment: bytes) -> LocalProtocolError:
        if self._ended is not None or self._closing:
            return LocalProtocolError("the link has ended")
        if not self.room:
            return LocalProtocolError("the link has no room: wait for resume_sending")
        return LocalProtocolError(f"a fragment of {len(fragment)} bytes: at most {self.max_fragment_bytes}")


def loopback_pair(
    *,
    phone_max_fragment_bytes: int = DEFAULT_FRAGMENT_BYTES,
    watch_max_fragment_bytes: int = DEFAULT_FRAGMENT_BYTES,
    capacity: int = DEFAULT_CAPACITY,
) -> tuple[LoopbackLink, LoopbackLink]:
    """The phone's end and the watch's end of one link. Needs a running event loop."""
    phone = LoopbackLink(Role.PHONE, "watch", max_fragment_bytes=phone_max_fragment_bytes, capacity=capacity)
    watch = LoopbackLink(Role.WATCH, "phone", max_fragment_bytes=watch_max_fragment_bytes, capacity=capacity)
    phone._far, watch._far = watch, phone
    return phone, watch
