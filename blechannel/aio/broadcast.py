"""News for any number of readers, each with all of it from when it began to read."""

from __future__ import annotations

import asyncio
from typing import Generic, TypeVar

T = TypeVar("T")


class Broadcast(Generic[T]):
    """Bounded: a reader that is behind misses the oldest. What nobody reads is kept for who reads next."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._unread: asyncio.Queue[T] = asyncio.Queue(most)
        self._readers: list[asyncio.Queue[T]] = []

    def say(self, news: T) -> None:
        """Tell every reader."""
        for reader in self._readers or [self._unread]:
            if reader.full():
                reader.get_nowait()
            reader.put_nowait(news)

    def join(self) -> asyncio.Queue[T]:
        """A new reader's queue; the first of several gets what was kept."""
        if self._readers:
            reader: asyncio.Queue[T] = asyncio.Queue(self._most)
        else:
            reader, self._unread = self._unread, asyncio.Queue(self._most)
        self._readers.append(reader)
        return reader

    def leave(self, reader: asyncio.Queue[T]) -> None:
        """It reads no more; what the last reader has not read is kept."""
        self._readers.remove(reader)
        if not self._readers:
            self._unread = reader

    @property
    def waiting(self) -> int:
        """What the reader that is furthest behind, or nobody, has not read."""
        return max(reader.qsize() for reader in (self._unread, *self._readers))
