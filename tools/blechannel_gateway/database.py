"""One SQLite file, one thread, and one transaction for all that was asked for while the last one was written."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from blechannel_gateway.errors import CloudStoreError

OWNER_ONLY: Final = 0o600
APPLICATION_ID: Final = 0x424C4757
MOST_AT_ONCE: Final = 512

T = TypeVar("T")
Act = Callable[[sqlite3.Connection], T]


class Database:
    """Open with `Database.open`; a file has one user at a time, and only its owner may read it."""

    def __init__(self, path: Path, connection: sqlite3.Connection, worker: ThreadPoolExecutor) -> None:
        self.path = path
        self._connection = connection
        self._worker = worker
        self._asked: list[tuple[Act[Any], asyncio.Future[Any]]] = []
        self._writing: asyncio.Task[None] | None = None
        self._is_closed = False

    @classmethod
    async def open(cls, path: Path | str, schema: str) -> Self:
        """Open the file, or make it; `schema` is run each time and says IF NOT EXISTS.

        Raises:
            CloudStoreError: it is in use, is no file of ours, or cannot be written.
        """
        worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="blechannel-gateway")
        opening = asyncio.get_running_loop().run_in_executor(worker, _connect, Path(path), schema)
        try:
            return cls(Path(path), await asyncio.shield(opening), worker)
        except BaseException:
            opening.add_done_callback(_close_if_opened)
            worker.shutdown(wait=False)
            raise

    async def transact(self, act: Act[T], then: Callable[[T], object] | None = None) -> T:
        """What `act` returns, once what it did is on the disk; what it raises, and then nothing of it was done.

        Who is cancelled meanwhile has asked for it all the same. `then` is called with what it returns in any case: who
        holds in memory what the file holds learns of each change there.

        Raises:
            CloudStoreError: it could not be written, as with a full disk.
        """
        if self._is_closed:
            raise CloudStoreError("the file is closed", str(self.path))
        asked: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        if then is not None:
            asked.add_done_callback(lambda _: then(asked.result()) if asked.exception() is None else None)
        self._asked.append((act, asked))
        if self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._write(), name="blechannel gateway store")
        return await asyncio.shield(asked)

    async def close(self) -> None:
        """Finish what is under way. Safe to call again."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._writing is not None:
            await self._writing
        await asyncio.get_running_loop().run_in_executor(self._worker, self._connection.close)
        self._worker.shutdown(wait=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        while self._asked:
            batch, self._asked = self._asked[:MOST_AT_ONCE], self._asked[MOST_AT_ONCE:]
            acts = [act for act, _ in batch]
            try:
                outcomes = await loop.run_in_executor(self._worker, self._commit, acts)
            except CloudStoreError as error:
                outcomes = [error] * len(batch)
            for (_, asked), outcome in zip(batch, outcomes, strict=True):
                if isinstance(outcome, BaseException):
                    asked.set_exception(outcome)
                else:
                    asked.set_result(outcome)
        self._writing = None

    def _commit(self, acts: list[Act[Any]]) -> list[Any]:
        try:
            with _transaction(self._connection):
                return [_attempt(self._connection, act) for act in acts]
        except sqlite3.Error as error:
            raise CloudStoreError(f"the messages cannot be stored ({error})", str(self.path)) from error


def _attempt(connection: sqlite3.Connection, act: Act[Any]) -> object:
    """What `act` returned, or what it raised; one that raises leaves the others of its transaction alone."""
    connection.execute("SAVEPOINT one")
    try:
        outcome: object = act(connection)
    except sqlite3.OperationalError:
        raise  # the disk's fault, not the act's: nothing of the batch may count
    except Exception as error:  # handed to who asked, as it is
        connection.execute("ROLLBACK TO one")
        outcome = error
    connection.execute("RELEASE one")
    return outcome


class _transaction:
    """BEGIN and COMMIT, or ROLLBACK with any error."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            try:
                self._connection.execute("COMMIT")
            except sqlite3.Error:
                self._roll_back()
                raise
        else:
            self._roll_back()

    def _roll_back(self) -> None:
        with suppress(sqlite3.Error):  # SQLite has rolled back by itself
            self._connection.execute("ROLLBACK")


def _connect(path: Path, schema: str) -> sqlite3.Connection:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, OWNER_ONLY)
        if os.name == "posix":
            os.fchmod(descriptor, OWNER_ONLY)
        os.close(descriptor)
    except OSError as error:
        raise CloudStoreError(f"the file cannot be opened ({error.strerror})", str(path)) from error
    connection = sqlite3.connect(path, isolation_level=None, timeout=0, check_same_thread=False)
    try:
        _prepare(connection, schema, path)
    except sqlite3.Error as error:
        connection.close()
        busy = (
            "another program uses it" if "locked" in str(error) else f"it is damaged, or no file of messages: {error}"
        )
        raise CloudStoreError(f"the file cannot be used ({busy})", str(path)) from error
    except CloudStoreError:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, schema: str, path: Path) -> None:
    connection.execute("PRAGMA locking_mode=EXCLUSIVE")
    (owner,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables and owner != APPLICATION_ID:
        raise CloudStoreError("this is the database of another program; choose another path", str(path))
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.executescript(f"BEGIN IMMEDIATE; PRAGMA application_id={APPLICATION_ID}; {schema} COMMIT;")


def _close_if_opened(opening: asyncio.Future[sqlite3.Connection]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()
