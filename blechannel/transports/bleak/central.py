"""The phone: scans and connects through the operating system."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from bleak.backends.device import BLEDevice
from bleak.exc import BleakDeviceNotFoundError

from blechannel.aio.link import Sighting
from blechannel.errors import TransportError, TransportGone
from blechannel.transports.answers import answered
from blechannel.transports.bleak.backoff import Backoff
from blechannel.transports.bleak.carrier import BleakCarrier
from blechannel.transports.bleak.failures import explained, may_pass
from blechannel.transports.bleak.peer import BleakGattPeer
from blechannel.transports.bleak.sightings import SWITCH_S, Sightings
from blechannel.transports.bleak.stack import Stack
from blechannel.transports.chores import Chores
from blechannel.transports.queued_link import QueuedLink

LOOK_S = 10.0
CONNECT_IN_ALL_S = 180.0
"""Over all attempts; callers bound it further."""
CLOSED = "this transport was closed"


class BleakPhoneTransport:
    """A GATT central on the operating system's Bluetooth."""

    def __init__(self, stack: Stack = Stack(), *, backoff: Backoff = Backoff()) -> None:  # noqa: B008 - frozen
        self._stack = stack
        self._backoff = backoff
        self._chores = Chores()
        self._sightings = Sightings(stack, self._chores)
        self._links: dict[str, QueuedLink] = {}
        self._peers: set[BleakGattPeer] = set()
        self._connecting = asyncio.Lock()
        self._closed: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def scan(self) -> AsyncGenerator[Sighting, None]:
        """Sightings of the service as they come, until the iterator is closed.

        Where the adapter is switched off meanwhile the system says nothing: no more come, and the next scan says why.

        Raises:
            TransportError: there is no adapter, it refuses, or the transport was closed.
        """
        self._check()
        async with self._sightings.watched() as queue:
            while True:
                sighting = await queue.get()
                self._check()
                if sighting is not None:
                    yield sighting

    async def connect(self, address: str) -> QueuedLink:
        """Connect, find the service and subscribe, again after a pause where that may help; one at a time.

        An address that was not seen yet is looked for first. Cancelled, it leaves nothing connected.

        Raises:
            TransportError: nobody advertises there, no answer, a peer without the service, or a link to it already.
        """
        self._check()
        return await answered(
            self._connect(address),
            within_s=CONNECT_IN_ALL_S,
            doing=f"connecting to {address}",
            explain=explained,
            unless=self._closed,
        )

    async def connect_gatt(self, address: str) -> BleakGattPeer:
        """Connect to any device and use its GATT server in the plain; cancelled, it leaves nothing connected.

        Where there is a link to that address the system may use one connection for both, and closing either ends it.

        Raises:
            TransportError: nobody advertises there, no answer, or the transport was closed.
        """
        self._check()
        device = self._sightings.device(address) or await self._found(address)
        peer = BleakGattPeer(self._stack, device)
        try:
            await peer.open()
        except BaseException:
            await self._chores.insist(peer.close())
            raise
        self._peers.add(peer)
        peer.on_ended = lambda: self._peers.discard(peer)
        return peer

    async def close(self) -> None:
        """Stop everything. Safe to call again; never raises."""
        if not self._closed.done():
            self._closed.set_result(CLOSED)
        await self._sightings.close()
        await asyncio.gather(*(peer.close() for peer in self._peers))
        await asyncio.gather(*(link.close() for link in self._links.values()))
        await self._chores.finished()

    def _check(self) -> None:
        if self._closed.done():
            raise TransportGone(CLOSED)

    async def _connect(self, address: str) -> QueuedLink:
        async with self._connecting:
            await self._end_of_former_link(address)
            for pause_s in self._backoff.pauses_s():
                try:
                    return await self._attempt(address)
                except TransportError as error:
                    if not may_pass(error):
                        raise
                await self._backoff.sleep(pause_s)
            return await self._attempt(address)

    async def _end_of_former_link(self, address: str) -> None:
        """A system that still disconnects takes a new request for one to the old connection."""
        link = self._links.get(address.casefold())
        if link is not None:
            if not link.ended:
                raise TransportError(f"there is a link to {address} already")
            await link.close()

    async def _attempt(self, address: str) -> QueuedLink:
        device = self._sightings.device(address) or await self._looked_for(address)
        carrier = BleakCarrier(self._stack, device)
        try:
            link = await carrier.open()
        except BaseException as error:
            if isinstance(error.__cause__, BleakDeviceNotFoundError):
                self._sightings.forget(address)
            await self._chores.insist(carrier.link.close())
            raise
        key = address.casefold()
        self._links[key] = link
        link.on_ended = lambda: self._forget(key, link)
        return link

    async def _looked_for(self, address: str) -> BLEDevice:
        try:
            async with asyncio.timeout(LOOK_S), aclosing(self.scan()) as sightings:
                async for _sighting in sightings:
                    if (device := self._sightings.device(address)) is not None:
                        return device
        except TimeoutError:
            pass
        raise TransportError(
            f"no watch advertises at {address}: is it on, in reach, and not connected to another program?"
        )

    async def _found(self, address: str) -> BLEDevice:
        """Any device, whatever it advertises."""
        looking = self._stack.find(address, within_s=LOOK_S)
        doing = f"looking for {address}"
        within_s = LOOK_S + SWITCH_S
        device = await answered(looking, within_s=within_s, doing=doing, explain=explained, unless=self._closed)
        if device is None:
            raise TransportError(f"{doing}: nobody advertises there: is it on, and in reach?")
        return device

    def _forget(self, key: str, link: QueuedLink) -> None:
        if self._links.get(key) is link:
            del self._links[key]
