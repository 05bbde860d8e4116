"""Faults that are put into a process, to see that the harness finds them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from blechannel.aio.queues.queue import OutboxQueue
from blechannel.aio.queues.store import Act
from blechannel.delivery import changes as to
from blechannel.delivery.ledger import Entry
from blechannel.stores import outbox_rows
from blechannel.stores.outbox_file import Job
from blechannel.stores.outbox_rows import Rows
from blechannel.stores.outbox_sqlite import SqliteQueues

STORED_AFTER_S = 0.05


def acknowledge_before_storing() -> None:
    """What arrives is said to be stored at once, and stored a little later."""
    write = SqliteQueues.write

    def eager(self: SqliteQueues, changes: Sequence[to.Change], act: Act | None = None) -> asyncio.Future[None]:
        if not any(isinstance(change, to.Keep) for change in changes):
            return write(self, changes, act)
        loop = asyncio.get_running_loop()
        for change in changes:
            self.ledger.apply(change)
        loop.call_later(STORED_AFTER_S, lambda: loop.run_in_executor(self._worker, _store, self, changes))
        said: asyncio.Future[None] = loop.create_future()
        said.set_result(None)
        return said

    SqliteQueues.write = eager  # type: ignore[method-assign]


def _store(queues: SqliteQueues, changes: Sequence[to.Change]) -> None:
    queues._file.write([Job(changes)])


def forget_what_was_stored() -> None:
    """A message that comes again after a crash is stored again."""

    def arrived(self: Rows, change: to.Keep) -> None:
        """Its number is not written down."""

    Rows._arrived = arrived  # type: ignore[method-assign]
    setattr(outbox_rows, "_require", bool)  # noqa: B010 - of another signature


def newest_first() -> None:
    """Messages are shown in another order than they came."""

    def first_after(self: OutboxQueue, row: int) -> Entry | None:
        lane = self.lane
        assert row >= 0
        return next(reversed(lane.untaken.entries.values()), None) if lane else None

    OutboxQueue._first_after = first_after  # type: ignore[method-assign]


BUGS: dict[str, Callable[[], None]] = {
    "acknowledges before storing": acknowledge_before_storing,
    "forgets what was stored": forget_what_was_stored,
    "shows the newest first": newest_first,
}


def put_in(name: str) -> None:
    """Into this process, for good."""
    BUGS[name]()
