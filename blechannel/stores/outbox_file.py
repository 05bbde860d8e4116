"""The file behind durable queues: opened, read and written by one thread, which it blocks."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import field
from pathlib import Path
from typing import Final

from blechannel.aio.queues.store import Act
from blechannel.delivery.changes import Change
from blechannel.delivery.events import Span
from blechannel.delivery.ledger import Ledger
from blechannel.errors import BondError, StoreError, StoreLocked
from blechannel.stores.bond_file import MAX_CELL_BYTES, SETTINGS, STORE_ID_BYTES
from blechannel.stores.custody import claim, recognise, release
from blechannel.stores.outbox_rows import Rows
from blechannel.stores.outbox_schema import MIGRATIONS, OUTBOX
from blechannel.stores.rows import LOCK_COLUMNS, Cells, lock_row, read_lock
from blechannel.stores.schema import NewerSchema, migrate
from blechannel.stores.sealing import KdfCost, Sealer, new_seal, open_seal
from blechannel.values import dataclass

RESTORE: Final = "move it away: what waits in it is lost, and the peers notice"
ACCESS: Final = "check who owns it and what its folder allows"
FAULTS: Final = {
    sqlite3.SQLITE_NOTADB: f"the outbox is damaged; {RESTORE}",
    sqlite3.SQLITE_CORRUPT: f"the outbox is damaged; {RESTORE}",
    sqlite3.SQLITE_FULL: "there is no room left for the outbox; free some and try again",
    sqlite3.SQLITE_READONLY: f"the outbox cannot be written; {ACCESS}",
    sqlite3.SQLITE_CANTOPEN: f"the outbox cannot be opened; {ACCESS}",
    sqlite3.SQLITE_TOOBIG: f"a message does not fit into the outbox: pieces have at most {MAX_CELL_BYTES} bytes",
}
STORE_COLUMNS: Final = ("store_id", *LOCK_COLUMNS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """How a file is to be opened; `cost` is that of a passphrase that a new file is put under."""

    path: Path
    passphrase: str | None
    cost: KdfCost
    random: Callable[[int], bytes]


@dataclass(slots=True)
class Job:
    """Changes of one caller: written all or none."""

    changes: Sequence[Change]
    act: Act | None = None
    error: Exception | None = field(default=None)
    """Why they were not written."""


class QueueFile:
    """An open file. Every method blocks; all are called by one thread, the one that opened it."""

    def __init__(self, opening: Opening) -> None:
        """Open the file, or make it.

        Raises:
            StoreLocked: another store holds it.
            WrongPassphrase: it was sealed otherwise.
            StoreError: it is no outbox, is damaged, newer, or cannot be opened.
        """
        self._path = opening.path
        with faults_of(opening.path), ExitStack() as held:
            held.callback(release, claim(opening.path, OUTBOX))
            recognise(opening.path, OUTBOX)
            self._connection = _connect(opening.path)
            held.callback(self._connection.close)
            for setting in SETTINGS:
                self._connection.execute(setting)
            with self._transaction():
                _check_pages(self._connection)
                migrate(self._connection, MIGRATIONS)
                self._rows = Rows(self._connection, _unlock(self._connection, opening))
                self.ledger: Ledger = self._rows.ledger()
                """As it was found."""
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._held = held.pop_all()

    def write(self, jobs: Sequence[Job]) -> None:
        """All jobs in one transaction. One that fails is undone alone, and says why in `error`.

        Where the transaction as a whole fails, as on a full disk, each job gets one of its own.
        """
        try:
            with self._transaction():
                for job in jobs:
                    self._write_inside(job)
        except sqlite3.Error:
            for job in jobs:
                self._write_alone(job)

    def read(self, spans: Sequence[Span]) -> list[bytes | None]:
        """Bytes of messages; None for those that are gone. Raises StoreError."""
        with faults_of(self._path):
            return [self._rows.read(span) for span in spans]

    def close(self) -> None:
        """Let the file go."""
        self._held.close()

    def _write_inside(self, job: Job) -> None:
        """Raises sqlite3.Error where the whole transaction is in question."""
        self._connection.execute("SAVEPOINT job")
        try:
            self._run(job)
        except sqlite3.Error:
            raise
        except Exception as error:  # a change that does not fit, or whatever the application's act raised
            job.error = error
            self._connection.execute("ROLLBACK TO job")
        self._connection.execute("RELEASE job")

    def _write_alone(self, job: Job) -> None:
        job.error = None
        try:
            with faults_of(self._path), self._transaction():
                self._run(job)
        except Exception as error:  # as above
            job.error = error

    def _run(self, job: Job) -> None:
        for change in job.changes:
            self._rows.write(change)
        if job.act is not None:
            job.act(self._connection)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN EXCLUSIVE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise


def _connect(path: Path) -> sqlite3.Connection:
    location = f"{path.absolute().as_uri()}?mode=rw"
    connection = sqlite3.connect(location, uri=True, timeout=0, isolation_level=None)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_CELL_BYTES)
    return connection


def _check_pages(connection: sqlite3.Connection) -> None:
    [(verdict,)] = connection.execute("PRAGMA quick_check(1)").fetchall()
    if verdict != "ok":
        raise ValueError(str(verdict).splitlines()[-1])


def _unlock(connection: sqlite3.Connection, opening: Opening) -> Sealer:
    row = connection.execute(f"SELECT {', '.join(STORE_COLUMNS)} FROM store").fetchone()
    if row is not None:
        cells = Cells(STORE_COLUMNS, row)
        lock, store_id = read_lock(cells), cells.identity("store_id")
        return open_seal(lock, opening.passphrase, store_id, random=opening.random).sealer
    store_id = opening.random(STORE_ID_BYTES)
    seal = new_seal(opening.passphrase, store_id, cost=opening.cost, random=opening.random)
    holes = ", ".join("?" * len(STORE_COLUMNS))
    connection.execute(f"INSERT INTO store VALUES (1, {holes})", (store_id, *lock_row(seal.lock)))
    return seal.sealer


@contextmanager
def faults_of(path: Path) -> Iterator[None]:
    """The one place that turns what SQLite and the readers of rows say of an outbox into this project's errors."""
    try:
        yield
    except StoreError as error:
        raise error if error.path else type(error)(str(error), str(path)) from None
    except NewerSchema:
        raise StoreError("a newer blechannel made this outbox; update blechannel", str(path)) from None
    except sqlite3.Error as error:
        raise _fault(error, path) from error
    except (BondError, KeyError, ValueError, struct.error) as error:
        raise StoreError(f"the outbox is damaged ({error}); {RESTORE}", str(path)) from error


def _fault(error: sqlite3.Error, path: Path) -> StoreError:
    # What Python's own module raises has no code; the low byte of SQLite's is the kind, the rest details.
    kind = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if kind == sqlite3.SQLITE_BUSY:
        return StoreLocked("another program has the outbox open; close that one and try again", str(path))
    otherwise = f"the outbox cannot be used ({error}); try again, and if it stays so, {RESTORE}"
    return StoreError(FAULTS.get(kind, otherwise), str(path))
