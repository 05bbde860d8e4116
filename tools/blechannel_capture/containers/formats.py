"""Which format a file has: told by its first bytes, never by its name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import BinaryIO

from blechannel_capture.containers import btsnoop, pcap, pcapng
from blechannel_capture.containers.checked import checked
from blechannel_capture.containers.packet_logger import HEADER_BYTES, byte_order_of, read_packet_logger
from blechannel_capture.containers.pcapng import Remarks
from blechannel_capture.containers.reading import Packets, Reading
from blechannel_capture.containers.source import Source, decompressed, never
from blechannel_capture.errors import NotACapture
from blechannel_capture.ledger import Ledger


class Format(Enum):
    """The formats of capture files that are read."""

    BTSNOOP = "btsnoop"
    PCAP = "pcap"
    PCAPNG = "pcapng"
    PACKET_LOGGER = "PacketLogger"


@dataclass(frozen=True, slots=True)
class Container:
    """A capture file whose packets can be read, once."""

    format: Format
    packets: Packets
    remarks: Remarks
    """Filled while the packets are read."""


def format_of(start: bytes) -> Format:
    """The format of a file that begins with these 16 bytes.

    Raises:
        NotACapture: none that is known.
    """
    if start.startswith(btsnoop.MAGIC):
        return Format.BTSNOOP
    if start.startswith(pcapng.MAGIC):
        return Format.PCAPNG
    if start.startswith(pcap.MAGICS):
        return Format.PCAP
    if byte_order_of(start):
        return Format.PACKET_LOGGER
    if not start:
        raise NotACapture("the file is empty")
    raise NotACapture(
        "this is no btsnoop, pcap, pcapng or PacketLogger file: its first bytes are " + start[:8].hex(" ")
    )


def open_container(file: BinaryIO, ledger: Ledger, *, wait: Callable[[], bool] = never) -> Container:
    """The packets of a capture file, plain or gzip; damage is entered into `ledger`.

    `wait` is asked at the end of the file whether to look again: that is how a growing file is followed.

    Raises:
        NotACapture: no format that is known.
    """
    reading = Reading(Source(decompressed(file), wait=wait), ledger)
    remarks = Remarks()
    start = reading.source.peek(max(HEADER_BYTES, 16))
    if not start and reading.source.unread:
        raise NotACapture(reading.source.unread)
    found = format_of(start)
    match found:
        case Format.BTSNOOP:
            packets = btsnoop.read_btsnoop(reading)
        case Format.PCAP:
            packets = pcap.read_pcap(reading)
        case Format.PCAPNG:
            packets = pcapng.read_pcapng(reading, remarks)
        case Format.PACKET_LOGGER:
            packets = read_packet_logger(reading)
    return Container(found, checked(packets, ledger), remarks)
