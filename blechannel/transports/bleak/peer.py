"""Another device's GATT server, over a connection of the operating system's."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import TypeVar

from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.device import BLEDevice
from bleak.exc import BleakGATTProtocolError

from blechannel.aio.attributes import Notifications
from blechannel.errors import AttributeRefused, LinkLost, LocalProtocolError, TransportError
from blechannel.gatt import AttErrorCode
from blechannel.transports.answers import answered
from blechannel.transports.bleak.carrier import CONNECT_S, DISCONNECT_S
from blechannel.transports.bleak.failures import explained
from blechannel.transports.bleak.stack import Stack

_log = logging.getLogger(__name__)

T = TypeVar("T")

ANSWER_S = 10.0
GONE = "the device disconnected, or is out of reach"
CLOSED = "closed on this side"


class BleakGattPeer:
    """A GattPeer; made by `BleakPhoneTransport.connect_gatt`, and gone with its connection."""

    def __init__(self, stack: Stack, device: BLEDevice) -> None:
        self._client = stack.client(device, lambda _client: self._break(GONE), timeout_s=CONNECT_S)
        self._subscribed: dict[int, Notifications] = {}
        self._gone: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.peer = device.address
        self.on_ended: Callable[[], None] | None = None

    async def open(self) -> None:
        """Connect, and learn what the device has; whatever fails, the caller closes it.

        Raises:
            TransportError: no answer, or the platform refuses.
        """
        doing = f"connecting to {self.peer}"
        await answered(self._client.connect(), within_s=CONNECT_S, doing=doing, explain=explained)

    async def read(self, service: str, characteristic: str) -> bytes:
        """See GattPeer."""
        found = self._find(service, characteristic)
        return bytes(await self._ask(self._client.read_gatt_char(found), f"reading {characteristic}"))

    async def write(self, service: str, characteristic: str, value: bytes, *, acknowledged: bool) -> None:
        """See GattPeer."""
        found = self._find(service, characteristic)
        await self._ask(self._client.write_gatt_char(found, value, response=acknowledged), f"writing {characteristic}")

    async def subscribe(self, service: str, characteristic: str, notifications: Notifications) -> None:
        """See GattPeer."""
        found = self._find(service, characteristic)
        if "notify" not in found.properties:
            raise AttributeRefused(AttErrorCode.REQUEST_NOT_SUPPORTED, f"{characteristic} does not notify")
        if found.handle in self._subscribed:
            raise LocalProtocolError(f"{characteristic} is subscribed to already")
        self._subscribed[found.handle] = notifications

        def told(_characteristic: BleakGATTCharacteristic, value: bytearray) -> None:
            if self._subscribed.get(found.handle) is notifications:
                notifications.tell(bytes(value))

        try:
            # The quicker of the two ways that BlueZ has; other platforms have one.
            asking = self._client.start_notify(found, told, bluez={"use_start_notify": False})
            await self._ask(asking, f"subscribing to {characteristic}")
        except BaseException:
            self._subscribed.pop(found.handle, None)
            raise

    async def unsubscribe(self, service: str, characteristic: str) -> None:
        """See GattPeer."""
        found = self._find(service, characteristic)
        if self._subscribed.pop(found.handle, None) is not None:
            await self._ask(self._client.stop_notify(found), f"unsubscribing from {characteristic}")

    async def close(self) -> None:
        """Disconnect. Safe to call again; never raises."""
        doing = f"disconnecting from {self.peer}"
        try:
            await answered(self._client.disconnect(), within_s=DISCONNECT_S, doing=doing, explain=explained)
        except TransportError as error:
            _log.warning("%s", error)
        self._break(CLOSED)

    def _find(self, service: str, characteristic: str) -> BleakGATTCharacteristic:
        self._check()
        for known in self._client.services:
            if known.uuid.lower() == service:
                for found in known.characteristics:
                    if found.uuid.lower() == characteristic:
                        return found
        raise AttributeRefused(AttErrorCode.ATTRIBUTE_NOT_FOUND, f"the peer has no {characteristic} in {service}")

    def _check(self) -> None:
        if self._gone.done():
            raise LinkLost(self._gone.result())

    async def _ask(self, work: Coroutine[object, object, T], doing: str) -> T:
        """What the peer refuses keeps its code."""
        try:
            return await answered(work, within_s=ANSWER_S, doing=doing, explain=explained, unless=self._gone)
        except TransportError as error:
            self._check()
            if isinstance(refusal := error.__cause__, BleakGATTProtocolError):
                raise AttributeRefused(int(refusal.code), f"{doing}: the peer refuses") from refusal
            raise

    def _break(self, reason: str) -> None:
        if self._gone.done():
            return
        self._gone.set_result(reason)
        for notifications in self._subscribed.values():
            notifications.end(LinkLost(reason))
        if self.on_ended is not None:
            self.on_ended()
