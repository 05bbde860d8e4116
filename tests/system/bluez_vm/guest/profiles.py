"""The machine's phone as a client of profiles: in the plain beside its channel, and through the channel."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from blechannel.codec import encode
from gatt_profiles.client import Client, Values
from gatt_profiles.tunnel_peer import open_client
from tests.system.bluez_vm.guest.calls import Call
from tests.system.bluez_vm.guest.phone import GuestPhone
from tests.system.bluez_vm.profiles import SERVICES

HEARD_S = 20.0


class GuestProfiles:
    """One connection in the plain. Services go by their port, characteristics by their UUID; values are hexadecimal."""

    def __init__(self, phone: GuestPhone) -> None:
        self._phone = phone
        self._clients: dict[str, Client] = {}
        self._heard: dict[str, Values[object]] = {}
        self._open = AsyncExitStack()

    def calls(self) -> dict[str, Call]:
        """What the host may call, by name."""
        ours = (self.connect, self.close, self.read, self.subscribe, self.heard, self.read_through_channel)
        return {f"profiles.{call.__name__}": call for call in ours}

    async def connect(self) -> None:
        """Connect to the watch as to any GATT server."""
        peer = await self._phone.connect_gatt()
        self._open.push_async_callback(peer.close)
        self._clients = {port: Client(service, peer) for port, service in SERVICES.items()}

    async def close(self) -> None:
        """Unsubscribe and disconnect."""
        await self._open.aclose()

    async def read(self, service: str, characteristic: str) -> str:
        """The value of now, in the plain."""
        return await _read(self._clients[service], characteristic)

    async def subscribe(self, service: str, characteristic: str) -> None:
        """Hear of new values until `close`."""
        [found] = [known for known in SERVICES[service].characteristics if known.uuid == characteristic]
        self._heard[characteristic] = await self._open.enter_async_context(self._clients[service].subscribed(found))

    async def heard(self, characteristic: str) -> str:
        """The next value of those."""
        async with asyncio.timeout(HEARD_S):
            return encode(await anext(self._heard[characteristic])).hex()

    async def read_through_channel(self, service: str, characteristic: str) -> str:
        """The value of now, through the channel."""
        async with open_client(self._phone.channel, SERVICES[service]) as client:
            return await _read(client, characteristic)


async def _read(client: Client, characteristic: str) -> str:
    [found] = [known for known in client.service.characteristics if known.uuid == characteristic]
    return encode(await client.read(found)).hex()
