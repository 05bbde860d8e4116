"""One direction's fragments joined to frames by somebody who only listens (protocol, "Fragments").

What runs is written by hand for speed; a test holds it to `FRAGMENT`, the declaration.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from blechannel.limits import MAX_FRAGMENT_BYTES
from blechannel.wire.fragments import FRAGMENT_HEADER_BYTES
from blechannel.wire.header import FRAME_HEADER_BYTES, frame_length

NUMBERS: Final = 128
_FRAME_AT: Final = FRAGMENT_HEADER_BYTES + FRAME_HEADER_BYTES
_MARK: Final = 0x80
_NUMBER: Final = 0x7F


class Oddity(Enum):
    """What is wrong with a fragment, as far as a listener can tell."""

    NOT_OURS = "no fragment of this protocol"
    LOST = "fragments before it are missing"
    REPEATED = "a fragment that was there before"
    UNFINISHED = "a frame begins before the one before it was whole"
    NO_START = "the beginning of its frame is missing"
    LENGTH_LIES = "more bytes than the frame's length says"


@dataclass(slots=True)
class Joined:
    """What one fragment did."""

    frame: bytes | None = None
    """The frame that it completed, header included."""
    began: int = 0
    """The packet that the frame began in."""
    oddities: tuple[Oddity, ...] = ()
    missing: int = 0
    """How many fragments are missing before it; counted modulo 128, so that a long gap looks shorter."""


class Joiner:
    """One direction of one connection."""

    def __init__(self) -> None:
        self._expected: int | None = None
        self._parts: bytearray | None = None
        self._began = 0
        self._seen: dict[int, bytes] = {}
        self.data_fragments = 0
        self.control_fragments = 0

    def whole(self, value: bytes) -> bytes | None:
        """The frame, header included, of the next fragment where it holds one from its beginning to its end.

        None, and nothing is done, for every other value: that is for `take`. Most values are such a fragment.
        """
        number, length = self._expected, len(value)
        if number is None or self._parts is not None or not _FRAME_AT <= length <= MAX_FRAGMENT_BYTES:
            return None
        if value[0] != _MARK | number or value[1] >= _MARK or length != _FRAME_AT + (value[3] << 8 | value[4]):
            return None
        self.data_fragments += 1
        self._expected = number + 1 & _NUMBER
        self._seen[number] = value
        return value[FRAGMENT_HEADER_BYTES:]

    def take(self, value: bytes, packet: int) -> Joined:
        """Any GATT value."""
        if not FRAGMENT_HEADER_BYTES <= len(value) <= MAX_FRAGMENT_BYTES:
            return Joined(oddities=(Oddity.NOT_OURS,))
        is_control = bool(value[1] & _MARK)
        if is_control != (len(value) == FRAGMENT_HEADER_BYTES):
            return Joined(oddities=(Oddity.NOT_OURS,))
        if is_control:
            self.control_fragments += 1
            return Joined()
        self.data_fragments += 1
        number, starts, data = value[0] & _NUMBER, bool(value[0] & _MARK), value[FRAGMENT_HEADER_BYTES:]
        if self._expected is None:
            self._expected = number
        missing = (number - self._expected) % NUMBERS
        if missing >= NUMBERS // 2 and _is_same(self._seen.get(number), value):
            return Joined(oddities=(Oddity.REPEATED,))
        self._expected = (number + 1) % NUMBERS
        self._seen[number] = value
        joined = self._join(data, packet, starts=starts, gap=missing > 0)
        joined.missing = missing
        return joined

    def acknowledged(self, value: bytes) -> int:
        """How many fragments of this direction a fragment of the other one acknowledges that were never seen."""
        number, expected = value[1] & _NUMBER, self._expected or 0
        missing = (number - expected) % NUMBERS
        if missing >= NUMBERS // 2:
            return 0
        if missing:
            self._expected, self._parts = number, None
        return missing

    def _join(self, data: bytes, packet: int, *, starts: bool, gap: bool) -> Joined:
        oddities: tuple[Oddity, ...] = (Oddity.LOST,) if gap else ()
        if gap:
            self._parts = None
        if starts:
            if self._parts is not None:
                oddities += (Oddity.UNFINISHED,)
            self._parts, self._began = bytearray(), packet
        parts = self._parts
        if parts is None:
            return Joined(oddities=(*oddities, Oddity.NO_START))
        parts += data
        if len(parts) < FRAME_HEADER_BYTES or len(parts) < (whole := frame_length(bytes(parts[:FRAME_HEADER_BYTES]))):
            return Joined(oddities=oddities)
        self._parts = None
        if len(parts) > whole:
            return Joined(oddities=(*oddities, Oddity.LENGTH_LIES))
        return Joined(bytes(parts), self._began, oddities)


def _is_same(before: bytes | None, value: bytes) -> bool:
    """Whether two fragments differ in nothing but what they acknowledge."""
    return before is not None and before[:1] == value[:1] and before[2:] == value[2:]
