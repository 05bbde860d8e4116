"""The one place where a session meets a link, a clock and a store. Everything runs on the event loop's thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from math import isfinite
from typing import Protocol, cast

from blechannel.aio.latch import Latch
from blechannel.aio.link import BatchLink, Link
from blechannel.aio.wheel import TICK_S, running_wheel
from blechannel.errors import BlechannelError, StoreError, TransportError
from blechannel.pairing.changes import BondStore
from blechannel.session.conversation import State
from blechannel.session.events import Event, Persist
from blechannel.session.parking import ParkedSession
from blechannel.session.session import Session

Begin = Callable[[int, float], Session]
"""Makes the session, given the link's `max_fragment_bytes` and the moment."""


Receive = Callable[[Iterable[bytes], float], list[Event]]

_NOTHING: list[bytes] = []
"""What all pumps at rest have to send: it is replaced, never added to."""

CONGESTED_BYTES = 8192
"""Queued for the link, from here on senders wait. What the channel itself has to say, such as credit for the other
direction, waits behind it: with 32 kB the two directions of a busy radio held each other up (93 % instead of 98 %)."""


STORE_S = 8.0
"""For the store to make a change durable, less than the peer waits; after it the session ends, whatever comes later."""
STORE_IS_SLOW = f"the bond store did not answer within {STORE_S:g} s: is its disk alive?"

LINGER_S = 0.3
"""For the peer to hang up once it has the last word: Linux throws away what comes right before a disconnection."""


class PumpOwner(Protocol):
    """Whom a pump tells."""

    def deliver(self, events: list[Event]) -> None:
        """What the session told, in order; for Persist it calls `Pump.persist`."""

    def book_changed(self) -> None:
        """A change of this session is durable: other sessions of the same side may be affected."""

    def has_room(self) -> None:
        """The link has caught up, after `Pump.is_congested` said that it had not."""

    def parked(self) -> None:
        """The session rests: what belongs to it is not to be kept; `Pump.session` wakes it."""

    def woken(self) -> None:
        """The session rests no longer."""


