"""The integrity ledger: what a capture lacks, and what is wrong with what it has.

Findings are only as good as the capture: whoever judges a session looks here for what may be missing.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import Enum
from typing import Final

from blechannel_capture.errors import DamagedCapture

MAX_ENTRIES_A_KIND: Final = 1000
"""Kept; more are only counted."""


class Damage(Enum):
    """What happened to the capture, or on the air."""

    TRUNCATED = "the file ends inside a record"
    BAD_LENGTH = "a record whose length cannot be"
    BAD_BLOCK = "a block that contradicts itself"
    UNKNOWN_LINK = "a link type that is not Bluetooth LE"
    SNAPPED = "a packet of which only the beginning was kept"
    DROPPED = "packets that the capturing program says it lost"
    TIME_JUMP = "a clock that jumps"
    BAD_PACKET = "a packet of the host's own interface whose length is not its own"
    BAD_CRC = "a frame whose checksum is wrong"
    MALFORMED = "a packet that contradicts itself"
    ORPHAN = "a continuation whose beginning is missing"
    UNFINISHED = "a beginning whose continuation is missing"
    GAP = "link-layer frames that the sniffer missed"
    STRAY = "a frame of an access address that was heard only once: noise, or all that was heard of a connection"
    RETRANSMITTED = "a frame that was sent again; counted once"

    @property
    def is_fatal(self) -> bool:
        """Whether strict reading stops there: all that a clean recording of a real radio never has."""
        return self not in _EXPECTED


_EXPECTED: Final = frozenset(
    {Damage.BAD_CRC, Damage.GAP, Damage.STRAY, Damage.RETRANSMITTED, Damage.TIME_JUMP, Damage.SNAPPED}
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger."""

    damage: Damage
    packet: int
    """Its number in the file, from 1; 0 where it concerns no packet."""
    offset: int
    """In bytes from the start of the (uncompressed) file; 0 where only the packet is known."""
    detail: str

    def __str__(self) -> str:
        where = f"packet {self.packet}" if self.packet else ""
        if self.offset or not self.packet:
            where += f"{' at ' if where else ''}byte {self.offset}"
        return f"{where}: {self.damage.value}: {self.detail}"


class Ledger:
    """Bounded: the first `MAX_ENTRIES_A_KIND` entries of a kind, and how many there were."""

    def __init__(self, *, strict: bool = False) -> None:
        self._strict = strict
        self.entries: list[Entry] = []
        self.counts: Counter[Damage] = Counter()

    def note(self, damage: Damage, detail: str, *, packet: int = 0, offset: int = 0) -> None:
        """Enter one line.

        Raises:
            DamagedCapture: reading is strict, and this is no everyday loss of a radio.
        """
        self.counts[damage] += 1
        if self._strict and damage.is_fatal:
            raise DamagedCapture(Entry(damage, packet, offset, detail))
        if self.counts[damage] <= MAX_ENTRIES_A_KIND:
            self.entries.append(Entry(damage, packet, offset, detail))
