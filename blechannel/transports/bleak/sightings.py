"""What a scan hears, passed to everybody who looks; and the devices behind it, which connecting needs."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import TypeVar

from bleak import BleakScanner
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

from blechannel.aio.link import Sighting
from blechannel.errors import TransportError
from blechannel.gatt import SERVICE_UUID
from blechannel.transports.adverts import MAX_SERVICE_DATA_BYTES
from blechannel.transports.answers import answered
from blechannel.transports.bleak.failures import explained
from blechannel.transports.bleak.stack import Stack
from blechannel.transports.chores import Chores

MAX_WAITING = 64
"""Sightings that a slow reader finds; the oldest give way."""
MAX_ADDRESSES = 256
"""Advertisers that are remembered; anybody can make up addresses."""
SWITCH_S = 10.0
_NO_RSSI_DBM = -127

V = TypeVar("V")
Waiting = asyncio.Queue[Sighting | None]
"""None only wakes the reader, so that it looks whether the transport still lives."""


class Sightings:
    """Scans while anybody watches."""

    def __init__(self, stack: Stack, chores: Chores) -> None:
        self._stack = stack
        self._chores = chores
        self._changing = asyncio.Lock()
        self._watchers: set[Waiting] = set()
        self._scanner: BleakScanner | None = None
        self._heard: OrderedDict[str, bytes] = OrderedDict()
        self._devices: OrderedDict[str, BLEDevice] = OrderedDict()
        self._closed = False

    @asynccontextmanager
    async def watched(self) -> AsyncGenerator[Waiting, None]:
        """A queue of sightings.

        Raises:
            TransportError: there is no adapter, or it refuses.
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

    def device(self, address: str) -> BLEDevice | None:
        """What bleak connects to, if this address was seen."""
        return self._devices.get(address.casefold())

    def forget(self, address: str) -> None:
        """The platform does not know that device any more."""
        self._devices.pop(address.casefold(), None)

    async def close(self) -> None:
        """Stop scanning and wake every watcher; never raises."""
        self._closed = True
        with suppress(TransportError):
            await self._set_scanning()
        for queue in self._watchers:
            _put(queue, None)

    async def _set_scanning(self) -> None:
        """To its end, whoever is cancelled: a scanner that was started is stopped."""
        await self._chores.insist(self._change_scanning())

    async def _change_scanning(self) -> None:
        async with self._changing:
            wanted = bool(self._watchers) and not self._closed
            if wanted and self._scanner is None:
                self._heard.clear()
                scanner = self._stack.scanner(self._advertised)
                await answered(scanner.start(), within_s=SWITCH_S, doing="scanning", explain=explained)
                self._scanner = scanner
            elif not wanted and self._scanner is not None:
                scanner, self._scanner = self._scanner, None
                await answered(scanner.stop(), within_s=SWITCH_S, doing="ending the scan", explain=explained)

    def _advertised(self, device: BLEDevice, advertisement: AdvertisementData) -> None:
        if not self._watchers:
            return
        address = device.address
        service_data = advertisement.service_data.get(SERVICE_UUID, b"")
        if not service_data or len(service_data) > MAX_SERVICE_DATA_BYTES:
            service_data = self._heard.get(address, b"")
        _remember(self._heard, address, service_data)
        _remember(self._devices, address.casefold(), device)
        rssi_dbm = advertisement.rssi if advertisement.rssi > _NO_RSSI_DBM else None
        for queue in self._watchers:
            _put(queue, Sighting(address, bytes(service_data), rssi_dbm))


def _remember(known: OrderedDict[str, V], address: str, value: V) -> None:
    known[address] = value
    known.move_to_end(address)
    if len(known) > MAX_ADDRESSES:
        known.popitem(last=False)


def _put(queue: Waiting, sighting: Sighting | None) -> None:
    if queue.full():
        queue.get_nowait()
    queue.put_nowait(sighting)
