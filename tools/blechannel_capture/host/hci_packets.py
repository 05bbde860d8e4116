"""HCI packets out of every envelope that capture files put them in.

Source: Core Specification, Vol 4 Part A (H4's type byte); link types 187, 201 and 254 of tcpdump.org; btsnoop's flags;
BlueZ's monitor protocol; PacketLogger's types.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from blechannel_capture.packet import Direction, LinkType, Packet

COMMAND, ACL, SCO, EVENT, ISO = 1, 2, 3, 4, 5
NOT_HCI: Final = 0
"""A note of the capturing program, or what is no HCI packet at all."""


@dataclass(slots=True)
class HciPacket:
    """One HCI packet without its envelope."""

    kind: int
    direction: Direction
    data: bytes
    controller: int = 0
    """Which of several, as the format counts them."""


SENT, RECEIVED, UNKNOWN = Direction.SENT, Direction.RECEIVED, Direction.UNKNOWN
_WAY: Final = (SENT, RECEIVED)
_OF_KIND: Final = {COMMAND: SENT, EVENT: RECEIVED}
"""The type tells the way of these, whatever a flag says."""

_MONITOR: Final = {2: (COMMAND, SENT), 3: (EVENT, RECEIVED), 4: (ACL, SENT), 5: (ACL, RECEIVED)} | {
    6: (SCO, SENT),
    7: (SCO, RECEIVED),
    18: (ISO, SENT),
    19: (ISO, RECEIVED),
}
_PACKET_LOGGER: Final = {0: (COMMAND, SENT), 1: (EVENT, RECEIVED), 2: (ACL, SENT), 3: (ACL, RECEIVED)} | {
    8: (SCO, SENT),
    9: (SCO, RECEIVED),
    0x12: (ISO, SENT),
    0x13: (ISO, RECEIVED),
}
_NOTE: Final = (NOT_HCI, UNKNOWN)


def _typed(data: bytes, direction: Direction, controller: int = 0) -> HciPacket:
    kind = data[0] if data else NOT_HCI
    return HciPacket(kind, _OF_KIND.get(kind, direction), data[1:], controller)


def _h4(packet: Packet) -> HciPacket:
    # pcapng may say the way: 1 inbound, 2 outbound.
    return _typed(packet.data, {1: RECEIVED, 2: SENT}.get(packet.flags & 3, UNKNOWN), packet.interface)


def _h4_with_direction(packet: Packet) -> HciPacket:
    return _typed(packet.data[4:], _WAY[packet.data[3] & 1] if len(packet.data) > 3 else UNKNOWN, packet.interface)


def _snoop_h4(packet: Packet) -> HciPacket:
    # As `_typed`, without the call: every packet of a phone's log comes here.
    data, way = packet.data, _WAY[packet.flags & 1]
    kind = data[0] if data else NOT_HCI
    return HciPacket(kind, _OF_KIND.get(kind, way), data[1:])


def _snoop_h1(packet: Packet) -> HciPacket:
    way = _WAY[packet.flags & 1]
    kind = (COMMAND if way is SENT else EVENT) if packet.flags & 2 else ACL
    return HciPacket(kind, way, packet.data)


def _snoop_monitor(packet: Packet) -> HciPacket:
    return _monitored(packet.flags & 0xFFFF, packet.flags >> 16, packet.data)


def _monitor(packet: Packet) -> HciPacket:
    adapter, opcode = int.from_bytes(packet.data[:2], "big"), int.from_bytes(packet.data[2:4], "big")
    return _monitored(opcode, adapter, packet.data[4:])


def _monitored(opcode: int, adapter: int, data: bytes) -> HciPacket:
    kind, direction = _MONITOR.get(opcode, _NOTE)
    return HciPacket(kind, direction, data, adapter)


def _packet_logger(packet: Packet) -> HciPacket:
    kind, direction = _PACKET_LOGGER.get(packet.flags, _NOTE)
    return HciPacket(kind, direction, packet.data)


UNWRAP: Final[dict[LinkType, Callable[[Packet], HciPacket]]] = {
    LinkType.H4: _h4,
    LinkType.H4_WITH_DIRECTION: _h4_with_direction,
    LinkType.MONITOR: _monitor,
    LinkType.SNOOP_H1: _snoop_h1,
    LinkType.SNOOP_H4: _snoop_h4,
    LinkType.SNOOP_MONITOR: _snoop_monitor,
    LinkType.PACKET_LOGGER: _packet_logger,
}
"""For every link type that carries HCI. Total: any bytes give a packet, a note at worst."""
