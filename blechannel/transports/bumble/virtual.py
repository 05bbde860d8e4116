"""A radio inside this process: virtual controllers on one link, with all of HCI, L2CAP, ATT and GATT above.

Bumble's virtual controllers are made for tests of hosts; what they lack is added here, and nowhere else:

- scan responses repeat the advertisement: the advertiser's own are put in their place;
- a called-off connection stays pending and comes through later: it is ended as the specification says;
- data is sent under the controller's address of now: a connection keeps the one that it was made with;
- of two centrals that answer one advertisement both believe to be connected: the second is told;
- the buffer of 27 bytes costs a packet for each tenth of a fragment: 251 is what controllers have today.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from bumble import core, hci, ll
from bumble.controller import AdvertisingSet, Controller, LegacyAdvertiser
from bumble.link import LocalLink
from bumble.transport.common import AsyncPipeSink, Transport

from blechannel.aio.attributes import PlainService, check_services
from blechannel.transports.bumble.adapter import MAX_ATT_MTU_BYTES, Adapter, RadioOptions, power_on
from blechannel.transports.bumble.central import BumblePhoneTransport
from blechannel.transports.bumble.peripheral import BumbleWatchTransport

ADVERTISING_INTERVAL_MS = 20.0
ACL_BYTES = 251
_LEGACY = hci.HCI_LE_Advertising_Report_Event
_EXTENDED = hci.HCI_LE_Extended_Advertising_Report_Event
_Report = TypeVar("_Report", _LEGACY.Report, _EXTENDED.Report)
SUPERVISION_TIMEOUT = 0x08
_FAILED_TO_BE_ESTABLISHED = 0x3E


class VirtualAir(LocalLink):
    """Bumble's link, with connections that keep their addresses."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    def controller(self) -> VirtualController:
        """One more radio on this air."""
        return VirtualController(self)

    def send_acl_data(
        self,
        sender_controller: Controller,
        destination_address: hci.Address,
        transport: core.PhysicalTransport,
        data: bytes,
    ) -> None:
        """Pass data to the other end of this connection."""
        connection = sender_controller.le_connections.get(destination_address)
        receiver = self.find_le_controller(destination_address)
        if connection is not None and receiver is not None:
            loop = asyncio.get_running_loop()
            loop.call_soon(receiver.on_link_acl_data, connection.self_address, transport, data)

    def send_ll_control_pdu(
        self, sender_address: hci.Address, receiver_address: hci.Address, packet: ll.ControlPdu
    ) -> None:
        """Pass a control PDU on; to somebody who has gone it is lost, as on the air."""
        with suppress(core.InvalidArgumentError):
            super().send_ll_control_pdu(sender_address, receiver_address, packet)

    def send_advertising_pdu(self, sender_controller: Controller, packet: ll.AdvertisingPdu) -> None:
        """Pass an advertisement or a connection request on."""
        super().send_advertising_pdu(sender_controller, packet)
        if isinstance(packet, ll.ConnectInd):
            asyncio.get_running_loop().call_soon(self._check_answered, sender_controller, packet)

    def scan_response_of(self, address: hci.Address) -> bytes:
        """What the advertiser at this address answers to a scan request."""
        for controller in self.controllers:
            advertisers: list[LegacyAdvertiser | AdvertisingSet] = [
                controller.le_legacy_advertiser,
                *controller.advertising_sets.values(),
            ]
            for advertiser in advertisers:
                if advertiser.enabled and advertiser.address == address:
                    return bytes(advertiser.scan_response_data)
        return b""

    def drop(self) -> None:
        """End every connection at both ends as a supervision time-out."""
        for controller in self.controllers:
            for connection in [*controller.le_connections.values()]:
                controller.on_le_disconnected(connection, SUPERVISION_TIMEOUT)

    def _check_answered(self, initiator: Controller, request: ll.ConnectInd) -> None:
        connection = initiator.le_connections.get(request.advertiser_address)
        answered = any(
            peer.self_address == request.advertiser_address
            for controller in self.controllers
            if (peer := controller.le_connections.get(request.initiator_address)) is not None
        )
        if connection is not None and not answered:
            initiator.on_le_disconnected(connection, _FAILED_TO_BE_ESTABLISHED)


