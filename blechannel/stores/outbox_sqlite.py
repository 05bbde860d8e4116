"""Durable queues in one SQLite file, behind a thread of its own. What is written together shares one fsync."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from blechannel.aio.queues.store import Act
from blechannel.delivery.changes import Change
from blechannel.delivery.events import Span
from blechannel.delivery.ledger import Ledger
from blechannel.errors import LocalProtocolError, StoreError
from blechannel.stores.outbox_file import Job, Opening, QueueFile
from blechannel.stores.sealing import KdfCost

BATCH_JOBS: Final = 1024
"""In one transaction, at most: one fsync for many, and nobody waits for more than these."""


class SqliteQueues:
    """A `QueueStore` in one file: mode 0600, held by one process, each change on the disk before it is shown.

    Made by `open`, used by one event loop. Whoever copies the file, or puts an older one back, is noticed by the
    peers: see docs/outbox.md.
    """

    def __init__(self, path: Path, file: QueueFile, worker: ThreadPoolExecutor) -> None:
        self.ledger: Ledger = file.ledger
        self._path = path
        self._file = file
        self._worker = worker
        self._pending: list[tuple[Job, asyncio.Future[None]]] = []
        self._is_writing = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._closing: asyncio.Future[None] | None = None

    @classmethod
    async def open(
        cls,
        path: str | os.PathLike[str],
        *,
        passphrase: str | None = None,
        cost: KdfCost | None = None,
        random: Callable[[int], bytes] = os.urandom,
    ) -> Self:
        """Open the file, or make it and the folders above it.

        A file made with a passphrase keeps the messages under it and opens with it alone (see `SqliteStore.open`);
        names of ports, sizes and times are in the clear.

        Raises:
            StoreLocked: another store, here or in another process, has the file open.
            WrongPassphrase: the file opens with another passphrase, or without one.
            StoreError: no outbox, a damaged, newer or inaccessible one; untouched.
            LocalProtocolError: the passphrase is empty.
        """
        if passphrase == "":
            raise LocalProtocolError("an empty passphrase protects nothing; None means none")
        opening = Opening(path=Path(path), passphrase=passphrase, cost=cost or KdfCost(), random=random)
        worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="blechannel-outbox")
        opened = worker.submit(QueueFile, opening)
        try:
            file = await asyncio.shield(asyncio.wrap_future(opened))
        except BaseException:
            worker.submit(_close_if_open, opened)
            worker.shutdown(wait=False)
            raise
        return cls(opening.path, file, worker)

    def write(self, changes: Sequence[Change], act: Act | None = None) -> asyncio.Future[None]:
        """See `QueueStore.write`. What is asked for while a transaction runs goes together into the next."""
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        written.add_done_callback(_look)
        if self._closing is not None:
            written.set_exception(StoreError("the outbox is closed", str(self._path)))
            return written
        self._pending.append((Job(changes, act), written))
        if not self._is_writing:
            self._is_writing = True
            self._idle.clear()
            asyncio.get_running_loop().call_soon(self._write_next)
        return written

    def read(self, spans: Sequence[Span]) -> asyncio.Future[list[bytes | None]]:
        """See `QueueStore.read`."""
        if self._closing is not None:
            refused: asyncio.Future[list[bytes | None]] = asyncio.get_running_loop().create_future()
            refused.set_exception(StoreError("the outbox is closed", str(self._path)))
            refused.exception()
            return refused
        return asyncio.get_running_loop().run_in_executor(self._worker, self._file.read, spans)

    async def close(self) -> None:
        """Finish what is under way and let the file go. Safe to call again."""
        await self._idle.wait()
        if self._closing is None:
            self._closing = asyncio.get_running_loop().run_in_executor(self._worker, self._file.close)
            self._worker.shutdown(wait=False)
        await asyncio.shield(self._closing)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _write_next(self) -> None:
        batch, self._pending = self._pending[:BATCH_JOBS], self._pending[BATCH_JOBS:]
        jobs = [job for job, _ in batch]
        done = asyncio.get_running_loop().run_in_executor(self._worker, self._file.write, jobs)
        done.add_done_callback(lambda done: self._written(batch, done.exception()))

    def _show(self, job: Job) -> StoreError | None:
        """In the ledger; why not, where what is on the disk and what is known of it do not agree."""
        try:
            for change in job.changes:
                self.ledger.apply(change)
        except StoreError as error:
            return error
        return None

    def _written(self, batch: list[tuple[Job, asyncio.Future[None]]], failure: BaseException | None) -> None:
        for job, written in batch:
            error = job.error or failure or self._show(job)
            if written.done():
                continue
            if error is None:
                written.set_result(None)
            else:
                written.set_exception(error)
        self._is_writing = bool(self._pending)
        if self._is_writing:
            self._write_next()
        else:
            self._idle.set()


def _look(written: asyncio.Future[None]) -> None:
    """It is no fault that nobody asks how a write ended."""
    if not written.cancelled():
        written.exception()


def _close_if_open(opened: Future[QueueFile]) -> None:
    if opened.exception() is None:
        opened.result().close()
