"""The controller that the machine's kernel drives, on a virtual air of the host's.

It keeps to what bumble's controller answers as the kernel expects: it reports only the first kind of connection event,
while a kernel that is told of LL privacy or extended advertising waits for the enhanced kind, without end.
"""

from __future__ import annotations

import asyncio

from bumble import hci
from bumble.transport.common import PacketParser

from blechannel.transports.bumble.virtual import VirtualAir, VirtualController

ADDRESS = hci.Address("C0:DE:00:00:00:01", hci.Address.PUBLIC_DEVICE_ADDRESS)
_MISLEADING = (
    hci.LeFeatureMask.LL_PRIVACY | hci.LeFeatureMask.LE_EXTENDED_ADVERTISING | hci.LeFeatureMask.LE_PERIODIC_ADVERTISING
)


class KernelController(VirtualController):
    """One radio on the air, in the form that Linux gets on with."""

    le_features = VirtualController.le_features & ~_MISLEADING

    def __init__(self, air: VirtualAir) -> None:
        super().__init__(air)
        self.public_address = ADDRESS


class H4Port(asyncio.Protocol):
    """The host's end of the machine's HCI port."""

    def __init__(self, controller: KernelController) -> None:
        self._parser = PacketParser(controller)
        self._controller = controller
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The machine has opened its end."""
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport
        self._controller.set_packet_sink(self)

    def data_received(self, data: bytes) -> None:
        """Pass what the kernel says to the controller."""
        self._parser.feed_data(data)

    def connection_lost(self, _error: Exception | None) -> None:
        """The machine has stopped."""
        self._controller.set_packet_sink(None)

    def on_packet(self, packet: bytes) -> None:
        """Pass what the controller says to the kernel."""
        if self._transport is not None:
            self._transport.write(packet)