class VirtualController(Controller):
    """One radio on the air."""

    le_acl_data_packet_length = ACL_BYTES

    def __init__(self, air: VirtualAir) -> None:
        super().__init__("virtual", link=air)
        self._air = air

    def on_hci_packet(self, packet: hci.HCI_Packet) -> None:
        """As bumble's, less a debug text that costs more than the data."""
        if isinstance(packet, hci.HCI_AclDataPacket):
            self.on_hci_acl_data_packet(packet)
        else:
            super().on_hci_packet(packet)

    def send_hci_packet(self, packet: hci.HCI_Packet) -> None:
        """Pass a packet to the host at the loop's next turn."""
        match packet:
            case _LEGACY():
                answer = _LEGACY.EventType.SCAN_RSP
                packet.reports = [self._put_right(heard, heard.event_type == answer) for heard in packet.reports]
            case _EXTENDED():
                bit = _EXTENDED.EventType.SCAN_RESPONSE
                packet.reports = [self._put_right(heard, bool(heard.event_type & bit)) for heard in packet.reports]
        if self.host is not None:
            asyncio.get_running_loop().call_soon(self.host.on_packet, bytes(packet))

    def on_hci_le_create_connection_cancel_command(
        self, command: hci.HCI_LE_Create_Connection_Cancel_Command
    ) -> hci.HCI_StatusReturnParameters:
        """Call the pending connection off; the host hears of its end (volume 4, part E, 7.8.13)."""
        pending, self.pending_le_connection = self.pending_le_connection, None
        if pending is None:
            return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.COMMAND_DISALLOWED_ERROR)
        asyncio.get_running_loop().call_soon(self._report_called_off, pending.peer_address)
        return super().on_hci_le_create_connection_cancel_command(command)

    def switch_off(self) -> None:
        """Leave the air."""
        self.le_legacy_advertiser.stop()
        for advertising_set in self.advertising_sets.values():
            advertising_set.stop()
        self._air.remove_controller(self)

    def _report_called_off(self, peer: hci.Address) -> None:
        self.send_hci_packet(
            hci.HCI_LE_Connection_Complete_Event(
                status=hci.HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR,
                connection_handle=0,
                role=hci.Role.CENTRAL,
                peer_address_type=peer.address_type,
                peer_address=peer,
                connection_interval=0,
                peripheral_latency=0,
                supervision_timeout=0,
                central_clock_accuracy=0,
            )
        )

    def _put_right(self, heard: _Report, is_response: bool) -> _Report:
        return replace(heard, data=self._air.scan_response_of(heard.address)) if is_response else heard


class VirtualTransport(Transport):
    """The way between a host and its virtual controller."""

    def __init__(self, controller: VirtualController) -> None:
        super().__init__(controller, AsyncPipeSink(controller))
        self._controller = controller

    async def close(self) -> None:
        """Switch the controller off."""
        self._controller.set_packet_sink(None)
        self._controller.switch_off()


class VirtualRadio:
    """An air of its own: phones and watches made here hear each other, and nobody else.

    It has no range, loss or timing, unless `air` is a `TimedAir`; `drop_link` ends a link against both sides' will.
    Controllers of another make are heard, too, where they are put on the same `air`.
    """

    def __init__(self, air: VirtualAir | None = None) -> None:
        self._air = air or VirtualAir()

    async def phone(self, *, snoop: Path | None = None, att_mtu_bytes: int = MAX_ATT_MTU_BYTES) -> BumblePhoneTransport:
        """One more phone; `snoop` names a file for a btsnoop capture.

        Raises:
            TransportError: the capture cannot be written.
        """
        return BumblePhoneTransport(await self._adapter(snoop, att_mtu_bytes))

    async def watch(
        self,
        *,
        snoop: Path | None = None,
        att_mtu_bytes: int = MAX_ATT_MTU_BYTES,
        plain_services: Sequence[PlainService] = (),
    ) -> BumbleWatchTransport:
        """One more watch; `snoop` names a file for a btsnoop capture, `plain_services` are served to whoever connects.

        Raises:
            LocalProtocolError: two plain services have one UUID, or one has the channel's.
            TransportError: the capture cannot be written.
        """
        check_services(plain_services)
        return BumbleWatchTransport(await self._adapter(snoop, att_mtu_bytes), plain_services)

    def drop_link(self) -> None:
        """Lose every connection at both ends, as when out of reach: a supervision time-out."""
        self._air.drop()

    async def _adapter(self, snoop: Path | None, att_mtu_bytes: int) -> Adapter:
        options = RadioOptions(snoop, att_mtu_bytes, ADVERTISING_INTERVAL_MS)
        return await power_on(VirtualTransport(self._air.controller()), options)
