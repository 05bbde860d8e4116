"""What a scan hears, joined by address and passed to everybody who looks."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from bumble.device import Advertisement

from blechannel.aio.link import Sighting
from blechannel.errors import TransportError
from blechannel.transports.bumble.adapter import COMMAND_S, Adapter
from blechannel.transports.bumble.advertisement import service_data_in
from blechannel.transports.bumble.failures import answered

MAX_WAITING = 64
"""Sightings that a slow reader finds; the oldest give way."""
MAX_ADDRESSES = 256
"""Advertisers that are remembered; anybody can make up addresses."""
_NO_RSSI = 127

Waiting = asyncio.Queue[Sighting | None]
"""None only wakes the reader, so that it looks whether the adapter is still there."""


class Sightings:
    """Scans while anybody watches."""

    def __init__(self, adapter: Adapter) -> None:
        self._adapter = adapter
        self._device = adapter.device
        self._changing = asyncio.Lock()
        self._watchers: set[Waiting] = set()
        self._heard: OrderedDict[str, bytes] = OrderedDict()
        self._closed = False
        self._device.on(self._device.EVENT_ADVERTISEMENT, self._advertised)
        adapter.on_gone = self.wake

    @asynccontextmanager
    async def watched(self) -> AsyncGenerator[Waiting, None]:
        """A queue of sightings.

        Raises:
            TransportError: the adapter is gone, or refuses.
        """
        queue: Waiting = asyncio.Queue(MAX_WAITING)
        self._watchers.add(queue)
        try:
            await self._set_scanning()
            yield queue
        finally:
            self._watchers.discard(queue)
            with suppress(TransportError):
                await self._set_scanning()

    async def close(self) -> None:
        """Stop scanning; never raises."""
        self._closed = True
        with suppress(TransportError):
            await self._set_scanning()

    def wake(self) -> None:
        """Let every watcher look whether the adapter is still there."""
        for queue in self._watchers:
            _put(queue, None)

    async def _set_scanning(self) -> None:
        """To its end, whoever is cancelled: bumble would not know what a command did that it no longer waits for."""
        await self._adapter.insist(self._change_scanning())

    async def _change_scanning(self) -> None:
        async with self._changing:
            self._adapter.check()
            wanted = bool(self._watchers) and not self._closed
            if wanted == self._device.is_scanning:
                return
            self._heard.clear()
            change = self._device.start_scanning() if wanted else self._device.stop_scanning()
            await answered(change, within_s=COMMAND_S, doing="scanning")

    def _advertised(self, advertisement: Advertisement) -> None:
        address = str(advertisement.address)
        service_data = service_data_in(advertisement.data)
        if service_data is None or not self._watchers:
            return
        service_data = service_data or self._heard.get(address, b"")
        self._remember(address, service_data)
        rssi_dbm = advertisement.rssi if advertisement.rssi != _NO_RSSI else None
        for queue in self._watchers:
            _put(queue, Sighting(address, service_data, rssi_dbm))

    def _remember(self, address: str, service_data: bytes) -> None:
        self._heard[address] = service_data
        self._heard.move_to_end(address)
        if len(self._heard) > MAX_ADDRESSES:
            self._heard.popitem(last=False)


def _put(queue: Waiting, sighting: Sighting | None) -> None:
    if queue.full():
        queue.get_nowait()
    queue.put_nowait(sighting)
