"""A virtual radio whose connections take the time that air takes.

Bumble's virtual link has no timing, loss or supervision time-out. Here what a host gives to its controller waits there
for the connection's events, and only what the peer has acknowledged counts as completed: a host that heeds its
controller's buffers is slowed down as by a real one. Needs no real time on a clock that jumps (`virtual_time`).

Advertising, connecting and link-layer control procedures take no time of their own. The terms are those given here,
whatever interval the hosts ask for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from bumble import core, hci
from bumble.controller import Connection, Controller

from blechannel.transports.airtime import AirTime
from blechannel.transports.bumble.virtual import ACL_BYTES, VirtualAir, VirtualController
from blechannel.transports.connection_events import ConnectionEvents
from blechannel.values import dataclass


class TimedAir(VirtualAir):
    """Every connection of this air keeps to `air_time`; `random` decides which packets are lost."""

    def __init__(self, air_time: AirTime, random: Random) -> None:
        super().__init__()
        self._air_time = air_time
        self._random = random
        self._queues: dict[tuple[hci.Address, hci.Address], _Queue] = {}
        """By sender and receiver."""

    def controller(self) -> TimedController:
        """One more radio on this air."""
        return TimedController(self)

    def send_acl_data(
        self,
        sender_controller: Controller,
        destination_address: hci.Address,
        transport: core.PhysicalTransport,
        data: bytes,
    ) -> None:
        """Queue one L2CAP PDU for the events of its connection."""
        del transport  # there is but one
        connection = sender_controller.le_connections.get(destination_address)
        receiver = self.find_le_controller(destination_address)
        if connection is None or receiver is None:
            return
        near, far = _End(sender_controller, connection.self_address), _End(receiver, connection.peer_address)
        queue = self._queues.get((near.address, far.address)) or self._connect(near, far)
        queue.add(data)

    def disconnected(self, connection: Connection) -> None:
        """One end is gone: nothing that waits will arrive."""
        self._queues.pop((connection.self_address, connection.peer_address), None)
        self._queues.pop((connection.peer_address, connection.self_address), None)

    def _connect(self, near: _End, far: _End) -> _Queue:
        """The queues of a connection that is used for the first time; `near` speaks first, as a central does."""
        outward, inward = _Queue(near, far), _Queue(far, near)
        outward.wake = inward.wake = ConnectionEvents(self._air_time, self._random, outward, inward).wake
        self._queues[near.address, far.address] = outward
        self._queues[far.address, near.address] = inward
        return outward


class TimedController(VirtualController):
    """One radio whose data waits for the connection's events."""

    def __init__(self, air: TimedAir) -> None:
        super().__init__(air)
        self._timed_air = air

    def on_hci_acl_data_packet(self, packet: hci.HCI_AclDataPacket) -> None:
        """Take data from the host; it is completed when the peer has it."""
        connection = self.find_connection_by_handle(packet.connection_handle)
        if connection is not None:
            connection.assembler.feed_packet(packet)

    def on_le_disconnected(self, connection: Connection, reason: int) -> None:
        """Drop what waits, and tell the host."""
        self._timed_air.disconnected(connection)
        super().on_le_disconnected(connection, reason)


@dataclass(frozen=True, slots=True)
class _End:
    controller: Controller
    address: hci.Address

    def disconnect(self, peer: hci.Address) -> None:
        if (connection := self.controller.le_connections.get(peer)) is not None:
            self.controller.on_le_disconnected(connection, hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR)

    def completed(self, peer: hci.Address, packets: int) -> None:
        if (connection := self.controller.le_connections.get(peer)) is not None:
            event = hci.HCI_Number_Of_Completed_Packets_Event(
                connection_handles=[connection.handle], num_completed_packets=[packets]
            )
            self.controller.send_hci_packet(event)


class _Queue:
    """L2CAP PDUs of one direction, headers included, that have not crossed the air."""

    header_bytes = 0

    def __init__(self, sender: _End, receiver: _End) -> None:
        self._sender = sender
        self._receiver = receiver
        self._pdus: list[bytes] = []
        self.wake: Callable[[], None]

    def add(self, pdu: bytes) -> None:
        self._pdus.append(pdu)
        self.wake()

    def waiting(self) -> Sequence[bytes]:
        return self._pdus

    def carry(self, count: int) -> None:
        carried, self._pdus = self._pdus[:count], self._pdus[count:]
        for pdu in carried:
            self._receiver.controller.on_link_acl_data(self._sender.address, core.PhysicalTransport.LE, pdu)
        if carried:
            self._sender.completed(self._receiver.address, sum(-(-len(pdu) // ACL_BYTES) for pdu in carried))

    def drop(self, _reason: str) -> None:
        self._sender.disconnect(self._receiver.address)
        self._receiver.disconnect(self._sender.address)
