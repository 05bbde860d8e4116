"""One sniffer's frames in order: advertisements, connections followed, retransmissions and losses told apart.

Source: Core Specification, Vol 6 Part B, 2.3 (advertising), 2.4 (data), 4.5.9 (acknowledgement), 5.1 (control).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from blechannel_capture.addresses import address
from blechannel_capture.air.crc import ADVERTISING_INIT, crc24
from blechannel_capture.air.encryption import MIC_BYTES
from blechannel_capture.air.frames import AirFrame
from blechannel_capture.air.key_ring import KeyRing
from blechannel_capture.air.link import Link
from blechannel_capture.connections import Connections
from blechannel_capture.events import Advertised, Connected, Event
from blechannel_capture.ledger import Damage, Ledger

ADVERTISING_ACCESS_ADDRESS: Final = 0x8E89BED6
CONNECT_IND: Final = 0x05
_NAMES: Final = {
    0x00: "ADV_IND",
    0x01: "ADV_DIRECT_IND",
    0x02: "ADV_NONCONN_IND",
    0x03: "SCAN_REQ",
    0x04: "SCAN_RSP",
    0x05: "CONNECT_IND",
    0x06: "ADV_SCAN_IND",
    0x07: "ADV_EXT_IND",
}
_WITH_DATA: Final = frozenset({0x00, 0x02, 0x04, 0x06})
_CONNECT: Final = struct.Struct("<6s6sI3sBHHHH5sB")


MAX_LINKS: Final = 1024
"""Followed at once; of more the oldest are given up."""
MAX_STRANGERS: Final = 256
"""Access addresses that were heard once."""


@dataclass(frozen=True, slots=True)
class _At:
    packet: int
    time_ns: int


class AirDecoder:
    """Feed one sniffer's frames in order."""

    def __init__(self, connections: Connections, ledger: Ledger, keys: KeyRing) -> None:
        self._connections = connections
        self._ledger = ledger
        self._keys = keys
        self._links: dict[int, Link] = {}
        self._strangers: dict[int, tuple[AirFrame, _At]] = {}

    def feed(self, frame: AirFrame, packet: int, time_ns: int) -> Iterator[Event]:
        """What that frame says; a damaged one is entered into the ledger and says nothing."""
        if frame.access_address == ADVERTISING_ACCESS_ADDRESS:
            if self._is_sound(frame, ADVERTISING_INIT, packet):
                yield from self._advertising(frame, _At(packet, time_ns))
            return
        link = self._links.get(frame.access_address)
        if link is None:
            yield from self._stranger(frame, _At(packet, time_ns))
        else:
            yield from self._connected(link, frame, _At(packet, time_ns))

    def end(self) -> None:
        """The capture ends: what is unfinished stays so."""
        for link in self._links.values():
            link.end()
        while self._strangers:
            self._forget_stranger()

    def _connected(self, link: Link, frame: AirFrame, at: _At) -> Iterator[Event]:
        link.learn_crc(frame)
        turn = link.turn(frame, at.time_ns)
        if self._is_sound(frame, link.crc_init, at.packet):
            yield from link.hear(frame, turn, at.packet, at.time_ns)

    def _stranger(self, frame: AirFrame, at: _At) -> Iterator[Event]:
        """A frame of a connection whose beginning the sniffer has missed, or noise.

        Where the checksum says nothing, an access address must be heard twice: noise has another one each time.
        """
        heard = [(frame, at)]
        if frame.crc_ok is False:
            self._ledger.note(Damage.BAD_CRC, f"{len(frame.pdu)} bytes", packet=at.packet)
            return
        if frame.crc_ok is None:
            before = self._strangers.pop(frame.access_address, None)
            if before is None:
                self._strangers[frame.access_address] = frame, at
                if len(self._strangers) > MAX_STRANGERS:
                    self._forget_stranger()
                return
            heard = [before, *heard]
        link = self._follow(frame.access_address, heard[0][1], crc_init=None)
        yield Connected(heard[0][1].packet, heard[0][1].time_ns, link.connection, False)
        for each, then in heard:
            yield from self._connected(link, each, then)

    def _forget_stranger(self) -> None:
        address = next(iter(self._strangers))
        _, at = self._strangers.pop(address)
        self._ledger.note(Damage.STRAY, f"access address {address:#010x}", packet=at.packet)

    def _follow(self, access_address: int, at: _At, *, crc_init: int | None) -> Link:
        connection = self._connections.new(access_address, at.time_ns)
        if (before := self._links.pop(access_address, None)) is not None:
            before.end()
        elif len(self._links) >= MAX_LINKS:
            self._links.pop(next(iter(self._links))).end()
        link = self._links[access_address] = Link(connection, self._ledger, self._keys, crc_init=crc_init)
        return link

    def _is_sound(self, frame: AirFrame, crc_init: int | None, packet: int) -> bool:
        ok = frame.crc_ok
        if ok is None and crc_init is not None and not frame.decrypted:
            ok = crc24(frame.pdu, crc_init) == frame.crc
        if ok is False:
            self._ledger.note(Damage.BAD_CRC, f"{len(frame.pdu)} bytes", packet=packet)
            return False
        # A sniffer that takes the encryption off may leave the length of what was sealed.
        without_mic = 2 + frame.pdu[1] - MIC_BYTES if frame.decrypted else None
        if len(frame.pdu) not in (2 + frame.pdu[1], without_mic):
            detail = f"a frame of {len(frame.pdu) - 2} bytes says {frame.pdu[1]}"
            self._ledger.note(Damage.MALFORMED, detail, packet=packet)
            return False
        return True

    def _advertising(self, frame: AirFrame, at: _At) -> Iterator[Event]:
        kind, body = frame.pdu[0] & 0x0F, frame.pdu[2:]
        if len(body) < 6:
            return
        is_random = bool(frame.pdu[0] & 0x40)
        if kind == CONNECT_IND and len(body) == _CONNECT.size:
            yield self._connect(frame, at)
        elif kind != CONNECT_IND:
            who = address(body[:6], is_random=is_random) if kind != 0x07 else ""
            data = body[6:] if kind in _WITH_DATA else b""
            name = _NAMES.get(kind, f"type {kind}")
            yield Advertised(at.packet, at.time_ns, who, name, data, frame.rssi_dbm)

    def _connect(self, frame: AirFrame, at: _At) -> Event:
        central, peripheral, access_address, crc_init, _, _, interval, latency, timeout, _, _ = _CONNECT.unpack(
            frame.pdu[2:]
        )
        link = self._follow(access_address, at, crc_init=int.from_bytes(crc_init, "little"))
        connection, pairing = link.connection, link.pairing
        pairing.central, pairing.peripheral = central[::-1], peripheral[::-1]
        pairing.central_is_random = bool(frame.pdu[0] & 0x40)
        pairing.peripheral_is_random = bool(frame.pdu[0] & 0x80)
        connection.central = address(central, is_random=pairing.central_is_random)
        connection.peripheral = address(peripheral, is_random=pairing.peripheral_is_random)
        connection.interval_us, connection.latency = interval * 1250, latency
        connection.supervision_timeout_ms = timeout * 10
        return Connected(at.packet, at.time_ns, connection, True)
