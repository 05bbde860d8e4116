"""One phone's connection: its notifications go through a socket, everything else over the bus."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from contextlib import suppress

from blechannel.aio.link import LinkPosture
from blechannel.errors import TransportError
from blechannel.gatt import ATT_HEADER_BYTES, MAX_ATTRIBUTE_BYTES, MIN_ATT_MTU_BYTES
from blechannel.transports.answers import answered
from blechannel.transports.bluez.bus import Bus
from blechannel.transports.bluez.failures import explained

_log = logging.getLogger(__name__)

DEVICE = "org.bluez.Device1"
WRITE_S = 10.0


class BluezCarrier:
    """The phone behind one of bluetoothd's device objects.

    `on_hung_up` is called when bluetoothd closes the socket: the phone has unsubscribed, or is gone.
    """

    def __init__(self, bus: Bus, device: str, *, att_mtu_bytes: int, on_hung_up: Callable[[], None]) -> None:
        self._bus = bus
        self._att_mtu_bytes = max(att_mtu_bytes, MIN_ATT_MTU_BYTES)
        self._on_hung_up = on_hung_up
        # One value a packet: a stream would run them together.
        self._ours, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._ours.setblocking(False)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._ours, self._readable)
        self.device = device
        self.connected = True
        self.posture = LinkPosture("bluez")
        self.peer = device.rpartition("/dev_")[2].replace("_", ":")

    @property
    def max_fragment_bytes(self) -> int:
        """ATT_MTU − 3 as bluetoothd said last, at most 512."""
        return min(self._att_mtu_bytes - ATT_HEADER_BYTES, MAX_ATTRIBUTE_BYTES)

    def learn_mtu(self, att_mtu_bytes: int) -> None:
        """It grows once at most, when the phone asks; fragments that are cut already must still fit."""
        self._att_mtu_bytes = max(self._att_mtu_bytes, att_mtu_bytes)

    async def write(self, fragment: bytes) -> None:
        """One notification; bluetoothd queues without end, so the session's window is what bounds it."""
        sending = self._loop.sock_sendall(self._ours, fragment)
        await answered(sending, within_s=WRITE_S, doing="notifying the phone", explain=explained)

    async def hang_up(self) -> None:
        """Disconnect the phone from this machine, if it is connected."""
        self._loop.remove_reader(self._ours)
        if self.connected:
            try:
                await self._bus.call(self.device, DEVICE, "Disconnect")
            except TransportError as error:
                _log.warning("%s", error)
        self._ours.close()

    def _readable(self) -> None:
        """Nothing comes this way but the end; confirmations are for indications."""
        value = b""
        with suppress(BlockingIOError, ConnectionError):
            value = self._ours.recv(1)
        if not value:
            self._loop.remove_reader(self._ours)
            self._on_hung_up()
