"""pcapng: sections of either byte order, several interfaces, comments and secrets.

Source: "PCAP Now Generic (pcapng) Capture File Format" (draft-ietf-opsawg-pcapng), sections 4.1 to 4.7.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from blechannel_capture.containers.pcap import LINK_TYPES
from blechannel_capture.containers.reading import Packets, Reading
from blechannel_capture.ledger import Damage
from blechannel_capture.packet import LinkType, Packet

MAGIC: Final = bytes.fromhex("0a0d0d0a")
SECTION, INTERFACE, SIMPLE, STATISTICS, ENHANCED, SECRETS = 0x0A0D0D0A, 1, 3, 5, 6, 10
MIN_BLOCK_BYTES: Final = 12
MAX_BLOCK_BYTES: Final = 1 << 20
MAX_INTERFACES: Final = 1024
MAX_REMARKS: Final = 1000
_ORDERS: Final = {bytes.fromhex("1a2b3c4d"): ">", bytes.fromhex("4d3c2b1a"): "<"}
_ENDS, _COMMENT, _FLAGS, _DROPPED, _RESOLUTION, _SHIFT = 0, 1, 2, 4, 9, 14
_IF_DROPPED, _OS_DROPPED = 5, 7
_MICROSECONDS: Final = 6


@dataclass(slots=True)
class Remarks:
    """What a pcapng file says beside its packets; each list is bounded by `MAX_REMARKS`."""

    comments: list[tuple[int, str]] = field(default_factory=list)
    """The packet's number, 0 for the file, and the text."""
    secrets: list[tuple[int, bytes]] = field(default_factory=list, repr=False)
    """The secrets' type and bytes, such as a key log."""

    def comment(self, number: int, text: bytes) -> None:
        """Keep a comment."""
        if len(self.comments) < MAX_REMARKS:
            self.comments.append((number, text.decode("utf-8", "replace")))


@dataclass(slots=True)
class _Interface:
    link_type: LinkType | None
    snap_bytes: int
    per_second: int = 10**_MICROSECONDS
    shift_s: int = 0

    def time_ns(self, units: int) -> int:
        return units * 1_000_000_000 // self.per_second + self.shift_s * 1_000_000_000


def read_pcapng(reading: Reading, remarks: Remarks) -> Packets:
    """The packets of a pcapng file; comments and secrets go to `remarks` as they are met."""
    return _Blocks(reading, remarks).packets()


