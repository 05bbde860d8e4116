"""What is kept until the other side has acknowledged it."""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from blechannel_gateway.database import Database
from blechannel_gateway.frames import STREAM_BYTES, Base, Post, Version
from blechannel_gateway.messages import Lane, Limits, Loads, Message, MessageId

_Act = Callable[[sqlite3.Connection], bool]

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS kept(
    row INTEGER PRIMARY KEY AUTOINCREMENT, watch TEXT NOT NULL, port TEXT NOT NULL, stream BLOB NOT NULL,
    sequence INTEGER NOT NULL, after INTEGER NOT NULL, schema TEXT NOT NULL, body BLOB NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS kept_of_lane ON kept(watch, port, row);
CREATE TABLE IF NOT EXISTS stream(
    watch TEXT NOT NULL, port TEXT NOT NULL, stream BLOB NOT NULL, last INTEGER NOT NULL,
    acknowledged INTEGER NOT NULL, own INTEGER NOT NULL, PRIMARY KEY(watch, port, stream)) STRICT;
"""

STREAMS_KEPT: Final = 16
"""A lane: each start of a watch's program begins one, and only the newest can come again."""
_FORGET_OLD: Final = """
DELETE FROM stream WHERE watch=? AND port=? AND NOT own
AND stream NOT IN (SELECT stream FROM kept WHERE watch=? AND port=?)
AND rowid NOT IN (SELECT rowid FROM stream WHERE watch=? AND port=? ORDER BY rowid DESC LIMIT ?)
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """A post that waits for its acknowledgement, and where it stands."""

    row: int
    post: Post


class Spool:
    """Messages by lanes, in the order in which they came. Open with `Spool.open`; the database is the caller's."""

    def __init__(self, database: Database, limits: Limits) -> None:
        self._database = database
        self._limits = limits
        self._loads = Loads(limits)
        self._room = asyncio.Event()
        self.tell: Callable[[Lane], None] = lambda _lane: None
        """Called when something new is kept in a lane."""

    @classmethod
    async def open(cls, database: Database, limits: Limits = Limits()) -> Spool:  # noqa: B008 - frozen
        """The spool of a database that was opened with `SCHEMA`."""
        spool = cls(database, limits)
        for watch, port, messages, size_bytes in await database.transact(_loads):
            spool._loads.count(Lane(watch, port), messages, size_bytes)
        return spool

    @property
    def lanes(self) -> list[Lane]:
        """Those in which something waits."""
        return self._loads.lanes

    def waiting(self, lane: Lane) -> int:
        """How many messages of the lane wait."""
        return self._loads.messages(lane)

    async def put(self, lane: Lane, message: Message) -> bool:
        """Keep a message that has an id; False where it was put before. Returns once it is durable.

        Waits while the lane or the file is full: whoever brings messages is held back.

        Raises:
            GatewayError: the message alone is over the limit.
            CloudStoreError: it could not be written; nothing is kept of it.
        """
        return await self._put(lane, len(message.body), message, lambda db: _put(db, lane, message, own=False))

    async def add(self, lane: Lane, body: bytes, *, schema: str = "") -> MessageId:
        """Keep a message that has no id yet, and give it the lane's next. Otherwise as `put`."""
        given: list[MessageId] = []

        def act(db: sqlite3.Connection) -> bool:
            message = Message(_next_id(db, lane), body, schema)
            given.append(message.message_id)
            return _put(db, lane, message, own=True)

        await self._put(lane, len(body), Message(MessageId(b"", 0), body), act)
        return given[-1]

    async def _put(self, lane: Lane, size_bytes: int, message: Message, act: _Act) -> bool:
        self._limits.check(message.body)
        while not self._loads.fits(lane, size_bytes):
            self._room.clear()
            await self._room.wait()
        self._loads.count(lane, 1, size_bytes)
        writing = asyncio.ensure_future(self._database.transact(act))
        writing.add_done_callback(lambda _: self._written(writing, lane, size_bytes))
        return await asyncio.shield(writing)  # who is cancelled now has put it all the same

    def _written(self, writing: asyncio.Future[bool], lane: Lane, size_bytes: int) -> None:
        if writing.cancelled() or writing.exception() is not None or not writing.result():
            self._freed(lane, 1, size_bytes)
        else:
            self.tell(lane)

    async def unacknowledged(self, lane: Lane, *, above_row: int = 0, most: int) -> list[Kept]:
        """The next posts of the lane's oldest stream; the stream after it begins once that one is through."""
        return await self._database.transact(lambda db: _unacknowledged(db, lane, above_row, most))

    async def acknowledged(self, lane: Lane, message_id: MessageId) -> int:
        """The other side has stored all of the stream up to this one; says how many are kept no longer."""
        messages, _ = await self._database.transact(
            lambda db: _acknowledged(db, lane, message_id), lambda freed: self._freed(lane, *freed)
        )
        return messages

    async def drained(self) -> None:
        """Return once nothing waits."""
        while self._loads.lanes:
            self._room.clear()
            await self._room.wait()

    def _freed(self, lane: Lane, messages: int, size_bytes: int) -> None:
        self._loads.count(lane, -messages, -size_bytes)
        self._room.set()


def _loads(db: sqlite3.Connection) -> list[tuple[str, str, int, int]]:
    return db.execute("SELECT watch, port, count(*), sum(length(body)) FROM kept GROUP BY watch, port").fetchall()


def _next_id(db: sqlite3.Connection, lane: Lane) -> MessageId:
    found = db.execute("SELECT stream, last FROM stream WHERE watch=? AND port=? AND own", lane).fetchone()
    return MessageId(secrets.token_bytes(STREAM_BYTES), 1) if found is None else MessageId(found[0], found[1] + 1)


def _put(db: sqlite3.Connection, lane: Lane, message: Message, *, own: bool) -> bool:
    stream, sequence = message.message_id
    found = db.execute("SELECT last FROM stream WHERE watch=? AND port=? AND stream=?", (*lane, stream)).fetchone()
    after = 0 if found is None else found[0]
    if sequence <= after:
        return False
    db.execute(
        "INSERT INTO kept(watch, port, stream, sequence, after, schema, body) VALUES(?, ?, ?, ?, ?, ?, ?)",
        (*lane, stream, sequence, after, message.schema, message.body),
    )
    db.execute(
        "INSERT INTO stream VALUES(?, ?, ?, ?, 0, ?) ON CONFLICT DO UPDATE SET last=excluded.last",
        (*lane, stream, sequence, int(own)),
    )
    if found is None:
        db.execute(_FORGET_OLD, (*lane, *lane, *lane, STREAMS_KEPT))
    return True


def _unacknowledged(db: sqlite3.Connection, lane: Lane, above_row: int, most: int) -> list[Kept]:
    rows = db.execute(
        "SELECT kept.row, stream.acknowledged, kept.stream, sequence, after, schema, body"
        " FROM kept JOIN stream USING(watch, port, stream)"
        " WHERE kept.watch=? AND kept.port=? AND kept.row>?"
        " AND kept.stream=(SELECT stream FROM kept WHERE watch=? AND port=? ORDER BY row LIMIT 1)"
        " ORDER BY kept.row LIMIT ?",
        (*lane, above_row, *lane, most),
    )
    return [Kept(row, _post(acknowledged, *rest)) for row, acknowledged, *rest in rows]


def _post(acknowledged: int, stream: bytes, sequence: int, after: int, schema: str, body: bytes) -> Post:
    base = Base.GONE if after and after <= acknowledged else Base.KEPT
    return Post(Version.ONE, base, stream, sequence, after, schema, body)


def _acknowledged(db: sqlite3.Connection, lane: Lane, message_id: MessageId) -> tuple[int, int]:
    stream, upto = message_id
    freed = db.execute(
        "DELETE FROM kept WHERE watch=? AND port=? AND stream=? AND sequence<=? RETURNING length(body)",
        (*lane, stream, upto),
    ).fetchall()
    db.execute(
        "UPDATE stream SET acknowledged=max(acknowledged, min(last, ?)) WHERE watch=? AND port=? AND stream=?",
        (upto, *lane, stream),
    )
    return len(freed), sum(size for (size,) in freed)
