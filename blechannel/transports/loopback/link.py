"""Two joined ends. What one sends arrives at the other in one batch at the loop's next turn, or at once as one batch.

Or as slowly, and as damaged, as was asked for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from random import Random

from blechannel.aio.link import LinkPosture, LinkReceiver
from blechannel.errors import LinkLost, LocalProtocolError, TransportError
from blechannel.roles import Role
from blechannel.transports.airtime import VALUE_HEADER_BYTES, AirTime
from blechannel.transports.connection_events import ConnectionEvents
from blechannel.transports.fragment_size import DEFAULT_FRAGMENT_BYTES, check_fragment_bytes
from blechannel.transports.loopback.faults import FaultScript, Passage

DEFAULT_CAPACITY = 64
FLUSH_S = 2.0
"""How long `close` waits for what is queued to arrive."""


class LoopbackLink:
    """One end. `room` and `max_fragment_bytes` are for reading; being plain attributes keeps them cheap.

    `faults` stands in the way of what this end sends; `on_air` sees what of it arrives, with this end's role.
    Both may be set at any time.
    """

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
        "_stalled",
        "_starved",
        "faults",
        "info",
        "max_fragment_bytes",
        "on_air",
        "peer",
        "posture",
        "role",
        "room",
        "set_up",
    )
    header_bytes = VALUE_HEADER_BYTES
    """What each fragment costs beside itself."""

    def __init__(self, role: Role, peer: str, *, max_fragment_bytes: int, capacity: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._far = self
        self._receiver: LinkReceiver | None = None
        self._queue: list[bytes] = []
        self._capacity = capacity
        self._armed = False
        self._arm: Callable[[], object] = self._soon
        self._starved = False
        self._stalled = False
        self._closing = False
        self._ended: TransportError | None = None
        self._deaf = False
        self._flushed = asyncio.Event()
        self.role = role
        self.peer = peer
        self.posture = LinkPosture("loopback", encrypted=False)
        self.faults: FaultScript | None = None
        self.on_air: Callable[[Role, bytes], None] | None = None
        self.room = capacity if role is Role.PHONE else 0
        self.info = b""
        self.set_up: Callable[[], Awaitable[None]] | None = None
        """What makes a new connection usable, where that takes time; it returns, too, when the link is lost."""
        self.set_max_fragment_bytes(max_fragment_bytes)

    def set_max_fragment_bytes(self, max_fragment_bytes: int) -> None:
        """What this end may send from now on, as after an MTU exchange.

        Raises:
            LocalProtocolError: outside what BLE allows.
        """
        self.max_fragment_bytes = check_fragment_bytes(max_fragment_bytes)

    def start(self, receiver: LinkReceiver) -> None:
        """Begin to deliver; at the phone's end this is also the subscription that gives the watch room.

        Raises:
            LocalProtocolError: called before.
        """
        if self._receiver is not None:
            raise LocalProtocolError("a link starts once")
        self._receiver = receiver
        far = self._far
        if self._ended is not None:
            self._loop.call_soon(far._deliver)
            self._loop.call_soon(self._tell_lost)
            return
        if far._queue:
            far._arm()
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

    def send_all(self, fragments: Sequence[bytes]) -> None:
        """See BatchLink: across at once, unless something waits or is in the way, or somebody looks on."""
        receiver = self._far._receiver
        is_plain = self._arm == self._soon and self.faults is None and self.on_air is None
        fits = len(fragments) <= self.room and max(map(len, fragments)) <= self.max_fragment_bytes
        if receiver is not None and is_plain and fits and not self._armed:
            receiver.fragments_received(fragments)
            return
        for fragment in fragments:
            self.send(fragment)

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
        try:
            if self._ended is None and self._armed and self._far._receiver is not None:
                with suppress(TimeoutError):
                    async with asyncio.timeout(FLUSH_S):
                        await self._flushed.wait()
        finally:
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
        batch = self._queue
        if batch and self._far._receiver is not None:
            self._queue = []
            self._pass(batch)

    def waiting(self) -> Sequence[bytes]:
        """What may travel in a connection event."""
        return () if self._stalled or self._far._receiver is None else self._queue

    def carry(self, count: int) -> None:
        """The first `count` that wait have crossed the air."""
        batch = self._queue[:count]
        if batch and self._ended is None:
            del self._queue[:count]
            self._pass(batch)

    def _pass(self, batch: Sequence[bytes]) -> None:
        far = self._far
        receiver = far._receiver
        if receiver is None:
            return
        self._armed = bool(self._queue)
        if self.faults is not None or self.on_air is not None:
            self._pass_slowly(batch)
            return
        if not far._deaf:
            receiver.fragments_received(batch)
            self._arrived(len(batch))

    def _pass_slowly(self, batch: Sequence[bytes]) -> None:
        for count, fragment in enumerate(batch):
            passage = self.faults.pass_on(fragment) if self.faults is not None else Passage((fragment,))
            if passage.stall_s:
                self._queue[:0] = batch[count + 1 :]
                self._armed = self._stalled = True
                self._loop.call_later(passage.stall_s, self._unstall, passage)
                self._arrived(count)
                return
            self._land(passage)
        self._arrived(len(batch))

    def _unstall(self, passage: Passage) -> None:
        self._stalled = False
        self._land(passage)
        self._armed = bool(self._queue)
        if self._armed:
            self._arm()
        self._arrived(1)

    def _land(self, passage: Passage) -> None:
        far, on_air = self._far, self.on_air
        for value in passage.arrivals:
            if far._receiver is not None and not far._deaf:
                if on_air is not None:
                    on_air(self.role, value)
                far._receiver.fragment_received(value)
        if passage.disconnects:
            self.drop("the connection was lost")

    def _arrived(self, count: int) -> None:
        if self._closing or self._ended is not None:
            if not self._armed:
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
    air_time: AirTime | None = None,
    random: Random | None = None,
) -> tuple[LoopbackLink, LoopbackLink]:
    """The phone's end and the watch's end of one link. Needs a running event loop.

    With `air_time` fragments travel at connection events by that loop's clock; `random` then decides which
    packets are lost (from a fixed seed unless given). `capacity` fragments wait in each direction: below what
    an interval carries, it bounds the throughput.
    """
    phone = LoopbackLink(Role.PHONE, "watch", max_fragment_bytes=phone_max_fragment_bytes, capacity=capacity)
    watch = LoopbackLink(Role.WATCH, "phone", max_fragment_bytes=watch_max_fragment_bytes, capacity=capacity)
    phone._far, watch._far = watch, phone
    if air_time is not None:
        events = ConnectionEvents(air_time, random or Random(0), phone, watch)
        for link in (phone, watch):
            link._arm, link.set_up = events.wake, events.set_up
            link.posture = LinkPosture("loopback", encrypted=False, phy=air_time.phy)
    return phone, watch
