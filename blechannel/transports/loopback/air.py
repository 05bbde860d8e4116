"""A shared air: watches advertise on it, phones scan it and connect."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress

from blechannel.aio.link import Sighting
from blechannel.errors import TransportError, TransportGone
from blechannel.limits import MAX_LINKS
from blechannel.transports.adverts import check_service_data
from blechannel.transports.arrivals import Arrivals
from blechannel.transports.loopback.link import LoopbackLink, loopback_pair

RSSI_DBM = -40


class LoopbackAir:
    """Any number of watches and phones that can hear each other; all on one event loop."""

    def __init__(
        self,
        *,
        advertising_interval_s: float = 0.1,
        join: Callable[[], tuple[LoopbackLink, LoopbackLink]] = loopback_pair,
    ) -> None:
        """`join` makes the two ends of each new link, phone's first: the place for faults and taps."""
        self.advertising_interval_s = advertising_interval_s
        self.join = join
        self._watches: dict[str, LoopbackWatch] = {}
        self._scanners: dict[_Scanner, None] = {}  # in order, so that a run can be replayed; so are the links below

    def phone(self) -> LoopbackPhone:
        """A central on this air."""
        return LoopbackPhone(self)

    def watch(self, *, address: str = "watch-1", max_links: int = MAX_LINKS) -> LoopbackWatch:
        """A peripheral on this air; it is seen and reached once it advertises."""
        return LoopbackWatch(self, address, max_links)

    def _heard(self, watch: LoopbackWatch) -> None:
        self._watches[watch.address] = watch
        for scanner in self._scanners:
            scanner.hear(watch.address)


class _Scanner:
    """What one scan has yet to report."""

    def __init__(self) -> None:
        self._fresh: dict[str, None] = {}
        self._news = asyncio.Event()

    def hear(self, address: str) -> None:
        self._fresh[address] = None
        self._news.set()

    async def due(self, wait_s: float) -> list[str]:
        """Addresses that changed meanwhile; none after `wait_s` without a change."""
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._news.wait()
        self._news.clear()
        fresh, self._fresh = list(self._fresh), {}
        return fresh


class LoopbackPhone:
    """The central's transport."""

    def __init__(self, air: LoopbackAir) -> None:
        self._air = air
        self._links: list[LoopbackLink] = []
        self._closed = False

    async def scan(self) -> AsyncGenerator[Sighting, None]:
        """Everything that advertises now, then every change at once and everything again each interval."""
        self._check_open()
        air, scanner = self._air, _Scanner()
        air._scanners[scanner] = None
        try:
            due = list(air._watches)
            while True:
                for address in due:
                    if watch := air._watches.get(address):
                        yield Sighting(address, watch.service_data, RSSI_DBM)
                self._check_open()
                due = await scanner.due(air.advertising_interval_s) or list(air._watches)
        finally:
            del air._scanners[scanner]

    async def connect(self, address: str) -> LoopbackLink:
        """A link to the watch that advertises under `address`.

        Raises:
            TransportError: nothing advertises there, or the watch serves as many links as it can.
        """
        self._check_open()
        watch = self._air._watches.get(address)
        if watch is None:
            raise TransportError(f"nothing advertises as {address!r}: is the watch running?")
        link = watch._admit()
        self._links = [link, *(other for other in self._links if not other.ended)]
        if link.set_up is not None:
            await self._set_up(link, link.set_up)
        return link

    async def _set_up(self, link: LoopbackLink, set_up: Callable[[], Awaitable[None]]) -> None:
        try:
            await set_up()
        except asyncio.CancelledError:
            link.drop("the phone gave up connecting")
            raise
        if link.ended:
            raise TransportError("the link was lost while it was set up")

    async def close(self) -> None:
        """Drop every link and end every scan of this phone. Safe to call again."""
        self._closed = True
        for link in self._links:
            link.drop("the peer disconnected", here="the transport was closed")
        self._links.clear()

    def _check_open(self) -> None:
        if self._closed:
            raise TransportGone("the transport was closed")


class LoopbackWatch:
    """The peripheral's transport."""

    def __init__(self, air: LoopbackAir, address: str, max_links: int) -> None:
        self._air = air
        self.address = address
        self.service_data = b""
        self._max_links = max_links
        self._links: list[LoopbackLink] = []
        self._arrivals: Arrivals[LoopbackLink] = Arrivals()

    async def advertise(self, service_data: bytes) -> None:
        """Seen by every scan at once, and again each interval.

        Raises:
            TransportError: the transport was closed, or another watch has this address.
        """
        self._arrivals.check_open()
        if self._air._watches.get(self.address, self) is not self:
            raise TransportError(f"another watch advertises as {self.address!r}")
        self.service_data = check_service_data(service_data)
        self._air._heard(self)

    async def accept(self) -> LoopbackLink:
        """The next phone that connects.

        Raises:
            TransportError: the transport was closed.
        """
        return await self._arrivals.take()

    async def close(self) -> None:
        """Stop advertising and drop every link. Safe to call again."""
        if self._air._watches.get(self.address) is self:
            del self._air._watches[self.address]
        self._arrivals.close()
        for link in self._links:
            link.drop("the peer disconnected", here="the transport was closed")
        self._links.clear()

    def _admit(self) -> LoopbackLink:
        self._links = [link for link in self._links if not link.ended]
        if len(self._links) >= self._max_links:
            raise TransportError(f"{self.address!r} serves {self._max_links} links already")
        phone, watch = self._air.join()
        self._links.append(watch)
        self._arrivals.offer(watch)
        return phone
