"""The phone: scans and connects."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path

from bumble import att, hci
from bumble.device import Connection
from bumble.gatt import GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR
from bumble.gatt_client import Client

from blechannel.aio.link import Sighting
from blechannel.errors import TransportError
from blechannel.gatt import INBOX_UUID, OUTBOX_UUID, SERVICE_UUID
from blechannel.transports.answers import LOST
from blechannel.transports.bumble.adapter import (
    COMMAND_S,
    MAX_ATT_MTU_BYTES,
    Adapter,
    RadioOptions,
    open_adapter,
)
from blechannel.transports.bumble.facts import ControllerFacts, facts_of
from blechannel.transports.bumble.failures import answered
from blechannel.transports.bumble.gate import NOTIFICATION, WRITE_COMMAND, head
from blechannel.transports.bumble.link import BumbleLink
from blechannel.transports.bumble.peer import BumbleGattPeer
from blechannel.transports.bumble.sightings import Sightings

CONNECT_S = 20.0
SETUP_S = 15.0
CALL_OFF_AGAIN_S = 0.1


class BumblePhoneTransport:
    """A GATT central on bumble; made by `open`, or by a `VirtualRadio`."""

    def __init__(self, adapter: Adapter) -> None:
        self._adapter = adapter
        self._device = adapter.device
        self._links: set[BumbleLink] = set()
        self._connecting = asyncio.Lock()
        self._sightings = Sightings(adapter)

    @classmethod
    async def open(
        cls, transport: str, *, snoop: Path | None = None, att_mtu_bytes: int = MAX_ATT_MTU_BYTES
    ) -> BumblePhoneTransport:
        """A phone on the controller behind a bumble transport string, such as "hci-socket:0" or "usb:0".

        `snoop` names a file for a btsnoop capture of the HCI traffic.

        Raises:
            TransportError: there is no such controller, it is busy or forbidden, or does not answer.
        """
        return cls(await open_adapter(transport, RadioOptions(snoop, att_mtu_bytes)))

    @property
    def controller(self) -> ControllerFacts:
        """What the controller says of itself."""
        return facts_of(self._adapter.host)

    async def scan(self) -> AsyncGenerator[Sighting, None]:
        """Sightings of the service as they come, until the iterator is closed.

        Raises:
            TransportError: the adapter is gone, or refuses.
        """
        async with self._sightings.watched() as queue:
            while True:
                sighting = await queue.get()
                self._adapter.check()
                if sighting is not None:
                    yield sighting

    async def connect(self, address: str) -> BumbleLink:
        """Connect, exchange the MTU, find the service and subscribe; cancelled, it leaves nothing connected.

        Raises:
            TransportError: no such address, no answer, or a peer without the service.
        """
        connection = await self._connected(address)
        try:
            return await answered(
                self._set_up(connection),
                within_s=SETUP_S,
                doing=f"setting up {connection.peer_address}",
                unless=self._disconnection(connection),
            )
        except BaseException:
            await self._adapter.insist(self._adapter.hang_up(connection))
            raise

    async def connect_gatt(self, address: str) -> BumbleGattPeer:
        """Connect to any device and use its GATT server in the plain; cancelled, it leaves nothing connected.

        Raises:
            TransportError: no such address, no answer, or there is a connection to it already.
        """
        connection = await self._connected(address)
        peer = BumbleGattPeer(self._adapter, connection)
        try:
            await peer.exchange_mtu()
        except BaseException:
            await self._adapter.insist(peer.close())
            raise
        return peer

    async def close(self) -> None:
        """Stop everything and free the adapter. Safe to call again; never raises."""
        await self._sightings.close()
        await asyncio.gather(*(link.close() for link in self._links))
        await self._adapter.close()
        self._sightings.wake()

    async def _connected(self, address: str) -> Connection:
        self._adapter.check()
        peer = _parsed(address)
        async with self._connecting:
            if any(str(known.peer_address) == str(peer) for known in self._device.connections.values()):
                raise TransportError(f"there is a link to {peer} already")
            return await self._reach(peer)

    async def _reach(self, peer: hci.Address) -> Connection:
        """A connection. Bumble forgets a cancelled attempt while the controller goes on with it; this does not."""
        attempt = asyncio.ensure_future(self._device.connect_le(peer, timeout=None))
        try:
            await asyncio.wait({attempt}, timeout=CONNECT_S)
            if not attempt.done():
                raise TransportError(f"connecting to {peer}: no answer within {CONNECT_S:g} s")
        finally:
            if not attempt.done():
                await self._adapter.insist(self._abandon(attempt))
        return await answered(_outcome(attempt), within_s=COMMAND_S, doing=f"connecting to {peer}")

    async def _abandon(self, attempt: asyncio.Future[Connection]) -> None:
        """Call an attempt off, and hang up if it came through all the same."""
        with suppress(Exception):
            async with asyncio.timeout(COMMAND_S):
                while not attempt.done():
                    with suppress(TransportError):  # refused while the controller has not begun
                        await answered(
                            self._device.send_sync_command(hci.HCI_LE_Create_Connection_Cancel_Command()),
                            within_s=COMMAND_S,
                            doing="calling off a connection",
                        )
                    await asyncio.wait({attempt}, timeout=CALL_OFF_AGAIN_S)
            await self._adapter.hang_up(attempt.result())
        attempt.cancel()

    def _disconnection(self, connection: Connection) -> asyncio.Future[str]:
        """Done when the connection is gone; bumble would go on to ask, and wait for the answer."""
        gone: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        if self._device.lookup_connection(connection.handle) is connection:
            connection.once(connection.EVENT_DISCONNECTION, lambda _reason: gone.set_result(LOST))
        else:
            gone.set_result(LOST)
        return gone

    async def _set_up(self, connection: Connection) -> BumbleLink:
        client = connection.gatt_client
        with suppress(att.ATT_Error):
            await client.request_mtu(self._adapter.options.att_mtu_bytes)
        inbox, outbox, configuration = await _discovered(client)
        link = BumbleLink(self._adapter, connection, head(WRITE_COMMAND, inbox), subscribed=True)
        self._adapter.gate.tap(connection.handle, head(NOTIFICATION, outbox), link.deliver)
        await client.write_value(configuration, bytes([1, 0]), with_response=True)
        self._adapter.later(link.learn_phy())
        self._links.add(link)
        link.on_ended = lambda: self._links.discard(link)
        return link


async def _outcome(attempt: asyncio.Future[Connection]) -> Connection:
    return await attempt


async def _discovered(client: Client) -> tuple[int, int, int]:
    """The handles of inbox, outbox and the outbox's configuration.

    Raises:
        TransportError: the peer has no such service, or half of it.
    """
    for service in await client.discover_service(SERVICE_UUID):
        found = {str(c.uuid).lower(): c for c in await service.discover_characteristics()}
        inbox, outbox = (found.get(uuid) for uuid in (INBOX_UUID, OUTBOX_UUID))
        if inbox is not None and outbox is not None:
            await outbox.discover_descriptors()
            configuration = outbox.get_descriptor(GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR)
            if configuration is not None:
                return inbox.handle, outbox.handle, configuration.handle
    raise TransportError("the peer does not have the service")


def _parsed(address: str) -> hci.Address:
    """An address; bumble takes anything else for a name and scans for it without end."""
    try:
        return hci.Address(address)
    except ValueError as error:
        raise TransportError(f"{address!r} is no Bluetooth address") from error
