"""One queue of an outbox: what waits to be sent on a port to a bond's peer, and what came from it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Final

from blechannel.aio.queues.receipt import Deliveries, Delivery, Receipt
from blechannel.aio.queues.store import Act, QueueStore
from blechannel.delivery import changes as to
from blechannel.delivery.events import Expired, OutboxEvent, Refused, Span, Stored, Superseded
from blechannel.delivery.frames import TOKEN_BYTES, Fault
from blechannel.delivery.ledger import Entry, Lane
from blechannel.delivery.policies import STREAM_BYTES, Kind, MessageId, Policy
from blechannel.errors import (
    BlechannelError,
    BondNotFound,
    LocalProtocolError,
    MessageExpired,
    MessageRefused,
    MessageSuperseded,
    QueueFull,
)

if TYPE_CHECKING:
    from blechannel.aio.outbox import Outbox

AHEAD_BYTES: Final = 65536
AHEAD_MESSAGES: Final = 256
LONGEST_TIMER_S: Final = 3600.0
"""The wall clock may be set: it is looked at again."""


class OutboxQueue:
    """Made by `Outbox.queue` and `Channel.outbox`; exists without a channel. Several tasks may send, one receives."""

    def __init__(self, outbox: Outbox, store: QueueStore, policy: Policy, *, bond_id: bytes, port: str) -> None:
        self.bond_id = bond_id
        self.port = port
        self.policy = policy
        self.store = store
        self._outbox = outbox
        self._stream = b""
        self._sequences = count(1)
        self._token = b""
        self._coming: dict[int, to.Put] = {}
        """Rows that are being written."""
        self._leaving: set[MessageId] = set()
        """Being replaced or dropped; what the peer says that it has stored meanwhile is not."""
        self._receipts: dict[MessageId, Receipt] = {}
        self._since_s: dict[int, float] = {}
        """Where there is no wall clock: when each row was queued, by the loop's."""
        self._timer: asyncio.TimerHandle | None = None
        self._turn = asyncio.Lock()
        self._waiters: set[asyncio.Future[None]] = set()
        self._is_read = False
        self._ahead: dict[int, bytes] = {}
        """Messages that were read from the store before they were asked for."""
        self._adding: asyncio.Future[None] | None = None
        self._error: BlechannelError | None = None

    def __repr__(self) -> str:
        return f"OutboxQueue({self.port!r}, {self.bond_id.hex()[:8]})"

    # --- for applications ---

    async def send(self, message: bytes, *, wait: bool = True, act: Act | None = None) -> Receipt:
        """Queue one message; returns once it is durable here.

        Where the queue is full it waits for room: until the peer has stored some of it. Under `Latest` and
        `BestEffort` there is always room. `act` is called with the store's connection, in the same transaction.
        Cancelled while it waits for room, it has queued nothing; cancelled later, the message goes.

        Raises:
            LocalProtocolError: the message is longer than the policy's `max_bytes`.
            QueueFull: there is no room, and `wait` is False.
            StoreError: it could not be written, as on a full disk: it is not queued.
            BondNotFound: the bond was removed.
        """
        size = len(message)
        if size > self.policy.max_bytes:
            raise LocalProtocolError(f"a message of {size} bytes: port {self.port} takes {self.policy.max_bytes}")
        async with self._turn:
            self._check()
            if self.lane is None:
                await asyncio.shield(self.make_lane())
            while not self._has_room(size):
                if not wait:
                    raise QueueFull(f"the queue of port {self.port} is full: its peer stores nothing")
                await self._room()
                self._check()
            written, receipt = self._put(message, act)
        await asyncio.shield(written)
        return receipt

    @property
    def waiting(self) -> int:
        """Messages that wait for the peer to store them."""
        lane = self.lane
        return len(lane.waiting.entries) if lane else 0

    @property
    def untaken(self) -> int:
        """Messages that arrived and were not taken."""
        lane = self.lane
        return len(lane.untaken.entries) if lane else 0

    @asynccontextmanager
    async def next(self) -> AsyncGenerator[Delivery, None]:
        """The oldest message that was not taken, once there is one; left without an exception, it is taken.

        Raises:
            LocalProtocolError: another task reads this queue.
            BondNotFound: the bond was removed.
        """
        with self._reading():
            delivery = await self._after(0)
            yield delivery
            await delivery.taken()

    def __aiter__(self) -> Deliveries:
        """One after the other, from the oldest that was not taken; whoever iterates says `taken` of each.

        Raises, as it goes:
            LocalProtocolError: another task reads this queue.
            BondNotFound: the bond was removed.
        """
        return Deliveries(self.after)

    async def after(self, row: int) -> Delivery:
        """The first message behind this row of the store that was not taken."""
        with self._reading():
            return await self._after(row)

    # --- for the outbox and its ports ---

    @property
    def lane(self) -> Lane | None:
        """What the store holds of it, once there is something."""
        return self.store.ledger.find(self.bond_id, self.port)

    def make_lane(self) -> asyncio.Future[None]:
        """The write that makes it, once for all who ask."""
        if self._adding is None or self._adding.done():
            ledger = self.store.ledger
            number, ledger.next_lane = ledger.next_lane, ledger.next_lane + 1
            self._adding = self.store.write((to.AddLane(number, self.bond_id, self.port),))
        return self._adding

    def token(self, _lane: Lane) -> bytes:
        """What the peer is told of this opening of the store."""
        self._token = self._token or self._outbox.world.random(TOKEN_BYTES)
        return self._token

    def new_row(self) -> int:
        """The store's next."""
        ledger = self.store.ledger
        row, ledger.next_row = ledger.next_row, ledger.next_row + 1
        return row

    def told(self, event: OutboxEvent) -> None:
        """Something happened to a message of this queue."""
        match event:
            case Stored(message_id=message_id):
                self._leaving.discard(message_id)
                self._settle(message_id, None)
            case Expired(message_id=message_id):
                self._settle(message_id, MessageExpired(f"message {message_id} was not stored in time"))
            case Superseded(message_id=message_id):
                self._settle(message_id, MessageSuperseded(f"message {message_id} was replaced by a newer one"))
            case Refused(message_id=MessageId() as message_id, fault=Fault.TOO_LARGE):
                self._settle(message_id, MessageRefused(f"message {message_id} is larger than what the peer keeps"))

    def expire(self) -> None:
        """Drop what has waited too long, and look again in time. Called when the clock may have passed something."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        lane, ttl_s = self.lane, self.policy.ttl_s
        if lane is None or ttl_s is None or self._error is not None:
            return
        waits = {**lane.waiting.entries, **self._coming}
        self._since_s = {row: since_s for row, since_s in self._since_s.items() if row in waits}
        late: list[Entry] = []
        for entry in lane.waiting.entries.values():
            left_s = self._left_s(entry, ttl_s)
            if left_s > 0:
                self._timer = asyncio.get_running_loop().call_later(min(left_s, LONGEST_TIMER_S), self.expire)
                break
            late.append(entry)
        if late:
            self._drop_late(lane, late)

    def notice(self) -> None:
        """The store has changed: who waits looks."""
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def _room(self) -> None:
        self._outbox.cramped.add(self)
        try:
            await self.changed()
        finally:
            self._outbox.cramped.discard(self)

    async def changed(self) -> None:
        """Return after `notice`."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        try:
            await waiter
        finally:
            self._waiters.discard(waiter)

    def end(self, error: BlechannelError) -> None:
        """Nothing more comes or goes."""
        self._error = error
        if self._timer is not None:
            self._timer.cancel()
        for receipt in self._receipts.values():
            receipt.settle(error)
        self._receipts.clear()
        self.notice()

    def hand_over(self, heir: OutboxQueue) -> None:
        """The bond was replaced: the receipts go with the messages."""
        heir._receipts.update(self._receipts)
        self._receipts.clear()
        heir._since_s.update(self._since_s)
        self.end(BondNotFound(f"the bond {self.bond_id.hex()[:8]} was replaced by {heir.bond_id.hex()[:8]}"))

    # --- inside ---

    def _check(self) -> None:
        if self._error is not None:
            raise self._error.with_traceback(None)

    def _has_room(self, size: int) -> bool:
        if self.policy.kind is not Kind.ORDERED:
            return True
        lane, coming = self.lane, self._coming
        assert lane is not None
        messages = len(lane.waiting.entries) + len(coming)
        total = lane.waiting.bytes + sum(len(each.body) for each in coming.values())
        fits = messages < self.policy.max_messages and total + size <= self.policy.max_bytes
        return fits and self._outbox.has_room(self.store, size)

    def _put(self, message: bytes, act: Act | None) -> tuple[asyncio.Future[None], Receipt]:
        """In one step, so that the order of the calls is that of the numbers."""
        self._stream = self._stream or self._outbox.world.random(STREAM_BYTES)
        lane = self.lane
        assert lane is not None
        row = self.new_row()
        message_id = MessageId(self._stream, next(self._sequences))
        replaced = self._replaced(lane, len(message))
        change = to.Put(lane.number, row, message_id, self._outbox.expiry_s(self.policy), message, replaced)
        leaving = self._ids(lane, replaced) if replaced else []
        self._coming[row] = change
        self._leaving.update(leaving)
        receipt = self._receipts[message_id] = Receipt(message_id)
        if self.policy.ttl_s is not None:
            self._since_s[row] = asyncio.get_running_loop().time()
        written = self.store.write((change,), act)
        written.add_done_callback(partial(self._queued, change, leaving))
        return written, receipt

    def _queued(self, change: to.Put, leaving: list[MessageId], written: asyncio.Future[None]) -> None:
        self._coming.pop(change.row, None)
        self._left(Superseded, leaving, written)
        if written.exception() is None:
            self._outbox.queued(self)
            if self._timer is None:
                self.expire()
        else:
            self._receipts.pop(change.message_id, None)
        self.notice()

    def _settle(self, message_id: MessageId, error: BlechannelError | None) -> None:
        receipt = self._receipts.pop(message_id, None)
        if receipt is not None:
            receipt.settle(error)

    def _left_s(self, entry: Entry, ttl_s: float) -> float:
        """Until it expires; never longer than its time to live, however a clock was set."""
        unix_s = self._outbox.world.unix_time()
        if entry.expires_s is not None and unix_s is not None:
            return min(entry.expires_s - unix_s, ttl_s)
        now_s = asyncio.get_running_loop().time()
        return self._since_s.setdefault(entry.row, now_s) + ttl_s - now_s

    def _drop_late(self, lane: Lane, late: list[Entry]) -> None:
        written = self.store.write((to.Drop(lane.number, tuple(each.row for each in late)),))

        leaving = [each.message_id for each in late]
        self._leaving.update(leaving)
        written.add_done_callback(partial(self._left, Expired, leaving))

    def _left(self, how: type[Expired | Superseded], leaving: list[MessageId], written: asyncio.Future[None]) -> None:
        """Messages are gone from the store, unless the write failed."""
        for message_id in leaving:
            is_gone = message_id in self._leaving and written.exception() is None
            self._leaving.discard(message_id)
            if is_gone:
                self._outbox.tell(how(self.bond_id, self.port, message_id))
        if leaving:
            self._outbox.changed(self)

    def _ids(self, lane: Lane, rows: tuple[int, ...]) -> list[MessageId]:
        waiting = [each.message_id for each in lane.waiting.entries.values() if each.row in rows]
        return waiting + [each.message_id for each in self._coming.values() if each.row in rows]

    def _replaced(self, lane: Lane, size: int) -> tuple[int, ...]:
        """Rows that make room for a message of `size`."""
        if self.policy.kind is Kind.ORDERED:
            return ()
        rows = [*lane.waiting.entries, *self._coming]
        if self.policy.kind is Kind.LATEST:
            return tuple(rows)
        sizes = [each.size for each in lane.waiting.entries.values()] + [
            len(each.body) for each in self._coming.values()
        ]
        left_bytes, kept = self.policy.max_bytes - size, 0
        for each in reversed(sizes):
            left_bytes -= each
            if left_bytes < 0 or kept + 1 >= self.policy.max_messages:
                break
            kept += 1
        return tuple(rows[: len(rows) - kept])

    @contextmanager
    def _reading(self) -> Iterator[None]:
        if self._is_read:
            raise LocalProtocolError(f"another task reads the queue of port {self.port} already")
        self._is_read = True
        try:
            yield
        finally:
            self._is_read = False

    async def _after(self, row: int) -> Delivery:
        """The first message behind this row that was not taken."""
        while True:
            self._check()
            entry = self._first_after(row)
            if entry is not None:
                delivery = await self._read(entry)
                if delivery is not None:
                    return delivery
                continue  # it went while it was read
            await self.changed()

    def _first_after(self, row: int) -> Entry | None:
        lane = self.lane
        return next((each for each in lane.untaken.entries.values() if each.row > row), None) if lane else None

    async def _read(self, entry: Entry) -> Delivery | None:
        lane = self.lane
        assert lane is not None
        if entry.row not in self._ahead:
            await self._read_ahead(lane, entry)
        body = self._ahead.pop(entry.row, None)
        if body is None or entry.row not in lane.untaken.entries:
            return None
        return Delivery(
            message=body,
            message_id=entry.message_id,
            bond_id=self.bond_id,
            port=self.port,
            row=entry.row,
            take=partial(self._take, lane, entry.row),
        )

    async def _read_ahead(self, lane: Lane, first: Entry) -> None:
        """One look into the store for this message and some that follow."""
        wanted: list[Entry] = []
        total = 0
        for each in lane.untaken.entries.values():
            if each.row >= first.row:
                total += each.size
                if wanted and (total > AHEAD_BYTES or len(wanted) >= AHEAD_MESSAGES):
                    break
                wanted.append(each)
        bodies = await self.store.read([Span(lane.number, each.row, 0, each.size) for each in wanted])
        self._ahead = {each.row: body for each, body in zip(wanted, bodies, strict=True) if body is not None}

    async def _take(self, lane: Lane, row: int, act: Act | None) -> None:
        taking = self.store.write((to.Take(lane.number, row),), act)
        taking.add_done_callback(self._taken)
        await asyncio.shield(taking)

    def _taken(self, taking: asyncio.Future[None]) -> None:
        """Also where who took it was cancelled meanwhile: its peer may wait for the room."""
        if taking.exception() is None:
            self._outbox.taken(self)
