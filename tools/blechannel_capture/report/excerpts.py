"""The packets around what was found, in words and bounded: what a finding's links lead to."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from blechannel.wire.frames import Record
from blechannel_capture.channel.events import ChannelFrame
from blechannel_capture.events import Event
from blechannel_capture.findings import Finding
from blechannel_capture.recent import remember
from blechannel_capture.words import in_words

BEFORE, AFTER = 5, 3
"""Packets shown around one that was found."""
MAX_ROWS: Final = 1500
MAX_HANDSHAKE_ROWS: Final = 1000
MAX_WORDS: Final = 6
"""Events shown of one packet."""


@dataclass(slots=True)
class Row:
    """One packet that says something."""

    packet: int
    time_ns: int
    order: int
    """Among the packets that say something."""
    words: list[str] = field(default_factory=list)
    is_found: bool = False


class Excerpts:
    """Feed every event, and behind it what was found with it."""

    def __init__(self) -> None:
        self._rows: dict[int, Row] = {}
        self._recent: deque[Row] = deque(maxlen=BEFORE + 1)
        self._handshakes: dict[int, Row] = {}
        self._wanted_after = 0
        self._count = 0

    def look(self, event: Event) -> None:
        """Another event."""
        if not self._recent or self._recent[-1].packet != event.packet:
            row = Row(event.packet, event.time_ns, self._count)
            self._count += 1
            self._recent.append(row)
            if self._wanted_after:
                self._wanted_after -= 1
                self._keep(row)
        row = self._recent[-1]
        if len(row.words) < MAX_WORDS:
            row.words.append(in_words(event))
        if isinstance(event, ChannelFrame) and not isinstance(event.frame, Record):
            remember(self._handshakes, event.packet, row, MAX_HANDSHAKE_ROWS)

    def found(self, finding: Finding) -> None:
        """What is around its packets is kept, as far as it is still known."""
        known = self._handshakes | {row.packet: row for row in self._recent}
        for number in finding.packets:
            if (row := known.get(number)) is not None:
                self._keep(row)
                row.is_found = number in self._rows
        if finding.packets and self._recent and finding.packets[-1] == self._recent[-1].packet:
            for row in self._recent:
                self._keep(row)
            self._wanted_after = AFTER

    def rows(self) -> list[Row]:
        """In the order of the file."""
        return [self._rows[number] for number in sorted(self._rows)]

    def _keep(self, row: Row) -> None:
        if len(self._rows) < MAX_ROWS:
            self._rows[row.packet] = row
