"""The controller that the machine's kernel drives, on a virtual air of the host's.

Bumble's controller reports every connection by the first kind of event. A kernel that uses extended advertising, as it
must for what BlueZ before 5.80 puts into one advertisement, waits for the enhanced kind alone, and without it can
neither connect again nor disconnect.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from bumble import hci
from bumble.transport.common import PacketParser

from blechannel.transports.bumble.virtual import VirtualAir, VirtualController

ADDRESS = hci.Address("C0:DE:00:00:00:01", hci.Address.PUBLIC_DEVICE_ADDRESS)
_UNSERVED = hci.LeFeatureMask.LL_PRIVACY | hci.LeFeatureMask.LE_PERIODIC_ADVERTISING
_UNNAMED = {
    hci.HCI_LE_SET_EXTENDED_SCAN_PARAMETERS_COMMAND,
    hci.HCI_LE_SET_EXTENDED_SCAN_ENABLE_COMMAND,
    hci.HCI_LE_EXTENDED_CREATE_CONNECTION_COMMAND,
}
"""It answers them, and does not say so."""


class KernelController(VirtualController):
    """One radio on the air, in the form that Linux gets on with."""

    le_features = VirtualController.le_features & ~_UNSERVED
    supported_commands = VirtualController.supported_commands | _UNNAMED

    def __init__(self, air: VirtualAir) -> None:
        super().__init__(air)
        self.public_address = ADDRESS

    def send_hci_packet(self, packet: hci.HCI_Packet) -> None:
        """Pass a packet to the kernel."""
        match packet:
            case hci.HCI_LE_Connection_Complete_Event():
                super().send_hci_packet(_enhanced(packet))
            case hci.HCI_LE_Extended_Advertising_Report_Event():
                super().send_hci_packet(_legacy(packet))
            case _:
                super().send_hci_packet(packet)


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


def _enhanced(event: hci.HCI_LE_Connection_Complete_Event) -> hci.HCI_LE_Enhanced_Connection_Complete_Event:
    """The same, without resolved addresses: nothing here resolves any."""
    return hci.HCI_LE_Enhanced_Connection_Complete_Event(
        status=event.status,
        connection_handle=event.connection_handle,
        role=event.role,
        peer_address_type=event.peer_address_type,
        peer_address=event.peer_address,
        local_resolvable_private_address=hci.Address.ANY,
        peer_resolvable_private_address=hci.Address.ANY,
        connection_interval=event.connection_interval,
        peripheral_latency=event.peripheral_latency,
        supervision_timeout=event.supervision_timeout,
        central_clock_accuracy=event.central_clock_accuracy,
    )


def _legacy(event: hci.HCI_LE_Extended_Advertising_Report_Event) -> hci.HCI_LE_Extended_Advertising_Report_Event:
    """The same, heard in the PDUs that our advertisements fit: Linux puts no others together with scan responses."""
    kind = hci.HCI_LE_Extended_Advertising_Report_Event.EventType
    added = kind.CONNECTABLE_ADVERTISING | kind.SCANNABLE_ADVERTISING | kind.LEGACY_ADVERTISING_PDU_USED
    return hci.HCI_LE_Extended_Advertising_Report_Event(
        [replace(heard, event_type=heard.event_type | added) for heard in event.reports]
    )
