"""Queues in memory, beside those in a file; an outbox makes them itself for ports of best effort."""

from __future__ import annotations

from blechannel.aio.queues.memory import MemoryQueues

__all__ = ["MemoryQueues"]
