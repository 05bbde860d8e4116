"""One GATT connection through bleak: from the first request to the last disconnection."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from bleak import BleakClient
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.device import BLEDevice

from blechannel.aio.link import LinkPosture
from blechannel.errors import TransportError
from blechannel.gatt import INBOX_UUID, MAX_WRITE_BYTES, OUTBOX_UUID, SERVICE_UUID
from blechannel.limits import MIN_FRAGMENT_BYTES
from blechannel.transports.answers import answered
from blechannel.transports.bleak.failures import explained
from blechannel.transports.bleak.stack import Stack
from blechannel.transports.queued_link import QueuedLink

_log = logging.getLogger(__name__)

CONNECT_S = 20.0
SUBSCRIBE_S = 15.0
WRITE_S = 10.0
DISCONNECT_S = 12.0
"""BlueZ takes 2 to 3 s, and bleak gives up after 10."""
GONE = "the watch disconnected, or is out of reach"


class BleakCarrier:
    """A client of one device, and the `link` that it carries once it is open."""

    def __init__(self, stack: Stack, device: BLEDevice) -> None:
        self._client = stack.client(device, self._disconnected, timeout_s=CONNECT_S)
        self._gone: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._inbox: BleakGATTCharacteristic | None = None
        self._max_fragment_bytes = MIN_FRAGMENT_BYTES
        self.link = QueuedLink(self)
        self.posture = LinkPosture("bleak")
        self.peer = device.address

    @property
    def max_fragment_bytes(self) -> int:
        """What one write without response carries; some systems say 20 at first and the truth a little later."""
        if self._inbox is not None and not self._gone.done():
            said = min(self._inbox.max_write_without_response_size, MAX_WRITE_BYTES)
            self._max_fragment_bytes = max(self._max_fragment_bytes, said)
        return self._max_fragment_bytes

    async def open(self) -> QueuedLink:
        """Connect, find the service and subscribe; whatever fails, the caller closes `link`.

        Raises:
            TransportError: no answer, no such service, or the platform refuses.
        """
        doing = f"connecting to {self.peer}"
        await answered(self._client.connect(), within_s=CONNECT_S, doing=doing, explain=explained)
        doing = f"setting up {self.peer}"
        await answered(self._subscribe(), within_s=SUBSCRIBE_S, doing=doing, explain=explained, unless=self._gone)
        return self.link

    async def write(self, fragment: bytes) -> None:
        """Without response: bleak returns when the system has queued it."""
        assert self._inbox is not None  # a link is given out by `open` alone
        await answered(
            self._client.write_gatt_char(self._inbox, fragment, response=False),
            within_s=WRITE_S,
            doing="writing to the watch",
            explain=explained,
        )

    async def hang_up(self) -> None:
        """Disconnect; also after a loss, because bleak holds a connection to the system's bus until told."""
        doing = f"disconnecting from {self.peer}"
        try:
            await answered(self._client.disconnect(), within_s=DISCONNECT_S, doing=doing, explain=explained)
        except TransportError as error:
            _log.warning("%s", error)

    async def _subscribe(self) -> None:
        inbox, outbox = self._found()
        self._inbox = inbox
        # The quicker of the two ways that BlueZ has; other platforms have one.
        await self._client.start_notify(outbox, self._notified, bluez={"use_start_notify": False})

    def _found(self) -> tuple[BleakGATTCharacteristic, BleakGATTCharacteristic]:
        for service in self._client.services:
            if service.uuid.lower() == SERVICE_UUID:
                inbox, outbox = (service.get_characteristic(uuid) for uuid in (INBOX_UUID, OUTBOX_UUID))
                if inbox is not None and outbox is not None and "notify" in outbox.properties:
                    return inbox, outbox
        raise TransportError(f"{self.peer} does not have the service: is it a watch of this kind?")

    def _notified(self, _outbox: BleakGATTCharacteristic, value: bytearray) -> None:
        self.link.deliver(bytes(value))

    def _disconnected(self, _client: BleakClient) -> None:
        with suppress(asyncio.InvalidStateError):
            self._gone.set_result(GONE)
        self.link.lost(GONE)
