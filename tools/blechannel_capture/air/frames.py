"""Link-layer frames out of every envelope that sniffers put them in.

Source: link types 251, 256, 192 and 272 of tcpdump.org; PPI's field 30006; the nRF Sniffer's header, versions 1 to 3.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from blechannel_capture.events import Side
from blechannel_capture.packet import LinkType, Packet

CRC_BYTES: Final = 3
MIN_PDU_BYTES: Final = 2


@dataclass(slots=True)
class AirFrame:
    """One frame of the link layer."""

    access_address: int
    pdu: bytes
    """Header and payload."""
    crc: bytes
    crc_ok: bool | None = None
    """What the sniffer says; None where it does not."""
    sender: Side = Side.UNKNOWN
    """On a connection, where the sniffer says it."""
    channel: int | None = None
    """The RF channel, 0 (2402 MHz) to 39, or whatever the sniffer counts by: only whether it changes is used."""
    rssi_dbm: int | None = None
    decrypted: bool = False
    """Whether the sniffer has taken the encryption off."""


def _bare(packet: Packet, start: int = 0, *, is_coded: bool = False) -> AirFrame | None:
    """Access address, PDU and checksum; None where they do not fit. Coded frames have a byte before the PDU."""
    data, pdu_at = packet.data, start + 4 + is_coded
    if len(data) - pdu_at < MIN_PDU_BYTES + CRC_BYTES:
        return None
    return AirFrame(int.from_bytes(data[start : start + 4], "little"), data[pdu_at:-CRC_BYTES], data[-CRC_BYTES:])


_CODED: Final = 2
"""LE Coded among the PHYs, as both headers number them (Vol 6 Part B, 2.2: the coding indicator is its byte)."""
_SIGNAL_VALID, _DECRYPTED, _CRC_CHECKED, _CRC_VALID = 0x0002, 0x0008, 0x0400, 0x0800
_PHDR: Final = struct.Struct("<BbbBIH")
_TO_PERIPHERAL, _TO_CENTRAL = 2, 3


def _with_phdr(packet: Packet) -> AirFrame | None:
    if len(packet.data) < _PHDR.size:
        return None
    channel, signal, _, _, _, flags = _PHDR.unpack_from(packet.data)
    frame = _bare(packet, _PHDR.size, is_coded=flags >> 14 == _CODED)
    if frame is None:
        return None
    frame.channel = channel
    frame.rssi_dbm = signal if flags & _SIGNAL_VALID else None
    frame.decrypted = bool(flags & _DECRYPTED)
    frame.crc_ok = bool(flags & _CRC_VALID) if flags & _CRC_CHECKED else None
    way = flags >> 7 & 7
    frame.sender = {_TO_PERIPHERAL: Side.CENTRAL, _TO_CENTRAL: Side.PERIPHERAL}.get(way, Side.UNKNOWN)
    return frame


_PPI: Final = struct.Struct("<BBHI")
_PPI_LINKS: Final = (147, 251)
_PPI_BLE: Final = 30006


def _ppi(packet: Packet) -> AirFrame | None:
    if len(packet.data) < _PPI.size:
        return None
    _, _, length, link = _PPI.unpack_from(packet.data)
    if link not in _PPI_LINKS or length < _PPI.size or (frame := _bare(packet, length)) is None:
        return None
    if length >= _PPI.size + 16 and struct.unpack_from("<H", packet.data, _PPI.size)[0] == _PPI_BLE:
        frame.channel, frame.rssi_dbm = struct.unpack_from("<xHxxxxxb", packet.data, _PPI.size + 4)
    return frame


_NORDIC: Final = struct.Struct("<BHBHBBBBbHI")
"""Board; length, protocol version, counter, packet identifier (versions 2 and 3); then what the radio says."""
_NORDIC_V1: Final = struct.Struct("<BBBBHBBBBbHI")
_EVENT_PACKETS: Final = (0x02, 0x06)


def _nordic(packet: Packet) -> AirFrame | None:
    data = packet.data
    if len(data) < _NORDIC_V1.size:
        return None
    if data[3] in (2, 3):
        _, _, _, _, kind, length, flags, channel, rssi, _, _ = _NORDIC.unpack_from(data)
        start = 1 + 6 + length
    else:
        _, _, _, version, _, kind, length, flags, channel, rssi, _, _ = _NORDIC_V1.unpack_from(data)
        start = 1 + 6 + length
        if version != 1:
            return None
    if kind not in _EVENT_PACKETS:
        return None
    if (frame := _bare(packet, start, is_coded=flags >> 4 & 7 == _CODED)) is None:
        return None
    frame.crc_ok, frame.channel, frame.rssi_dbm = bool(flags & 1), channel, -abs(rssi)
    frame.sender = Side.CENTRAL if flags & 2 else Side.PERIPHERAL
    frame.decrypted = bool(flags & 4) and bool(flags & 8)
    return frame


UNWRAP: Final[dict[LinkType, Callable[[Packet], AirFrame | None]]] = {
    LinkType.LE_LINK_LAYER: _bare,
    LinkType.LE_LINK_LAYER_WITH_PHDR: _with_phdr,
    LinkType.PPI: _ppi,
    LinkType.NORDIC_BLE: _nordic,
}
"""For every link type that carries frames of the air; None for what is none."""
