"""The watch: advertises, and accepts phones."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from bumble.device import Connection

from blechannel.aio.attributes import PlainService, check_services
from blechannel.errors import TransportError
from blechannel.limits import MAX_LINKS
from blechannel.transports.adverts import check_service_data, scan_response
from blechannel.transports.bumble.adapter import (
    COMMAND_S,
    MAX_ATT_MTU_BYTES,
    Adapter,
    RadioOptions,
    open_adapter,
)
from blechannel.transports.bumble.advertisement import ADVERTISEMENT
from blechannel.transports.bumble.failures import answered
from blechannel.transports.bumble.link import BumbleLink
from blechannel.transports.bumble.plain import PlainTable
from blechannel.transports.bumble.service import WatchService

_log = logging.getLogger(__name__)

RETRY_S = 1.0
"""Between tries to advertise again after a connection, when the controller refuses."""


class BumbleWatchTransport:
    """A GATT peripheral on bumble; made by `open`, or by a `VirtualRadio`.

    Raises:
        LocalProtocolError: two plain services have one UUID, or one has the channel's.
    """

    def __init__(self, adapter: Adapter, plain_services: Sequence[PlainService] = ()) -> None:
        self._adapter = adapter
        self._device = adapter.device
        self._service = WatchService(adapter)
        self._plain = PlainTable(adapter, plain_services)
        self._service_data: bytes | None = None
        self._advertising = asyncio.Lock()
        self._arrived: deque[BumbleLink] = deque()
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._device.on(self._device.EVENT_CONNECTION, self._connected)
        self._closed = False
        adapter.on_gone = self._wake

    @classmethod
    async def open(
        cls,
        transport: str,
        *,
        snoop: Path | None = None,
        att_mtu_bytes: int = MAX_ATT_MTU_BYTES,
        plain_services: Sequence[PlainService] = (),
    ) -> BumbleWatchTransport:
        """A watch on the controller behind a bumble transport string, such as "hci-socket:0" or "usb:0".

        `snoop` names a file for a btsnoop capture of the HCI traffic; `plain_services` are served to whoever connects.

        Raises:
            LocalProtocolError: two plain services have one UUID, or one has the channel's.
            TransportError: there is no such controller, it is busy or forbidden, or does not answer.
        """
        check_services(plain_services)
        return cls(await open_adapter(transport, RadioOptions(snoop, att_mtu_bytes)), plain_services)

    async def advertise(self, service_data: bytes) -> None:
        """Advertise under a fresh address; again whenever a link begins or ends, up to `MAX_LINKS` links.

        Raises:
            LocalProtocolError: more than 13 bytes.
            TransportError: the adapter is gone, or refuses.
        """
        self._service_data = check_service_data(service_data)
        async with self._advertising:
            self._adapter.check()
            await answered(self._renew(), within_s=COMMAND_S, doing="advertising")

    async def accept(self) -> BumbleLink:
        """The next phone that connects.

        Raises:
            TransportError: the transport was closed, or its adapter is gone.
        """
        while not self._arrived:
            self._adapter.check()
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                await turn
            finally:
                self._waiting.remove(turn)
        return self._arrived.popleft()

    async def close(self) -> None:
        """Stop advertising, drop every link and free the adapter. Safe to call again; never raises."""
        self._service_data = None
        self._closed = True
        with suppress(TransportError):
            self._adapter.check()
            await answered(self._silence(), within_s=COMMAND_S, doing="advertising ends")
        await asyncio.gather(*(link.close() for link in self._service.links.values()))
        self._plain.close()
        await self._adapter.close()
        self._wake()

    async def _renew(self) -> None:
        """Stop, change the address, start."""
        await self._device.stop_advertising()
        await self._adapter.rotate_address()
        await self._start()

    async def _silence(self) -> None:
        async with self._advertising:
            await self._device.stop_advertising()

    async def _start(self) -> None:
        """Start, unless this is not wanted now or goes on already."""
        if self._service_data is None or len(self._service.links) >= MAX_LINKS or self._device.is_advertising:
            return
        await self._device.start_advertising(
            advertising_data=ADVERTISEMENT, scan_response_data=scan_response(self._service_data)
        )

    async def _advertise_again(self) -> None:
        """A connection ends advertising; go on, however often the controller refuses."""
        while True:
            try:
                async with self._advertising:
                    return await answered(self._start(), within_s=COMMAND_S, doing="advertising again")
            except TransportError as error:
                _log.warning("%s", error)
            await asyncio.sleep(RETRY_S)

    def _connected(self, connection: Connection) -> None:
        connection.once(connection.EVENT_DISCONNECTION, lambda _reason: self._plain.forget(connection.handle))
        if self._closed or len(self._service.links) >= MAX_LINKS:
            self._adapter.later(self._adapter.hang_up(connection))
            return
        link = self._service.open_link(connection)
        link.on_ended = lambda: self._link_ended(connection.handle, link)
        self._arrived.append(link)
        self._adapter.later(link.learn_phy())
        self._adapter.later(self._advertise_again())
        self._wake()

    def _link_ended(self, connection_handle: int, link: BumbleLink) -> None:
        self._service.links.pop(connection_handle, None)
        with suppress(ValueError):  # it was accepted before
            self._arrived.remove(link)
        if self._service_data is not None:
            self._adapter.later(self._advertise_again())

    def _wake(self) -> None:
        for turn in self._waiting:
            if not turn.done():
                turn.set_result(None)
