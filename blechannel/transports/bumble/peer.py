"""Another device's GATT server, over a connection of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import TypeVar

from bumble import att
from bumble.core import UUID
from bumble.device import Connection
from bumble.gatt import GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR
from bumble.gatt_client import CharacteristicProxy

from blechannel.aio.attributes import Notifications
from blechannel.errors import AttributeRefused, LinkLost, LocalProtocolError, TransportError
from blechannel.gatt import AttErrorCode
from blechannel.transports.bumble.adapter import Adapter
from blechannel.transports.bumble.failures import answered, hci_reason
from blechannel.transports.bumble.gate import NOTIFICATION, head
from blechannel.transports.bumble.uuids import bumble_uuid, full_uuid

T = TypeVar("T")

ANSWER_S = 10.0


class BumbleGattPeer:
    """A GattPeer; made by `BumblePhoneTransport.connect_gatt`, and gone with its connection."""

    def __init__(self, adapter: Adapter, connection: Connection) -> None:
        self._adapter = adapter
        self._connection = connection
        self._client = connection.gatt_client
        self._services: dict[str, dict[str, CharacteristicProxy[bytes]]] = {}
        self._subscribed: dict[int, Notifications] = {}
        self._lost: LinkLost | None = None
        self._gone: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._asking = asyncio.Lock()
        connection.on(connection.EVENT_DISCONNECTION, self._disconnected)

    @property
    def peer(self) -> str:
        """The device's address."""
        return str(self._connection.peer_address)

    async def exchange_mtu(self) -> None:
        """Let values be as long as both sides can."""
        with suppress(AttributeRefused):
            await self._ask(self._client.request_mtu(self._adapter.options.att_mtu_bytes), "the MTU")

    async def read(self, service: str, characteristic: str) -> bytes:
        """See GattPeer."""
        found = await self._find(service, characteristic)
        return bytes(await self._ask(self._client.read_value(found.handle), f"reading {characteristic}"))

    async def write(self, service: str, characteristic: str, value: bytes, *, acknowledged: bool) -> None:
        """See GattPeer."""
        found = await self._find(service, characteristic)
        await self._ask(
            self._client.write_value(found.handle, value, with_response=acknowledged), f"writing {characteristic}"
        )

    async def subscribe(self, service: str, characteristic: str, notifications: Notifications) -> None:
        """See GattPeer."""
        found = await self._find(service, characteristic)
        if found.handle in self._subscribed:
            raise LocalProtocolError(f"{characteristic} is subscribed to already")
        self._subscribed[found.handle] = notifications
        opening = head(NOTIFICATION, found.handle)
        self._adapter.gate.tap(self._connection.handle, opening, lambda value: self._told(found.handle, value))
        try:
            await self._configure(found, notifies=True)
        except BaseException:
            self._subscribed.pop(found.handle, None)
            raise

    async def unsubscribe(self, service: str, characteristic: str) -> None:
        """See GattPeer."""
        found = await self._find(service, characteristic)
        if self._subscribed.pop(found.handle, None) is not None:
            await self._configure(found, notifies=False)

    async def close(self) -> None:
        """Disconnect. Safe to call again; never raises."""
        await self._adapter.hang_up(self._connection)
        self._break(LinkLost("closed on this side"))

    async def _find(self, service: str, characteristic: str) -> CharacteristicProxy[bytes]:
        if service not in self._services:
            self._services[service] = await self._ask(self._discovered(bumble_uuid(service)), f"looking for {service}")
        found = self._services[service].get(characteristic)
        if found is None:
            raise AttributeRefused(AttErrorCode.ATTRIBUTE_NOT_FOUND, f"the peer has no {characteristic} in {service}")
        return found

    async def _discovered(self, service: UUID) -> dict[str, CharacteristicProxy[bytes]]:
        found: dict[str, CharacteristicProxy[bytes]] = {}
        for proxy in await self._client.discover_service(service):
            for characteristic in await proxy.discover_characteristics():
                found.setdefault(full_uuid(characteristic.uuid), characteristic)
        return found

    async def _configure(self, found: CharacteristicProxy[bytes], *, notifies: bool) -> None:
        await self._ask(self._configured(found, notifies), f"subscribing to {full_uuid(found.uuid)}")

    async def _configured(self, found: CharacteristicProxy[bytes], notifies: bool) -> None:
        if not found.descriptors_discovered:
            await found.discover_descriptors()
        configuration = found.get_descriptor(GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR)
        if configuration is None:
            raise AttributeRefused(AttErrorCode.REQUEST_NOT_SUPPORTED, f"{full_uuid(found.uuid)} does not notify")
        await self._client.write_value(configuration.handle, bytes((notifies, 0)), with_response=True)

    async def _ask(self, work: Coroutine[object, object, T], doing: str) -> T:
        """One request at a time, as ATT has it; what the peer refuses keeps its code."""
        async with self._asking:
            if self._lost is not None:
                work.close()
                raise self._lost.with_traceback(None)
            try:
                return await answered(work, within_s=ANSWER_S, doing=doing, unless=self._gone)
            except TransportError as error:
                refusal = error.__cause__
                if isinstance(refusal, AttributeRefused):
                    raise refusal.with_traceback(None) from None
                if isinstance(refusal, att.ATT_Error):
                    raise AttributeRefused(refusal.error_code, f"{doing}: the peer refuses") from refusal
                raise

    def _told(self, handle: int, value: bytes) -> None:
        if (notifications := self._subscribed.get(handle)) is not None:
            notifications.tell(value)

    def _disconnected(self, reason: int) -> None:
        self._break(LinkLost(hci_reason(reason)))

    def _break(self, error: LinkLost) -> None:
        if self._lost is not None:
            return
        self._lost = error
        self._gone.set_result(str(error))
        self._adapter.gate.forget(self._connection.handle)
        for notifications in self._subscribed.values():
            notifications.end(error)
