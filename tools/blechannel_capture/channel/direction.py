"""What is known of all that one side sends on a connection."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from blechannel.noise.functions import TAG_BYTES
from blechannel.wire.header import FRAME_HEADER_BYTES
from blechannel_capture.channel.joining import Joiner
from blechannel_capture.channel.opening import Opener

REMEMBERED: Final = 4096
"""Records by whose tags a repetition is known."""


class Direction:
    """One side's fragments, and its records as far as they are opened."""

    __slots__ = ("_recent", "closed", "has_gap", "joiner", "opener")

    def __init__(self) -> None:
        self.joiner = Joiner()
        self.opener: Opener | None = None
        """None while there are no keys."""
        self.has_gap = False
        """Whether something of it is missing in the capture."""
        self.closed = 0
        """Records since the last one that opened: they have numbers, too."""
        # A plain dict is slow to find its oldest entry, once many before it were removed.
        self._recent: OrderedDict[bytes, None] = OrderedDict()

    def came_before(self, frame: bytes) -> bool:
        """Whether the same sealed record was there before, among the last `REMEMBERED`; remembers it."""
        tag, recent = frame[:FRAME_HEADER_BYTES] + frame[-TAG_BYTES:], self._recent
        if tag in recent:
            return True
        recent[tag] = None
        if len(recent) > REMEMBERED:
            recent.popitem(last=False)
        return False
