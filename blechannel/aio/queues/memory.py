"""Queues that forget everything when the program ends."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from blechannel.aio.queues.store import Act
from blechannel.delivery.changes import Change
from blechannel.delivery.events import Span
from blechannel.delivery.ledger import Ledger
from blechannel.errors import StoreError


class MemoryQueues:
    """A `QueueStore` in memory: messages outlive their links, and not the program."""

    def __init__(self) -> None:
        self.ledger = Ledger(keeps_bodies=True)
        self._is_closed = False

    def write(self, changes: Sequence[Change], act: Act | None = None) -> asyncio.Future[None]:
        """See `QueueStore.write`; there is no transaction to act in."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.add_done_callback(asyncio.Future.exception)
        try:
            if self._is_closed or act is not None:
                raise StoreError("the queues are closed" if self._is_closed else "queues in memory know no transaction")
            for change in changes:
                self.ledger.apply(change)
        except StoreError as error:
            done.set_exception(error)
        else:
            done.set_result(None)
        return done

    def read(self, spans: Sequence[Span]) -> asyncio.Future[list[bytes | None]]:
        """See `QueueStore.read`."""
        done: asyncio.Future[list[bytes | None]] = asyncio.get_running_loop().create_future()
        done.set_result([self._read(span) for span in spans])
        return done

    async def close(self) -> None:
        """Take no more changes."""
        self._is_closed = True

    def _read(self, span: Span) -> bytes | None:
        lane = self.ledger.lanes.get(span.lane)
        if lane is None:
            return None
        entry = lane.waiting.entries.get(span.row) or lane.untaken.entries.get(span.row)
        return bytes(entry.body[span.offset : span.offset + span.length]) if entry and entry.body is not None else None
