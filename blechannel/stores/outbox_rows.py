"""How the changes of a store of queues are written as rows, and read again as its ledger."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Final

from blechannel.delivery import changes as to
from blechannel.delivery.events import Span
from blechannel.delivery.frames import NO_TOKEN, TOKEN_BYTES
from blechannel.delivery.ledger import STREAMS_KEPT, SUCCESSORS_KEPT, TOKENS_KEPT, Entry, Lane, Ledger
from blechannel.delivery.policies import MAX_MESSAGE_BYTES, MessageId
from blechannel.errors import StoreError
from blechannel.limits import MAX_PORT_NAME_BYTES, is_name
from blechannel.stores.rows import Cells
from blechannel.stores.sealing import Sealer

PART_BYTES: Final = 1 << 16
"""A longer message is stored in pieces of this size, or as they came: SQLite reads no piece of a value cheaply."""

LANE_COLUMNS: Final = ("lane", "bond_id", "port", "remembered")
MESSAGE_COLUMNS: Final = ("row", "lane", "incoming", "stream", "sequence", "size", "have", "expires_s")


class Rows:
    """The tables of one open file."""

    def __init__(self, connection: sqlite3.Connection, sealer: Sealer) -> None:
        self._connection = connection
        self._run = connection.execute
        self._sealer = sealer

    # --- writing ---

    def write(self, change: to.Change) -> None:
        """One change, inside the caller's transaction.

        Raises:
            StoreError: it does not fit what is stored: its lane is gone, or a piece does not follow.
            sqlite3.Error: it cannot be written.
        """
        match change:
            case to.AddLane():
                self._run("INSERT INTO lanes VALUES (?, ?, ?, ?)", (change.lane, change.bond_id, change.port, NO_TOKEN))
            case to.Succeed():
                self._run("INSERT OR REPLACE INTO successors (old, new) VALUES (?, ?)", (change.old, change.new))
                self._run(
                    f"DELETE FROM successors WHERE number <= (SELECT max(number) FROM successors) - {SUCCESSORS_KEPT}"
                )
            case to.Put():
                self._put(change)
            case to.Keep():
                self._keep(change)
            case to.Drop():
                self._drop(change.rows)
            case to.Take():
                self._drop((change.row,))
            case to.Know():
                self._know(change)
            case to.AddToken():
                self._add_token(change)
            case _:
                self._change_lane(change)

    def _change_lane(self, change: to.MoveLane | to.MergeLane | to.RemoveLane | to.Remember) -> None:
        self._require_lane(change.lane)
        match change:
            case to.MoveLane():
                self._run("UPDATE lanes SET bond_id = ? WHERE lane = ?", (change.bond_id, change.lane))
            case to.Remember():
                self._run("UPDATE lanes SET remembered = ? WHERE lane = ?", (change.token, change.lane))
            case to.MergeLane():
                self._merge(change)
            case _:
                self._run("DELETE FROM parts WHERE row IN (SELECT row FROM messages WHERE lane = ?)", (change.lane,))
                for table in ("messages", "marks", "tokens", "lanes"):
                    self._run(f"DELETE FROM {table} WHERE lane = ?", (change.lane,))

    def _require_lane(self, lane: int) -> None:
        if not self._run("SELECT 1 FROM lanes WHERE lane = ?", (lane,)).fetchone():
            raise StoreError("the bond was removed, and its messages with it")

    def _merge(self, change: to.MergeLane) -> None:
        old, into = change.lane, change.into
        self._require_lane(into)
        theirs = "SELECT remembered FROM lanes WHERE lane = ?"
        self._run(f"UPDATE lanes SET remembered = ({theirs}) WHERE lane = ? AND remembered = ?", (old, into, NO_TOKEN))
        # What is stored of a message in part stays that of the lane which goes on.
        has_partial = self._run("SELECT 1 FROM messages WHERE lane = ? AND have < size", (into,)).fetchone()
        if has_partial:
            self._drop_partial(old)
        self._run("UPDATE messages SET lane = ? WHERE lane = ?", (into, old))
        for table, column in (("marks", "stream, stored"), ("tokens", "token")):
            rows = self._run(
                f"SELECT {column} FROM {table} WHERE lane IN (?, ?) ORDER BY lane = ?, number", (old, into, into)
            ).fetchall()
            self._run(f"DELETE FROM {table} WHERE lane IN (?, ?)", (old, into))
            holes = ", ".join("?" * (1 + len(rows[0]))) if rows else ""
            for row in rows:
                self._run(f"INSERT OR REPLACE INTO {table} (lane, {column}) VALUES ({holes})", (into, *row))
        self._run("DELETE FROM lanes WHERE lane = ?", (old,))

    def _know(self, change: to.Know) -> None:
        self._require_lane(change.lane)
        self._drop_partial(change.lane)
        self._run("INSERT INTO marks (lane, stream, stored) VALUES (?, ?, 0)", (change.lane, change.stream))
        self._keep_newest("marks", change.lane, STREAMS_KEPT)

    def _add_token(self, change: to.AddToken) -> None:
        self._require_lane(change.lane)
        self._run("INSERT INTO tokens (lane, token) VALUES (?, ?)", (change.lane, change.token))
        self._keep_newest("tokens", change.lane, TOKENS_KEPT)

    def _keep_newest(self, table: str, lane: int, count: int) -> None:
        newest = f"SELECT number FROM {table} WHERE lane = ? ORDER BY number DESC LIMIT {count}"
        self._run(f"DELETE FROM {table} WHERE lane = ? AND number NOT IN ({newest})", (lane, lane))

    def _put(self, change: to.Put) -> None:
        self._require_lane(change.lane)
        self._drop(change.replaces)
        size, row = len(change.body), change.row
        short = self._seal(change.body, row, 0) if size <= PART_BYTES else None
        self._insert(change, 0, size, size, change.expires_s, short)
        if short is None:
            for offset in range(0, size, PART_BYTES):
                self._add_part(row, offset, change.body[offset : offset + PART_BYTES])

    def _insert(self, change: to.Put | to.Keep, *cells: float | bytes | None) -> None:
        """A row, given its `cells` but for the names."""
        incoming, *others = cells
        named = (change.row, change.lane, incoming, change.message_id.stream, change.message_id.sequence)
        self._run("INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (*named, *others))

    def _add_part(self, row: int, offset: int, body: bytes) -> None:
        sealed = self._seal(body, row, offset)
        self._run("INSERT INTO parts VALUES (?, ?, ?, ?)", (row, offset, len(body), sealed))

    def _keep(self, change: to.Keep) -> None:
        stream, sequence = change.message_id.stream, change.message_id.sequence
        mark = self._run("SELECT stored FROM marks WHERE lane = ? AND stream = ?", (change.lane, stream)).fetchone()
        _require(mark == (change.after,) and change.after < sequence)
        if change.offset:
            grown = self._run(
                "UPDATE messages SET have = have + ? WHERE row = ? AND have = ? AND have < size",
                (len(change.body), change.row, change.offset),
            )
            _require(grown.rowcount == 1)
            self._add_part(change.row, change.offset, change.body)
        else:
            self._drop_partial(change.lane)
            whole = self._seal(change.body, change.row, 0) if change.is_last else None
            self._insert(change, 1, change.size, len(change.body), None, whole)
            if whole is None:
                self._add_part(change.row, 0, change.body)
        if change.is_last:
            self._arrived(change)

    def _arrived(self, change: to.Keep) -> None:
        if change.replaces:
            older = "SELECT row FROM messages WHERE lane = ? AND incoming AND have = size AND row <> ?"
            self._drop([row for (row,) in self._run(older, (change.lane, change.row)).fetchall()])
        self._run(
            "UPDATE marks SET stored = ? WHERE lane = ? AND stream = ?",
            (change.message_id.sequence, change.lane, change.message_id.stream),
        )

    def _drop_partial(self, lane: int) -> None:
        partial = self._run("SELECT row FROM messages WHERE lane = ? AND have < size", (lane,)).fetchall()
        self._drop([row for (row,) in partial])

    def _drop(self, rows: Sequence[int]) -> None:
        for row in rows:
            self._run("DELETE FROM messages WHERE row = ?", (row,))
            self._run("DELETE FROM parts WHERE row = ?", (row,))

    def _seal(self, body: bytes, row: int, offset: int) -> bytes:
        return self._sealer.seal(body, _place(row, offset), "body")

    # --- reading ---

    def read(self, span: Span) -> bytes | None:
        """Bytes of a whole message; None where it is gone.

        Raises:
            ValueError: what is stored was sealed for another place, or is not all there.
            sqlite3.Error: the file cannot be read.
        """
        found = self._run("SELECT body FROM messages WHERE row = ?", (span.row,)).fetchone()
        if found is None:
            return None
        end = span.offset + span.length
        if found[0] is not None:
            return self._sealer.unseal(found[0], _place(span.row, 0), "body")[span.offset : end]
        pieces = b"".join(self._pieces(span, end))
        if len(pieces) != span.length:
            raise ValueError("a piece of a message is missing")
        return pieces

    def _pieces(self, span: Span, end: int) -> Iterator[bytes]:
        query = "SELECT offset, body FROM parts WHERE row = ? AND offset < ? AND offset + length > ? ORDER BY offset"
        for offset, sealed in self._run(query, (span.row, end, span.offset)).fetchall():
            body = self._sealer.unseal(sealed, _place(span.row, offset), "body")
            yield body[max(0, span.offset - offset) : end - offset]

    def ledger(self) -> Ledger:
        """What the file holds, without the messages' bytes.

        Raises:
            ValueError: the file says what no store would write.
            sqlite3.Error: the file cannot be read.
        """
        ledger = Ledger()
        lanes = {lane.number: lane for lane in self._lanes()}
        for cells in self._cells("marks", ("number", "lane", "stream", "stored")):
            lanes[cells.of("lane", int)].marks[cells.identity("stream")] = cells.of("stored", int)
        for cells in self._cells("tokens", ("number", "lane", "token")):
            lanes[cells.of("lane", int)].tokens.append(cells.identity("token"))
        for cells in self._cells("messages", MESSAGE_COLUMNS):
            self._load(cells, lanes[cells.of("lane", int)])
            ledger.next_row = cells.of("row", int) + 1
        for cells in self._cells("successors", ("number", "old", "new")):
            ledger.successors[cells.identity("old")] = cells.identity("new")
        for lane in lanes.values():
            ledger.add(lane)
        return ledger

    def _lanes(self) -> Iterator[Lane]:
        for cells in self._cells("lanes", LANE_COLUMNS):
            port, remembered = cells.of("port", str), cells.of("remembered", bytes)
            if not is_name(port, MAX_PORT_NAME_BYTES) or len(remembered) != TOKEN_BYTES:
                raise ValueError("a lane without a port's name, or with a token that is none")
            yield Lane(cells.of("lane", int), cells.identity("bond_id"), port, remembered)

    def _load(self, cells: Cells, lane: Lane) -> None:
        size, have = cells.of("size", int), cells.of("have", int)
        if not 0 <= have <= size <= MAX_MESSAGE_BYTES:
            raise ValueError("a message of no size")
        message_id = MessageId(cells.identity("stream"), cells.of("sequence", int))
        entry = Entry(cells.of("row", int), message_id, size, have, cells.optional("expires_s", float))
        if have < size:
            lane.partial = entry
        else:
            (lane.untaken if cells.flag("incoming") else lane.waiting).add(entry)

    def _cells(self, table: str, columns: Sequence[str]) -> Iterator[Cells]:
        for row in self._run(f"SELECT {', '.join(columns)} FROM {table} ORDER BY {columns[0]}"):
            yield Cells(columns, row)


def _place(row: int, offset: int) -> bytes:
    return row.to_bytes(8) + offset.to_bytes(8)


def _require(follows: bool) -> None:
    if not follows:
        raise StoreError("this piece does not follow what is stored")
