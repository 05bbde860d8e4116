"""What has arrived: each message once and in order, kept until the application has taken it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from blechannel_gateway.database import Database
from blechannel_gateway.errors import GatewayError
from blechannel_gateway.frames import Ack, Base, Post, Version, Wish
from blechannel_gateway.messages import Lane, Limits, Loads, MessageId

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS seen(
    watch TEXT NOT NULL, port TEXT NOT NULL, stream BLOB NOT NULL, upto INTEGER NOT NULL,
    PRIMARY KEY(watch, port, stream)) STRICT;
CREATE TABLE IF NOT EXISTS arrived(
    row INTEGER PRIMARY KEY AUTOINCREMENT, watch TEXT NOT NULL, port TEXT NOT NULL, stream BLOB NOT NULL,
    sequence INTEGER NOT NULL, missed INTEGER NOT NULL, schema TEXT NOT NULL, body BLOB NOT NULL) STRICT;
"""
Arrival = tuple[Lane, Post]
STREAMS_KEPT: Final = 16
"""A lane: a sender begins a stream when the one before is through, so that only the newest can come again."""
_FORGET_OLD: Final = """
DELETE FROM seen WHERE watch=? AND port=?
AND rowid NOT IN (SELECT rowid FROM seen WHERE watch=? AND port=? ORDER BY rowid DESC LIMIT ?)
"""
MOST_KNOWN: Final = 1000
"""Streams told of when a connection begins, those that moved last; the others are heard of by what is sent again."""
TakeAct = Callable[[sqlite3.Connection], object]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message for the application. Until it is `taken`, it is shown again after each restart."""

    lane: Lane
    message_id: MessageId
    schema: str
    body: bytes = field(repr=False)
    missed: int
    """0; or the number up to which this side knows that it lost messages which it had acknowledged: its file was put
    back to an older state, or is new."""
    row: int = field(repr=False)
    inbox: Inbox = field(repr=False, compare=False)

    async def taken(self, act: TakeAct | None = None) -> None:
        """It is the application's from now on. What `act` writes to the inbox's own file is in the same transaction."""
        await self.inbox.take(self, act)


class Inbox:
    """Stores arrivals and says what to acknowledge. Open with `Inbox.open`; iterate for deliveries."""

    def __init__(self, database: Database, limits: Limits) -> None:
        self._database = database
        self._limits = limits
        self._shown: deque[Delivery] = deque()
        self._more = asyncio.Event()
        self._loads = Loads(limits)
        self._refused: dict[Lane, bytes] = {}
        self.tell: Callable[[Lane, Ack], None] = lambda _lane, _ack: None
        """Called with the wish for more, once a lane that was full has room again."""
        self._asked_again: dict[tuple[Lane, bytes], int] = {}

    @classmethod
    async def open(cls, database: Database, limits: Limits = Limits()) -> Inbox:  # noqa: B008 - frozen
        """The inbox of a database that was opened with `SCHEMA`, with what was not taken before."""
        inbox = cls(database, limits)
        inbox._show(await database.transact(_not_taken))
        return inbox

    def __aiter__(self) -> Inbox:
        return self

    async def __anext__(self) -> Delivery:
        await self.ready()
        return self._shown.popleft()

    @property
    def is_ready(self) -> bool:
        """Whether there is a delivery to show, without a wait."""
        return bool(self._shown)

    async def ready(self) -> None:
        """Return once there is one."""
        while not self._shown:
            self._more.clear()
            await self._more.wait()

    async def arrived(self, arrivals: Sequence[Arrival]) -> list[tuple[Lane, Ack]]:
        """Store what is new, in one transaction; then says what to acknowledge, one for each stream.

        What has no room, or follows a gap, is left to be sent again.

        Raises:
            CloudStoreError: it could not be written; nothing is to be acknowledged.
        """
        fitting = self._fitting(arrivals)
        if not fitting:
            return []
        _, heard = await self._database.transact(lambda db: _store(db, fitting), lambda done: self._show(done[0]))
        return [(lane, self._ack(lane, stream, judged)) for (lane, stream), judged in heard.items()]

    def connected(self) -> None:
        """The connection is new: gaps may be asked about once more."""
        self._asked_again.clear()

    async def known(self) -> list[tuple[Lane, Ack]]:
        """What was stored of each stream, with the wish for the rest: said when a connection begins."""
        rows = await self._database.transact(_seen)
        return [(Lane(w, p), Ack(Version.ONE, Wish.SEND_AGAIN, stream, upto)) for w, p, stream, upto in rows]

    async def take(self, delivery: Delivery, act: TakeAct | None) -> None:
        """See `Delivery.taken`."""

        def take(db: sqlite3.Connection) -> None:
            if not db.execute("DELETE FROM arrived WHERE row=?", (delivery.row,)).rowcount:
                raise GatewayError(f"message {delivery.message_id} was taken before")
            if act is not None:
                act(db)

        lane = delivery.lane
        await self._database.transact(take, lambda _: self._loads.count(lane, -1, -len(delivery.body)))
        if lane in self._refused and 2 * self._loads.messages(lane) <= self._limits.messages:
            stream = self._refused.pop(lane)
            upto = await self._database.transact(lambda db: _upto(db, lane, stream))
            self.tell(lane, Ack(Version.ONE, Wish.SEND_AGAIN, stream, upto))

    def _fitting(self, arrivals: Sequence[Arrival]) -> list[Arrival]:
        """Those that there is room for; of each lane the first ones: one in the middle must not be left out."""
        fitting: list[Arrival] = []
        full: set[Lane] = set()
        for lane, post in arrivals:
            if lane in full or not self._loads.fits(lane, len(post.body)):
                full.add(lane)
                self._refused[lane] = post.stream
                continue
            self._loads.count(lane, 1, len(post.body))
            fitting.append((lane, post))
        for lane, post in fitting:  # what of them is stored is counted when it is shown
            self._loads.count(lane, -1, -len(post.body))
        return fitting

    def _show(self, rows: list[_Row]) -> None:
        for row, watch, port, stream, sequence, missed, schema, body in rows:
            lane, message_id = Lane(watch, port), MessageId(stream, sequence)
            self._shown.append(Delivery(lane, message_id, schema, body, missed, row, self))
            self._loads.count(lane, 1, len(body))
        if rows:
            self._more.set()

    def _ack(self, lane: Lane, stream: bytes, judged: _Judged) -> Ack:
        """One wish a gap: the rest of a window that follows the gap would else ask once each."""
        wish = Wish.NOTHING
        if judged.has_gap and self._asked_again.get((lane, stream)) != judged.upto:
            self._asked_again[lane, stream] = judged.upto
            wish = Wish.SEND_AGAIN
        elif not judged.has_gap:
            self._asked_again.pop((lane, stream), None)
        return Ack(Version.ONE, wish, stream, judged.upto)


_Row = tuple[int, str, str, bytes, int, int, str, bytes]


@dataclass(slots=True)
class _Judged:
    upto: int
    has_gap: bool = False


def _store(db: sqlite3.Connection, arrivals: Sequence[Arrival]) -> tuple[list[_Row], dict[tuple[Lane, bytes], _Judged]]:
    stored: list[_Row] = []
    heard: dict[tuple[Lane, bytes], _Judged] = {}
    for lane, post in arrivals:
        key = (lane, post.stream)
        judged = heard.get(key)
        if judged is None:
            judged = heard[key] = _Judged(_upto(db, lane, post.stream))
        if post.sequence <= judged.upto:
            continue
        if post.after > judged.upto and post.base is Base.KEPT:
            judged.has_gap = True
            continue
        missed = post.after if post.after > judged.upto else 0
        stored.append(_insert(db, lane, post, missed))
        if judged.upto == 0:
            db.execute(_FORGET_OLD, (*lane, *lane, STREAMS_KEPT))
        judged.upto, judged.has_gap = post.sequence, False
    return stored, heard


def _upto(db: sqlite3.Connection, lane: Lane, stream: bytes) -> int:
    found = db.execute("SELECT upto FROM seen WHERE watch=? AND port=? AND stream=?", (*lane, stream)).fetchone()
    return 0 if found is None else int(found[0])


def _insert(db: sqlite3.Connection, lane: Lane, post: Post, missed: int) -> _Row:
    fields = (*lane, post.stream, post.sequence, missed, post.schema, post.body)
    cursor = db.execute(
        "INSERT INTO arrived(watch, port, stream, sequence, missed, schema, body) VALUES(?, ?, ?, ?, ?, ?, ?)", fields
    )
    db.execute(
        "INSERT INTO seen VALUES(?, ?, ?, ?) ON CONFLICT DO UPDATE SET upto=excluded.upto",
        (*lane, post.stream, post.sequence),
    )
    row: int = cursor.lastrowid  # type: ignore[assignment] # there is one after an INSERT
    return (row, *fields)


def _seen(db: sqlite3.Connection) -> list[tuple[str, str, bytes, int]]:
    return db.execute(
        "SELECT watch, port, stream, upto FROM seen ORDER BY rowid DESC LIMIT ?", (MOST_KNOWN,)
    ).fetchall()


def _not_taken(db: sqlite3.Connection) -> list[_Row]:
    return db.execute(
        "SELECT row, watch, port, stream, sequence, missed, schema, body FROM arrived ORDER BY row"
    ).fetchall()
