"""A receiver that remembers what its link told it, and fails the test that breaks the link's contract."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from blechannel.aio.link import Link, LinkReceiver
from blechannel.errors import TransportError


class Receiver(LinkReceiver):
    """Started on `link` at once."""

    def __init__(self, link: Link, *, answer: Callable[[bytes], None] | None = None) -> None:
        self.link = link
        self.fragments: list[bytes] = []
        self.resumed = 0
        self.error: TransportError | None = None
        self.lost = asyncio.Event()
        self._answer = answer
        self._news = asyncio.Event()
        link.start(self)

    def fragment_received(self, fragment: bytes) -> None:
        assert self.error is None, "a fragment after the end"
        self.fragments.append(fragment)
        self._news.set()
        if self._answer:
            self._answer(fragment)

    def resume_sending(self) -> None:
        assert self.error is None, "resumed after the end"
        assert self.link.room > 0, "resumed without room"
        self.resumed += 1
        self._news.set()

    def link_lost(self, error: TransportError) -> None:
        assert self.error is None, "lost twice"
        self.error = error
        self.lost.set()
        self._news.set()

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait for news until `condition` holds."""
        while not condition():
            self._news.clear()
            await self._news.wait()

    async def receive(self, count: int) -> list[bytes]:
        """The first `count` fragments."""
        await self.until(lambda: len(self.fragments) >= count)
        return self.fragments[:count]

    async def send_all(self, fragments: list[bytes]) -> None:
        """Send as fast as the link has room."""
        for fragment in fragments:
            await self.until(lambda: self.link.room)
            self.link.send(fragment)


def numbered(count: int, length_bytes: int = 244) -> list[bytes]:
    """Fragments that tell their place."""
    return [number.to_bytes(4, "big").ljust(length_bytes, b".") for number in range(count)]