class Pump:
    """Moves fragments between one link and one session, wakes the session in time and makes its changes durable.

    Of a session that rests, only what `Session.park` gave is there, and no timer of its own.
    """

    __slots__ = (
        *("_batch", "_drained", "_link", "_loop", "_moved", "_owner", "_parked", "_payload_bytes"),
        *("_receive", "_session", "_spoke_last", "_store", "_storing", "_stream", "_tick", "_timer", "_unlinked"),
        *("_unsent", "_was_congested", "flush_is_due", "is_linked", "received_bytes", "sent_bytes"),
    )

    def __init__(
        self,
        link: Link,
        begin: Begin,
        store: BondStore,
        *,
        owner: PumpOwner,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._link = link
        self._batch: BatchLink | None = link if isinstance(link, BatchLink) else None
        self._store = store
        self._owner = owner
        self._payload_bytes = link.max_fragment_bytes
        self._unsent: list[bytes] = []  # an empty deque takes 700 bytes
        self.flush_is_due = False
        """Whether this round of the loop sends already."""
        self._timer: asyncio.TimerHandle | None = None
        self._drained: asyncio.Future[None] | None = None
        self._storing: tuple[asyncio.Task[None], ...] = ()
        self._was_congested = False
        self._spoke_last = False
        self._unlinked: Latch | None = None
        self.is_linked = True
        self.sent_bytes = self.received_bytes = 0
        """Of fragments."""
        self._tick: int | None = None
        self._moved = (0, 0)  # when it was last looked at
        self._parked: ParkedSession | None = None
        self._session: Session | None = begin(self._payload_bytes, self._loop.time())
        self._stream = self._session.stream
        self._receive: Receive | None = self._session.receive_all

    @property
    def session(self) -> Session:
        """The session, which is woken where it rests."""
        return self._session or self._wake()

    @property
    def records_moved(self) -> tuple[int, int]:
        """Records sealed and opened so far; a session that rests is not woken to be asked."""
        session = self._session or self._parked
        return (0, 0) if session is None else session.records_moved

    @property
    def queued_bytes(self) -> int:
        """What is to be sent and waits for the link or the peer's window."""
        return self._stream.queued_bytes

    @property
    def rests(self) -> bool:
        """Whether the session is parked."""
        return self._session is None

    @property
    def state(self) -> State:
        """Where the conversation stands."""
        return State.ESTABLISHED if self._session is None else self._session.state

    def start(self) -> None:
        """Begin to move; events come from now on."""
        self._link.publish_info(self.session.info)
        self._link.start(self)
        self.act(self.session.expire(self._loop.time()))

    def act(self, events: list[Event]) -> None:
        """Act on what the session told, then send what it has."""
        if events:
            self._owner.deliver(events)
        if not self.flush_is_due:
            self.flush_soon()

    def persist(self, event: Persist) -> None:
        """Have the change made durable, and tell the session."""
        task = self._loop.create_task(self._store_change(event), name="blechannel store")
        self._storing += (task,)
        task.add_done_callback(self._stored)

    def _stored(self, task: asyncio.Task[None]) -> None:
        self._storing = tuple(other for other in self._storing if other is not task)

    def flush_soon(self) -> None:
        """Send within this round of the loop: what is said together goes out together."""
        if not self.flush_is_due:
            self.flush_is_due = True
            self._loop.call_soon(self._flush)

    def is_congested(self) -> bool:
        """Whether senders should wait for `has_room`."""
        if self._stream.queued_bytes < CONGESTED_BYTES:
            return False
        self._was_congested = True
        return True

    async def finish(self, patience_s: float) -> None:
        """Let stores under way end, send what is queued within `patience_s`, and close the link.

        Whoever spoke last leaves it to the other to close, for a moment.
        """
        while self._storing:
            await asyncio.wait(self._storing)
        self._flush()
        if self._is_draining():
            self._drained = self._loop.create_future()
            with suppress(TimeoutError):
                async with asyncio.timeout(patience_s):
                    await self._drained
        if self._timer is not None:
            self._timer.cancel()
        if self._tick is not None:
            running_wheel().drop(self._tick, self)
        if self._spoke_last and self.is_linked:
            self._unlinked = Latch()
            with suppress(TimeoutError):
                async with asyncio.timeout(LINGER_S):
                    await self._unlinked.wait()
        await self._link.close()

    # --- called by the link ---

    def fragment_received(self, fragment: bytes) -> None:
        """See LinkReceiver."""
        self.fragments_received((fragment,))

    def fragments_received(self, fragments: Sequence[bytes]) -> None:
        """See LinkReceiver."""
        self._spoke_last = False
        self.received_bytes += sum(map(len, fragments))
        self.act((self._receive or self._receive_at_rest)(fragments, self._loop.time()))

    def resume_sending(self) -> None:
        """See LinkReceiver."""
        self._flush()

    def link_lost(self, error: TransportError) -> None:
        """See LinkReceiver."""
        self.is_linked = False
        if self._unlinked is not None:
            self._unlinked.open()
        self._unsent.clear()
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)
        self.act(self.session.link_lost(error))

    # --- inside ---

    def _flush(self) -> None:
        self.flush_is_due = False
        if not self.is_linked:
            return
        link, unsent = self._link, self._unsent
        if link.max_fragment_bytes != self._payload_bytes:
            self._payload_bytes = link.max_fragment_bytes
            self.act(self.session.payload_changed(self._payload_bytes))
        if not unsent and link.room > 0:
            unsent = self._unsent = self._stream.fragments_to_send(self._loop.time())
        if unsent and link.room > 0:
            self._spoke_last = True
            self._send(unsent)
        self._arm()
        if self._was_congested and self._stream.queued_bytes <= CONGESTED_BYTES // 2:
            self._was_congested = False
            self._owner.has_room()
        if self._drained is not None and not self._drained.done() and not self._is_draining():
            self._drained.set_result(None)

    def _send(self, unsent: list[bytes]) -> None:
        link = self._link
        if self._batch is not None and len(unsent) <= link.room:
            self._unsent = []
            self.sent_bytes += sum(map(len, unsent))
            self._batch.send_all(unsent)
            return
        while unsent and link.room > 0:
            fragment = unsent.pop(0)
            self.sent_bytes += len(fragment)
            link.send(fragment)

    def _is_draining(self) -> bool:
        return self.is_linked and bool(self._unsent or self._stream.queued_bytes)

    def _arm(self) -> None:
        """One timer, moved only to come earlier: coming too early is harmless and cheaper than moving it."""
        due = self._stream.deadline() if self._session is None else self._session.deadline()
        if due is None or (self._timer is not None and self._timer.when() <= due):
            return
        if self._session is None and due >= self._loop.time() + TICK_S:
            self._arm_wheel(due)
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(due, self._expire)

    def _expire(self) -> None:
        self._timer = None
        if self._session is None:
            self._expire_at_rest()
        else:
            self.act(self._session.expire(self._loop.time()))

    # --- rest ---

    def rest_when_idle(self) -> None:
        """The channel stands: from now on, park the session whenever it has had nothing to do for a while."""
        park_s = self.session.patience.park_s
        if isfinite(park_s):
            self._moved = self.session.records_moved
            self._tick = running_wheel().add(self._loop.time() + max(park_s, TICK_S), self)

    def book_changed(self) -> None:
        """The book is another one: tell the session where that concerns it."""
        is_news = self.session.is_news() if self._parked is None else self._parked.is_news()
        if is_news:
            self.act(self.session.book_changed())

    def look(self, tick: int) -> None:
        """See Sleeper."""
        if tick != self._tick:  # left over from before it was parked or woken
            return
        self._tick = None
        if self._session is not None and not self._session.is_over and not self._park(self._session):
            self.rest_when_idle()
        elif self._session is None:
            self._arm()

    def _park(self, session: Session) -> bool:
        is_busy = self._unsent or self._storing or session.records_moved != self._moved
        self._parked = None if is_busy else session.park()
        if self._parked is None:
            return False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._session = None
        self._receive = None
        self._unsent = _NOTHING
        self._moved = (0, 0)
        self._owner.parked()
        self._arm()
        return True

    def _wake(self) -> Session:
        parked = cast(ParkedSession, self._parked)  # it is one or the other
        self._session = session = Session.wake(parked, self._loop.time())
        self._parked = None
        self._receive = session.receive_all
        self._owner.woken()
        self.rest_when_idle()
        return session

    def _receive_at_rest(self, fragments: Iterable[bytes], now: float) -> list[Event]:
        left = iter(fragments)
        for fragment in left:
            try:
                is_taken = self._parked is not None and self._parked.receive(fragment, now)
            except BlechannelError as error:
                return self.session.abandon(error)
            if not is_taken:
                return self.session.receive_all((fragment, *left), now)
        return []

    def _arm_wheel(self, due: float) -> None:
        """Share a timer until the last moments."""
        if not self._unsent:
            self._unsent = _NOTHING
        if self._tick is None or due < self._tick * TICK_S:
            self._tick = running_wheel().add(due, self)

    def _expire_at_rest(self) -> None:
        try:
            self._stream.expire(self._loop.time())
        except BlechannelError as error:
            self.act(self.session.abandon(error))
        else:
            self.flush_soon()

    async def _store_change(self, event: Persist) -> None:
        try:
            async with asyncio.timeout(STORE_S):
                await self._store.apply(event.change)
        except BlechannelError as error:
            self.act(self.session.persist_failed(event.token, error))
        except TimeoutError:
            self.act(self.session.persist_failed(event.token, StoreError(STORE_IS_SLOW)))
        except Exception as error:  # a store that somebody else wrote
            self.act(self.session.persist_failed(event.token, StoreError(f"the bond store failed: {error!r}")))
        else:
            self.act(self.session.persisted(event.token, self._loop.time()))
            self._owner.book_changed()
