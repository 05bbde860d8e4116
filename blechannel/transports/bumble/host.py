"""Bumble's HCI host, with a count of what each connection has queued and without its debug text.

Bumble lets anyone queue without end; its own queue counts all connections together. Here each connection has a
`Flow`, so that a link knows when to wait. Everything overridden is a public method of bumble's Host; the tests
of this module fail when a release of bumble no longer calls one of them.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable

from bumble import hci
from bumble.host import Host
from bumble.snoop import Snooper

_L2CAP_HEADER = struct.Struct("<HH")


class Flow:
    """What one connection has given to the controller and the controller has not yet sent."""

    __slots__ = ("_drained", "on_completed", "pending_packets")

    def __init__(self) -> None:
        self.pending_packets = 0
        self.on_completed: Callable[[], None] | None = None
        self._drained: asyncio.Event | None = None

    def completed(self, packets: int) -> None:
        """The controller is done with some."""
        self.pending_packets = max(0, self.pending_packets - packets)
        if not self.pending_packets and self._drained is not None:
            self._drained.set()
        if self.on_completed is not None:
            self.on_completed()

    def ended(self) -> None:
        """The connection is gone: nothing is pending any more and nobody is told."""
        self.on_completed = None
        self.completed(self.pending_packets)

    async def drained(self) -> None:
        """Wait until nothing is pending; the caller bounds the time."""
        if self.pending_packets:
            self._drained = asyncio.Event()
            await self._drained.wait()


class CountingHost(Host):
    """A Host whose `flows` count, by connection handle, ACL packets that are queued or in flight."""

    def __init__(self) -> None:
        super().__init__()
        self.flows: dict[int, Flow] = {}

    def flow(self, connection_handle: int) -> Flow:
        """The flow of this connection, from now until it is disconnected."""
        return self.flows.setdefault(connection_handle, Flow())

    def send_l2cap_pdu(self, connection_handle: int, cid: int, pdu: bytes) -> None:
        """Queue one L2CAP PDU."""
        self.send_acl_sdu(connection_handle, _L2CAP_HEADER.pack(len(pdu), cid) + pdu)

    def send_acl_sdu(self, connection_handle: int, sdu: bytes) -> None:
        """Queue in packets of the controller's size, counted; nothing happens when the connection is gone."""
        connection = self.connections.get(connection_handle)
        if connection is None:
            return
        queue = connection.acl_packet_queue
        flow = self.flow(connection_handle)
        size = queue.max_packet_size
        for offset in range(0, len(sdu), size):
            data = sdu[offset : offset + size]
            flow.pending_packets += 1
            queue.enqueue(
                hci.HCI_AclDataPacket(connection_handle, 1 if offset else 0, 0, len(data), data),
                connection_handle,
            )

    def on_hci_number_of_completed_packets_event(self, event: hci.HCI_Number_Of_Completed_Packets_Event) -> None:
        """Count down and tell who waits."""
        super().on_hci_number_of_completed_packets_event(event)
        for handle, packets in zip(event.connection_handles, event.num_completed_packets, strict=True):
            if (flow := self.flows.get(handle)) is not None:
                flow.completed(packets)

    def on_hci_disconnection_complete_event(self, event: hci.HCI_Disconnection_Complete_Event) -> None:
        """Forget the connection's flow: its number will be used again."""
        super().on_hci_disconnection_complete_event(event)
        if event.connection_handle not in self.connections:
            self.flows.pop(event.connection_handle, Flow()).ended()

    def send_hci_packet(self, packet: hci.HCI_Packet) -> None:
        """As bumble's, less a debug text that costs more than the packet."""
        raw = bytes(packet)
        if self.snooper:
            self.snooper.snoop(raw, Snooper.Direction.HOST_TO_CONTROLLER)
        if self.hci_sink:
            self.hci_sink.on_packet(raw)

    def on_hci_packet(self, packet: hci.HCI_Packet) -> None:
        """As bumble's, less the debug text."""
        if self.snooper:
            self.snooper.snoop(bytes(packet), Snooper.Direction.CONTROLLER_TO_HOST)
        match packet:
            case hci.HCI_AclDataPacket():
                self.on_hci_acl_data_packet(packet)
            case hci.HCI_Event():
                self.on_hci_event_packet(packet)
