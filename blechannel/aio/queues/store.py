"""What an outbox needs of the store that holds its queues."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from typing import Protocol

from blechannel.delivery.changes import Change
from blechannel.delivery.events import Span
from blechannel.delivery.ledger import Ledger

Act = Callable[[sqlite3.Connection], object]
"""What the application does in the transaction of a change: it stands with the change, or falls with it."""


class QueueStore(Protocol):
    """Holds messages. Writes are made in the order of the calls, and shown in the ledger before they are answered."""

    @property
    def ledger(self) -> Ledger:
        """What is durable."""

    def write(self, changes: Sequence[Change], act: Act | None = None) -> asyncio.Future[None]:
        """Make the changes durable, all or none.

        Raises, from the future:
            StoreError: they could not be written (a full disk), or do not fit what is stored; nothing changed.
        """

    def read(self, spans: Sequence[Span]) -> asyncio.Future[list[bytes | None]]:
        """Bytes of stored messages; None for each span of a message that is gone."""

    async def close(self) -> None:
        """Finish what is under way and let the store go. Safe to call again."""
