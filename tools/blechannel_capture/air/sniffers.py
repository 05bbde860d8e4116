"""All sniffers of one capture, told apart by the interface that they wrote from."""

from __future__ import annotations

from collections.abc import Iterable

from blechannel_capture.air.frames import UNWRAP
from blechannel_capture.air.key_ring import KeyRing
from blechannel_capture.air.link_decoder import AirDecoder
from blechannel_capture.connections import Connections
from blechannel_capture.events import Event
from blechannel_capture.ledger import Ledger
from blechannel_capture.packet import Packet


class Sniffers:
    """Feed all packets whose link type is one of the air's, in order."""

    def __init__(self, connections: Connections, ledger: Ledger, link_keys: KeyRing) -> None:
        self._connections = connections
        self._ledger = ledger
        self._link_keys = link_keys
        self._decoders: dict[int, AirDecoder] = {}

    def feed(self, packet: Packet) -> Iterable[Event]:
        """What that packet says."""
        frame = UNWRAP[packet.link_type](packet)
        if frame is None:
            return ()
        decoder = self._decoders.get(packet.interface)
        if decoder is None:
            decoder = AirDecoder(self._connections, self._ledger, self._link_keys)
            self._decoders[packet.interface] = decoder
        return decoder.feed(frame, packet.number, packet.time_ns)

    def end(self) -> None:
        """The capture ends: what is unfinished stays so."""
        for decoder in self._decoders.values():
            decoder.end()
