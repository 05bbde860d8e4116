"""Where links that a watch has accepted wait for somebody to take them."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Generic, Protocol, TypeVar

from blechannel.errors import TransportGone


class _Ending(Protocol):
    @property
    def ended(self) -> bool:
        """Whether the link is gone."""


L = TypeVar("L", bound=_Ending)


class Arrivals(Generic[L]):
    """First come, first served; links that end meanwhile leave the queue."""

    def __init__(self) -> None:
        self._waiting: deque[L] = deque()
        self._news = asyncio.Event()
        self._closed: str | None = None

    def offer(self, link: L) -> None:
        """Queue one link."""
        self._waiting = deque(other for other in (*self._waiting, link) if not other.ended)
        self._news.set()

    async def take(self) -> L:
        """The next link that still lives.

        Raises:
            TransportError: closed.
        """
        while True:
            self.check_open()
            while self._waiting:
                link = self._waiting.popleft()
                if not link.ended:
                    return link
            self._news.clear()
            await self._news.wait()

    def close(self, reason: str = "the transport was closed") -> None:
        """Everyone who takes, now or later, is told; the first reason stays."""
        self._closed = self._closed or reason
        self._waiting.clear()
        self._news.set()

    def check_open(self) -> None:
        """Raises:
        TransportError: closed.
        """
        if self._closed is not None:
            raise TransportGone(self._closed)