class _Blocks:
    """One file's blocks, and what the section under way has declared."""

    def __init__(self, reading: Reading, remarks: Remarks) -> None:
        self._reading = reading
        self._remarks = remarks
        self._order = "<"
        self._interfaces: list[_Interface] = []
        self._offset = 0

    def packets(self) -> Packets:
        while (block := self._block()) is not None:
            kind, body = block
            if kind == ENHANCED:
                packet = self._enhanced(body)
            elif kind == SIMPLE:
                packet = self._simple(body)
            else:
                self._take(kind, body)
                continue
            if packet is not None:
                yield packet

    def _block(self) -> tuple[int, bytes] | None:
        """The next block's type and body; None where the file ends or cannot be read on."""
        reading, self._offset = self._reading, self._reading.source.offset
        head = reading.source.take(8)
        if not reading.is_whole(head, 8, "a block's header", may_end=True):
            return None
        if head[:4] == MAGIC:
            order = _ORDERS.get(reading.source.peek(4))
            if order is None:
                reading.damaged(Damage.BAD_BLOCK, "a section without a byte order", back=8)
                return None
            self._order, self._interfaces = order, []
        kind, length = struct.unpack(self._order + "II", head)
        if not MIN_BLOCK_BYTES <= length <= MAX_BLOCK_BYTES or length % 4:
            limits = f"{MIN_BLOCK_BYTES} to {MAX_BLOCK_BYTES:,} in steps of 4"
            reading.damaged(Damage.BAD_LENGTH, f"a block of {length:,} bytes, where {limits} are possible", back=8)
            return None
        rest = reading.source.take(length - 8)
        if not reading.is_whole(rest, length - 8, "a block"):
            return None
        if struct.unpack_from(self._order + "I", rest, length - 12)[0] != length:
            reading.damaged(Damage.BAD_BLOCK, "a block whose two lengths differ", back=length)
        return kind, rest[:-4]

    def _take(self, kind: int, body: bytes) -> None:
        """A block that is no packet."""
        try:
            if kind == SECTION:
                self._comments(body, 16)
            elif kind == INTERFACE:
                self._interface(body)
            elif kind == STATISTICS:
                self._statistics(body)
            elif kind == SECRETS and len(self._remarks.secrets) < MAX_REMARKS:
                secrets, length = struct.unpack_from(self._order + "II", body)
                self._remarks.secrets.append((secrets, body[8 : 8 + length]))
        except struct.error:
            self._bad(f"a block of type {kind} that is too short")

    def _interface(self, body: bytes) -> None:
        number, _, snap_bytes = struct.unpack_from(self._order + "HHI", body)
        made = _Interface(LINK_TYPES.get(number), snap_bytes)
        if len(self._interfaces) >= MAX_INTERFACES:
            self._bad(f"more than {MAX_INTERFACES} interfaces")
            return
        if made.link_type is None:
            self._reading.ledger.note(
                Damage.UNKNOWN_LINK, f"interface {len(self._interfaces)} has link type {number}", offset=self._offset
            )
        for code, value in self._options(body, 8):
            if code == _RESOLUTION and len(value) == 1:
                made.per_second = 2 ** (value[0] & 0x7F) if value[0] & 0x80 else 10 ** min(value[0], 18)
            elif code == _SHIFT and len(value) == 8:
                made.shift_s = struct.unpack(self._order + "q", value)[0]
            elif code == _COMMENT:
                self._remarks.comment(0, value)
        self._interfaces.append(made)

    def _statistics(self, body: bytes) -> None:
        for code, value in self._options(body, 12):
            if code in (_IF_DROPPED, _OS_DROPPED) and len(value) == 8:
                self._dropped(struct.unpack(self._order + "Q", value)[0], 0)

    def _enhanced(self, body: bytes) -> Packet | None:
        if len(body) < 20:
            self._bad("a packet block that is too short")
            return None
        number, high, low, length, original = struct.unpack_from(self._order + "IIIII", body)
        end = 20 + length
        if number >= len(self._interfaces) or end > len(body):
            self._bad(f"a packet of {length:,} bytes on interface {number}")
            return None
        reading, on = self._reading, self._interfaces[number]
        reading.number += 1
        if on.link_type is None:
            return None
        flags = 0
        if end + 4 <= len(body):
            flags = self._packet_options(body, end + -end % 4)
        data, missing = body[20:end], max(original - length, 0)
        time_ns = on.time_ns(high << 32 | low)
        return Packet(reading.number, time_ns, on.link_type, flags, data, missing, self._offset, number)

    def _packet_options(self, body: bytes, start: int) -> int:
        """The packet's flags; comments and losses are noted."""
        flags = 0
        for code, value in self._options(body, start):
            if code == _COMMENT:
                self._remarks.comment(self._reading.number, value)
            elif code == _FLAGS and len(value) == 4:
                flags = struct.unpack(self._order + "I", value)[0]
            elif code == _DROPPED and len(value) == 8:
                self._dropped(struct.unpack(self._order + "Q", value)[0], self._reading.number)
        return flags

    def _simple(self, body: bytes) -> Packet | None:
        if len(body) < 4 or not self._interfaces:
            self._bad("a simple packet block that is too short, or without an interface")
            return None
        on = self._interfaces[0]
        original = struct.unpack_from(self._order + "I", body)[0]
        length = min(original, len(body) - 4, on.snap_bytes or original)
        self._reading.number += 1
        if on.link_type is None:
            return None
        data, missing = body[4 : 4 + length], original - length
        return Packet(self._reading.number, 0, on.link_type, 0, data, missing, self._offset)

    def _options(self, body: bytes, start: int) -> Iterator[tuple[int, bytes]]:
        while start + 4 <= len(body):
            code, length = struct.unpack_from(self._order + "HH", body, start)
            if code == _ENDS:
                return
            if start + 4 + length > len(body):
                self._bad(f"an option of {length} bytes that does not fit its block")
                return
            yield code, body[start + 4 : start + 4 + length]
            start += 4 + length + -length % 4

    def _comments(self, body: bytes, start: int) -> None:
        for code, value in self._options(body, start):
            if code == _COMMENT:
                self._remarks.comment(0, value)

    def _dropped(self, count: int, number: int) -> None:
        if count:
            self._reading.ledger.note(Damage.DROPPED, f"{count} packets", packet=number, offset=self._offset)

    def _bad(self, detail: str) -> None:
        self._reading.ledger.note(Damage.BAD_BLOCK, detail, packet=self._reading.number + 1, offset=self._offset)
