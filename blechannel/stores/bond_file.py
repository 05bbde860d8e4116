"""The file behind a bond store: opened, read, written and sealed by one thread, which it blocks."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from blechannel.errors import BondError, StoreError, StoreLocked
from blechannel.pairing.bonds import BondBook
from blechannel.roles import Role
from blechannel.stores.content import Content, read_content, write_content
from blechannel.stores.custody import claim, recognise, release
from blechannel.stores.schema import NewerSchema, migrate
from blechannel.stores.sealing import KdfCost, Lock, Seal, new_seal, open_seal
from blechannel.values import dataclass

STORE_ID_BYTES: Final = 16
MAX_CELL_BYTES: Final = 1 << 20

SETTINGS: Final = (
    # One process holds the file, and without shared memory there is no -shm file.
    "PRAGMA locking_mode = EXCLUSIVE",
    # The ratchet relies on what was written: a commit returns when it is on the disk, on macOS too.
    "PRAGMA synchronous = FULL",
    "PRAGMA fullfsync = ON",
    # Old epochs are overwritten, not only unlinked.
    "PRAGMA secure_delete = ON",
    "PRAGMA temp_store = MEMORY",
    # The file may come from anyone.
    "PRAGMA trusted_schema = OFF",
    "PRAGMA cell_size_check = ON",
)

RESTORE: Final = "restore it from a copy, or move it away and pair again"
ACCESS: Final = "check who owns it and what its folder allows"
FAULTS: Final = {
    sqlite3.SQLITE_NOTADB: f"the bond store is damaged; {RESTORE}",
    sqlite3.SQLITE_CORRUPT: f"the bond store is damaged; {RESTORE}",
    sqlite3.SQLITE_FULL: "there is no room left for the bond store; free some and try again",
    sqlite3.SQLITE_READONLY: f"the bond store cannot be written; {ACCESS}",
    sqlite3.SQLITE_CANTOPEN: f"the bond store cannot be opened; {ACCESS}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """How a file is to be opened; `cost` is that of passphrases that are set from now on."""

    path: Path
    role: Role
    passphrase: str | None
    cost: KdfCost
    random: Callable[[int], bytes]


class BondFile:
    """An open file. Every method blocks; all are called by one thread, the one that opened it."""

    def __init__(self, opening: Opening) -> None:
        """Open the file, or make it.

        Raises:
            StoreLocked: another store holds it.
            WrongPassphrase: it was sealed otherwise.
            StoreError: it is no bond store, is damaged, newer, the other role's, or cannot be opened.
        """
        self._opening = opening
        with _faults_of(opening.path), ExitStack() as held:
            held.callback(release, claim(opening.path))
            recognise(opening.path)
            _look_first(opening.path)
            self._connection = _connect(opening.path)
            held.callback(self._connection.close)
            for setting in SETTINGS:
                self._connection.execute(setting)
            self._content = _read_or_found(self._connection, opening)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._held = held.pop_all()

    @property
    def path(self) -> Path:
        """Where it is."""
        return self._opening.path

    @property
    def book(self) -> BondBook:
        """The book as it is on the disk."""
        return self._content.book

    def put(self, book: BondBook) -> None:
        """Make `book` durable. Raises BondError or StoreError; then the old one stands."""
        if any(bond.role is not self._content.role for bond in book.bonds.values()):
            raise BondError(f"a {self._content.role.value}'s bond store takes no bonds of the other role")
        self._write(replace(self._content, book=book))

    def seal(self, passphrase: str | None) -> None:
        """Put every secret under another passphrase, or under none. Raises StoreError; then the old one stands."""
        how = self._opening
        seal = new_seal(passphrase, self._content.store_id, cost=how.cost, random=how.random)
        self._write(replace(self._content, seal=seal))

    def drop_traces(self) -> None:
        """Empty the write-ahead log, which still holds what newer rows replaced. Raises StoreError."""
        with _faults_of(self._opening.path):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Let the file go."""
        self._held.close()

    def _write(self, content: Content) -> None:
        with _faults_of(self._opening.path), _transaction(self._connection):
            write_content(self._connection, self._content, content)
        self._content = content


def _look_first(path: Path) -> None:
    """Check a file that was closed well without SQLite's log; it would stay behind beside a damaged one."""
    if not any(path.with_name(path.name + ending).exists() for ending in ("-wal", "-journal")):
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)) as connection:
            _check_pages(connection)


def _connect(path: Path) -> sqlite3.Connection:
    location = f"{path.absolute().as_uri()}?mode=rw"
    connection = sqlite3.connect(location, uri=True, timeout=0, isolation_level=None)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_CELL_BYTES)
    return connection


def _read_or_found(connection: sqlite3.Connection, opening: Opening) -> Content:
    """Nothing is written to a file that is refused: all is one transaction, and it takes the lock first."""

    def unlock(lock: Lock | None, store_id: bytes) -> Seal:
        return open_seal(lock, opening.passphrase, store_id, random=opening.random)

    with _transaction(connection):
        _check_pages(connection)
        migrate(connection)
        found = read_content(connection, opening.role, unlock)
        if found is None:
            found = _found(opening)
            write_content(connection, None, found)
        return found


def _found(opening: Opening) -> Content:
    store_id = opening.random(STORE_ID_BYTES)
    seal = new_seal(opening.passphrase, store_id, cost=opening.cost, random=opening.random)
    return Content(store_id, opening.role, seal, BondBook())


def _check_pages(connection: sqlite3.Connection) -> None:
    [(verdict,)] = connection.execute("PRAGMA integrity_check(1)").fetchall()
    if verdict != "ok":
        raise ValueError(str(verdict).splitlines()[-1])


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN EXCLUSIVE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def _faults_of(path: Path) -> Iterator[None]:
    """The one place that turns what SQLite and the readers of rows say into this project's errors."""
    try:
        yield
    except StoreError as error:
        raise error if error.path else type(error)(str(error), str(path)) from None
    except NewerSchema:
        raise StoreError("a newer blechannel made this bond store; update blechannel", str(path)) from None
    except sqlite3.Error as error:
        raise _fault(error, path) from error
    except (BondError, ValueError, struct.error) as error:
        raise StoreError(f"the bond store is damaged ({error}); {RESTORE}", str(path)) from error


def _fault(error: sqlite3.Error, path: Path) -> StoreError:
    # What Python's own module raises has no code; the low byte of SQLite's is the kind, the rest details.
    kind = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if kind == sqlite3.SQLITE_BUSY:
        return StoreLocked("another program has the bond store open; close that one and try again", str(path))
    otherwise = f"the bond store cannot be used ({error}); try again, and if it stays so, {RESTORE}"
    return StoreError(FAULTS.get(kind, otherwise), str(path))
