"""A watch on BlueZ, and phones that reach it through the stand-in for bluetoothd."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from itertools import count

from dbus_fast import MessageType

from blechannel.aio.link import LinkPosture, Sighting
from blechannel.errors import TransportError
from blechannel.gatt import INBOX_UUID, OUTBOX_UUID, SERVICE_UUID
from blechannel.transports.bluez import BluezWatchTransport
from blechannel.transports.queued_link import QueuedLink
from tests.transports.bluez.daemon import Daemon, DaemonPhone
from tests.transports.receivers import Receiver

SERVICE_DATA = bytes(range(13))


@dataclass
class Desk:
    """The watch, and what is behind its bus."""

    daemon: Daemon
    watch: BluezWatchTransport
    address: str

    async def joined(self, number: int = 1, *, mtu: int = 517) -> tuple[DaemonPhone, Receiver]:
        """A phone that has subscribed, and what the watch hears of it."""
        phone = self.daemon.phone(number, mtu=mtu)
        reply = await phone.subscribe(OUTBOX_UUID)
        assert reply.message_type is MessageType.METHOD_RETURN, reply.error_name
        async with asyncio.timeout(5):
            return phone, Receiver(await self.watch.accept())


class DeskPhone:
    """A phone's transport whose air is the stand-in: each connection is a device of its own."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self._numbers = count(1)
        self._links: list[QueuedLink] = []

    async def scan(self) -> AsyncGenerator[Sighting, None]:
        while True:
            if (properties := self._daemon.advertisement) is not None:
                data = properties["ScanResponseServiceData"].value[SERVICE_UUID].value
                yield Sighting("the watch", bytes(data))
            await asyncio.sleep(0.01)

    async def connect(self, _address: str) -> QueuedLink:
        carrier = DeskCarrier(self._daemon.phone(next(self._numbers)))
        reply = await carrier.phone.subscribe(OUTBOX_UUID)
        if reply.message_type is MessageType.ERROR:
            raise TransportError(str(reply.error_name))
        carrier.listening = asyncio.ensure_future(carrier.listen())
        self._links.append(carrier.link)
        return carrier.link

    async def close(self) -> None:
        for link in self._links:
            await link.close()


class DeskCarrier:
    """A phone's connection, seen from the phone."""

    max_fragment_bytes = 512
    posture = LinkPosture("desk")
    peer = "the watch"

    def __init__(self, phone: DaemonPhone) -> None:
        self.phone = phone
        self.link = QueuedLink(self)
        self.listening: asyncio.Task[None] | None = None

    async def listen(self) -> None:
        try:
            while self.phone.notified is not None and (value := await self.phone.notification(within_s=60)):
                self.link.deliver(value)
        except OSError:
            pass
        self.link.lost("the watch disconnected")

    async def write(self, fragment: bytes) -> None:
        self.phone.command(INBOX_UUID, fragment)

    async def hang_up(self) -> None:
        if self.listening is not None:
            self.listening.cancel()
        self.phone.disconnect()
