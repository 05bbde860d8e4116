"""The bond store in one SQLite file, behind a thread of its own so that no fsync holds the event loop."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar, TypeVarTuple

from blechannel.errors import LocalProtocolError, StoreError
from blechannel.pairing.apply import apply
from blechannel.pairing.bonds import BondBook
from blechannel.pairing.changes import Change
from blechannel.roles import Role
from blechannel.stores.bond_file import BondFile, Opening
from blechannel.stores.sealing import KdfCost

Result = TypeVar("Result")
Arguments = TypeVarTuple("Arguments")


class SqliteStore:
    """A `BondStore` in one file: mode 0600, held by one process, each change on the disk before it is shown.

    Changes are made in the order of the calls. Cancelling a call does not undo its change: it is finished, and the
    book is shown. Made by `open`, used by one event loop.
    """

    def __init__(self, file: BondFile, worker: ThreadPoolExecutor, wall_clock: Callable[[], float]) -> None:
        self._file = file
        self._worker = worker
        self._wall_clock = wall_clock
        self._book = file.book
        self._closing: asyncio.Future[None] | None = None

    @classmethod
    async def open(
        cls,
        path: str | os.PathLike[str],
        *,
        role: Role,
        passphrase: str | None = None,
        cost: KdfCost | None = None,
        wall_clock: Callable[[], float] = time.time,
        random: Callable[[int], bytes] = os.urandom,
    ) -> Self:
        """Open the file, or make it and the folders above it.

        A file made with a passphrase keeps its secrets under it (Argon2id at `cost`, RFC 9106's second
        recommendation where None) and opens with it alone. `wall_clock` gives seconds since 1970, 0 where there
        is no clock. A file of ours that others may read is closed to them if we own it, and refused if not.

        Raises:
            StoreLocked: another store, here or in another process, has the file open.
            WrongPassphrase: the file opens with another passphrase, or without one.
            StoreError: no bond store, a damaged, newer or inaccessible one, or the other role's; untouched.
            LocalProtocolError: the passphrase is empty.
        """
        _refuse_empty(passphrase)
        opening = Opening(path=Path(path), role=role, passphrase=passphrase, cost=cost or KdfCost(), random=random)
        worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="blechannel-store")
        opened = worker.submit(BondFile, opening)
        try:
            file = await _finish(asyncio.wrap_future(opened))
        except BaseException:
            closed = worker.submit(_close_if_open, opened)
            worker.shutdown(wait=False)
            await _finish(asyncio.wrap_future(closed))
            raise
        return cls(file, worker, wall_clock)

    @property
    def book(self) -> BondBook:
        """The book as it is on the disk; the last one where the store is closed."""
        return self._book

    async def apply(self, change: Change) -> BondBook:
        """Make `change` durable; see `BondStore.apply`."""
        written = self._submit(self._apply, change, self._wall_clock())
        written.add_done_callback(self._publish)
        return await _finish(written)

    async def change_passphrase(self, passphrase: str | None) -> None:
        """Put every secret under another passphrase, or under none, in one transaction.

        Raises:
            StoreError: it could not be written; the old passphrase stands.
            LocalProtocolError: the passphrase is empty.
        """
        _refuse_empty(passphrase)
        await _finish(self._submit(self._seal, passphrase))

    async def close(self) -> None:
        """Finish what is under way and let the file go. Safe to call again."""
        if self._closing is None:
            self._closing = self._submit(self._file.close)
            self._worker.shutdown(wait=False)
        await _finish(self._closing)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _submit(self, job: Callable[[*Arguments], Result], *arguments: *Arguments) -> asyncio.Future[Result]:
        if self._closing is not None:
            raise StoreError("the bond store is closed", str(self._file.path))
        return asyncio.get_running_loop().run_in_executor(self._worker, job, *arguments)

    def _apply(self, change: Change, at_s: float) -> BondBook:
        book = apply(self._file.book, change, at_s=at_s)
        self._file.put(book)
        return book

    def _seal(self, passphrase: str | None) -> None:
        self._file.seal(passphrase)
        self._file.drop_traces()

    def _publish(self, written: asyncio.Future[BondBook]) -> None:
        if written.exception() is None:
            self._book = written.result()
            if self._closing is None:
                # Not before the caller goes on: the change is durable, and what it replaced has time to go.
                self._worker.submit(self._file.drop_traces)


async def _finish(work: asyncio.Future[Result]) -> Result:
    """How `work` ended. Where the caller is cancelled it goes on, and it is no fault that nobody asks for its end."""
    work.add_done_callback(asyncio.Future.exception)
    await asyncio.wait([work])
    return work.result()


def _close_if_open(opened: Future[BondFile]) -> None:
    if opened.exception() is None:
        opened.result().close()


def _refuse_empty(passphrase: str | None) -> None:
    if passphrase == "":
        raise LocalProtocolError("an empty passphrase protects nothing; None means none")
