"""What is known of all that one side sends on a connection."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from blechannel_capture.channel.joining import Joiner
from blechannel_capture.channel.opening import Opener

REMEMBERED: Final = 4096
"""Records by whose hashes a repetition is known."""


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
        self._recent: OrderedDict[int, None] = OrderedDict()

    def came_before(self, frame: bytes) -> bool:
        """Whether the same sealed record was there before, among the last `REMEMBERED`; remembers it."""
        # Of all its bytes: a copy that was changed on the way keeps its tag, and is no repetition.
        number, recent = hash(frame), self._recent
        if number in recent:
            return True
        recent[number] = None
        if len(recent) > REMEMBERED:
            recent.popitem(last=False)
        return False
