"""One packet as a capture file has it, whatever the file's format."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

MAX_PACKET_BYTES: Final = 262_144
"""More than any capturing program writes; a length beyond it is damage, not a packet."""


class LinkType(Enum):
    """How a packet's bytes begin. Numbers below 1000 are pcap's link types (tcpdump.org), above 1000 btsnoop's."""

    H4 = 187
    PPI = 192
    H4_WITH_DIRECTION = 201
    LE_LINK_LAYER = 251
    MONITOR = 254
    LE_LINK_LAYER_WITH_PHDR = 256
    NORDIC_BLE = 272
    SNOOP_H1 = 1001
    SNOOP_H4 = 1002
    SNOOP_MONITOR = 2001
    PACKET_LOGGER = 3000
    """No number anywhere: Apple's logs have one kind only."""

    __hash__ = object.__hash__  # an enumeration's own is slow, and looked for with every packet


class Direction(Enum):
    """Which way a packet went past the controller."""

    SENT = "sent"
    """From the host to the controller, or from the controller to the air."""
    RECEIVED = "received"
    UNKNOWN = "unknown"

    __hash__ = object.__hash__  # as above


@dataclass(slots=True)
class Packet:
    """Mutable for speed alone; nobody changes it."""

    number: int
    """From 1, in the order of the file, over all interfaces."""
    time_ns: int
    """Since 1970, UTC, in 63 bits; since the start of the capture where the format knows no more; 0 without a time."""
    link_type: LinkType
    flags: int
    """What the format says beside the bytes: btsnoop's flags, pcapng's epb_flags, PacketLogger's type; else 0."""
    data: bytes
    missing_bytes: int
    """How many bytes of the packet were not kept."""
    offset: int
    """Of its record in the (uncompressed) file."""
    interface: int = 0
