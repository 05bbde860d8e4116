"""The one place where a session meets a link, a clock and a store. Everything runs on the event loop's thread."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Protocol

from blechannel.aio.link import Link
from blechannel.errors import BlechannelError, StoreError, TransportError
from blechannel.pairing.changes import BondStore
from blechannel.session.events import Event, Persist
from blechannel.session.session import Session

Begin = Callable[[int, float], Session]
"""Makes the session, given the link's `max_fragment_bytes` and the moment."""


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


class Pump:
    """Moves fragments between one link and one session, wakes the session in time and makes its changes durable."""

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
        self._store = store
        self._owner = owner
        self._deliver = owner.deliver
        self._payload_bytes = link.max_fragment_bytes
        self._unsent: deque[bytes] = deque()
        self._flush_due = False
        self._timer: asyncio.TimerHandle | None = None
        self._drained: asyncio.Future[None] | None = None
        self._storing: set[asyncio.Task[None]] = set()
        self._was_congested = False
        self._spoke_last = False
        self._unlinked = asyncio.Event()
        self.is_linked = True
        self.session = begin(self._payload_bytes, self._loop.time())
        self._stream = self.session.stream
        self._receive = self.session.receive_all
        self._now = self._loop.time

    def start(self) -> None:
        """Begin to move; events come from now on."""
        self._link.publish_info(self.session.info)
        self._link.start(self)
        self.act(self.session.expire(self._loop.time()))

    def act(self, events: list[Event]) -> None:
        """Act on what the session told, then send what it has."""
        if events:
            self._deliver(events)
        if not self._flush_due:
            self.flush_soon()

    def persist(self, event: Persist) -> None:
        """Have the change made durable, and tell the session."""
        task = self._loop.create_task(self._store_change(event), name="blechannel store")
        self._storing.add(task)
        task.add_done_callback(self._storing.discard)

    def flush_soon(self) -> None:
        """Send within this round of the loop: what is said together goes out together."""
        if not self._flush_due:
            self._flush_due = True
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
        if self._spoke_last:
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
        self.act(self._receive(fragments, self._now()))

    def resume_sending(self) -> None:
        """See LinkReceiver."""
        self._flush()

    def link_lost(self, error: TransportError) -> None:
        """See LinkReceiver."""
        self.is_linked = False
        self._unlinked.set()
        self._unsent.clear()
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)
        self.act(self.session.link_lost(error))

    # --- inside ---

    def _flush(self) -> None:
        self._flush_due = False
        if not self.is_linked:
            return
        link, unsent = self._link, self._unsent
        if link.max_fragment_bytes != self._payload_bytes:
            self._payload_bytes = link.max_fragment_bytes
            self.act(self.session.payload_changed(self._payload_bytes))
        if not unsent and link.room > 0:
            unsent.extend(self.session.fragments_to_send(self._loop.time()))
        while unsent and link.room > 0:
            link.send(unsent.popleft())
            self._spoke_last = True
        self._arm()
        if self._was_congested and self._stream.queued_bytes <= CONGESTED_BYTES // 2:
            self._was_congested = False
            self._owner.has_room()
        if self._drained is not None and not self._drained.done() and not self._is_draining():
            self._drained.set_result(None)

    def _is_draining(self) -> bool:
        return self.is_linked and bool(self._unsent or self._stream.queued_bytes)

    def _arm(self) -> None:
        """One timer, moved only to come earlier: coming too early is harmless and cheaper than moving it."""
        due = self.session.deadline()
        if due is None or (self._timer is not None and self._timer.when() <= due):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(due, self._expire)

    def _expire(self) -> None:
        self._timer = None
        self.act(self.session.expire(self._loop.time()))

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
