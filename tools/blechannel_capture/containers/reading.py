"""What the readers of all formats have in common."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from blechannel_capture.containers.source import Source
from blechannel_capture.ledger import Damage, Ledger
from blechannel_capture.packet import MAX_PACKET_BYTES, Packet

Packets = Iterator[Packet]


@dataclass(slots=True)
class Reading:
    """One file that is being read: where its bytes come from, and where damage is entered."""

    source: Source
    ledger: Ledger
    number: int = 0
    """Of the last packet."""

    def fits(self, length: int, what: str) -> bool:
        """Whether a length may be believed; one that may not is entered."""
        if 0 <= length <= MAX_PACKET_BYTES:
            return True
        self.damaged(Damage.BAD_LENGTH, f"{what} of {length:,} bytes, where {MAX_PACKET_BYTES:,} are the most")
        return False

    def is_whole(self, taken: bytes, count: int, what: str, *, may_end: bool = False) -> bool:
        """Whether all bytes were there; a file that ends is entered, unless it may end before the first of them."""
        if len(taken) == count:
            return True
        why = f" ({self.source.unread})" if self.source.unread else ""
        if taken or why or not may_end:
            self.damaged(Damage.TRUNCATED, f"{what} has {len(taken)} of {count} bytes{why}", back=len(taken))
        return False

    def damaged(self, damage: Damage, detail: str, *, back: int = 0) -> None:
        """Enter damage of the record that is being read, `back` bytes before where reading stands."""
        self.ledger.note(damage, detail, packet=self.number + 1, offset=self.source.offset - back)
