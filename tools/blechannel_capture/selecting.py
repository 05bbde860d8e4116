"""Which packets belong to a part of a capture."""

from __future__ import annotations

from collections.abc import Sequence

from blechannel_capture.air import frames as air_frames
from blechannel_capture.events import Connected, Connection, Disconnected, Event
from blechannel_capture.host import hci_packets
from blechannel_capture.packet import Packet


class Selection:
    """Packets by number, and of one connection or all."""

    def __init__(self, connection: int | None, first: int, last: int | None) -> None:
        self._wanted = connection
        self._first, self._last = first, last
        self._open: Connection | None = None

    def has(self, packet: Packet, events: Sequence[Event]) -> bool:
        """Ask for each packet in turn."""
        is_of_connection = self._wanted is None or self._is_of_connection(packet, events)
        return is_of_connection and self._first <= packet.number <= (self._last or packet.number)

    def _is_of_connection(self, packet: Packet, events: Sequence[Event]) -> bool:
        was_open, said = self._open, False
        for event in events:
            connection = getattr(event, "connection", None)
            if connection is None or connection.number != self._wanted:
                continue
            said = True
            if isinstance(event, Connected):
                self._open = was_open = connection
            elif isinstance(event, Disconnected):
                self._open = None
        return said or (was_open is not None and _handle_of(packet) == was_open.handle)


def _handle_of(packet: Packet) -> int | None:
    """The connection handle of ACL data, or the access address: a piece of a PDU says nothing by itself."""
    if (unwrap := hci_packets.UNWRAP.get(packet.link_type)) is not None:
        hci = unwrap(packet)
        if hci.kind == hci_packets.ACL and len(hci.data) >= 2:
            return (hci.data[0] | hci.data[1] << 8) & 0x0FFF
        return None
    frame = air_frames.UNWRAP[packet.link_type](packet)
    return None if frame is None else frame.access_address
