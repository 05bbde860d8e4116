"""Where the capture has holes or is damaged: what is asked before anybody is accused."""

from __future__ import annotations

from typing import Final

from blechannel_capture.channel.events import OddFragment
from blechannel_capture.channel.joining import Oddity
from blechannel_capture.events import Connected, Event
from blechannel_capture.findings.finding import Certainty
from blechannel_capture.ledger import Damage, Ledger
from blechannel_capture.recent import remember

REMEMBERED: Final = 4096
"""Connections; of one before them nothing is certain."""

_HOLES = (Damage.TRUNCATED, Damage.BAD_LENGTH, Damage.BAD_BLOCK, Damage.DROPPED, Damage.SNAPPED)
"""Whatever was lost with these may have been anything."""
_ON_THE_AIR = (Damage.GAP, Damage.BAD_CRC)
_CORRUPTED = (Damage.BAD_LENGTH, Damage.BAD_BLOCK, Damage.BAD_PACKET, Damage.TIME_JUMP)
"""No peer can cause these, however it misbehaves: bytes of the file are others than those that were written."""


class Gaps:
    """Keep it up to date with `look`."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._is_whole: dict[int, bool] = {}

    def look(self, event: Event) -> None:
        """Learn from an event."""
        if isinstance(event, OddFragment) and event.oddity in (Oddity.LOST, Oddity.NO_START):
            remember(self._is_whole, event.connection.number, False, REMEMBERED)
        elif isinstance(event, Connected) and event.seen:
            remember(self._is_whole, event.connection.number, True, REMEMBERED)

    @property
    def is_corrupted(self) -> bool:
        """Whether bytes of the file were changed, as far as it was read: then any other byte may be, too."""
        return any(self._ledger.counts[each] for each in _CORRUPTED)

    def certainty(self, connection: int) -> Certainty:
        """Whether something about that connection can be said with certainty now."""
        is_whole = self._is_whole.get(connection, False) and not any(
            self._ledger.counts[each] for each in (*_HOLES, *_ON_THE_AIR)
        )
        return Certainty.CERTAIN if is_whole else Certainty.INCONCLUSIVE
