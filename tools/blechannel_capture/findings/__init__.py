"""What is wrong with what a capture shows, said only as far as the capture allows.

One file a family; each is a `Watcher` of the capture's events.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Final

from blechannel_capture.events import Connection, Event
from blechannel_capture.findings.downgrades import Downgrades
from blechannel_capture.findings.finding import MEANINGS, Certainty, Finding, Kind, Level, Watcher
from blechannel_capture.findings.gaps import Gaps
from blechannel_capture.findings.handshakes import Handshakes
from blechannel_capture.findings.kept import Kept
from blechannel_capture.findings.linkability import Linkability
from blechannel_capture.findings.replays import Replays
from blechannel_capture.findings.sessions import Sessions
from blechannel_capture.findings.weak_points import WeakPoints
from blechannel_capture.gatt_map import GattMap
from blechannel_capture.ledger import Ledger

__all__ = ["MEANINGS", "Certainty", "Finding", "Findings", "Kept", "Kind", "Level"]

_PROVEN: Final = frozenset({Kind.NONCE_REUSE, Kind.COPIED_BOND, Kind.WEAK_POINT, Kind.REFLECTION})
"""What was opened under its key, or computed: bytes that changed in the file do not come out as one of these."""


class Findings:
    """All watchers at once. Feed every event, then `end`; what they gave goes through `in_hindsight`."""

    def __init__(self, ledger: Ledger, gatt: Callable[[Connection], GattMap]) -> None:
        self._gaps = Gaps(ledger)
        gaps = self._gaps
        self._watchers: tuple[Watcher, ...] = (
            Replays(gaps),
            Sessions(gaps),
            Downgrades(gaps),
            WeakPoints(),
            Handshakes(),
            Linkability(gatt),
        )

    def look(self, event: Event) -> Iterator[Finding]:
        """What this event shows."""
        self._gaps.look(event)
        for watcher in self._watchers:
            for finding in watcher.look(event):
                yield self._weighed(finding)

    def end(self) -> Iterator[Finding]:
        """What only the whole capture shows."""
        for watcher in self._watchers:
            for finding in watcher.end():
                yield self._weighed(finding)

    def in_hindsight(self, found: Iterable[Finding]) -> list[Finding]:
        """The same, as the capture up to here lets them stand: where its damage shows later, earlier ones suffer."""
        return [self._weighed(finding) for finding in found]

    def _weighed(self, finding: Finding) -> Finding:
        if finding.level is not Level.ATTACK or finding.kind in _PROVEN or not self._gaps.is_corrupted:
            return finding
        return replace(finding, certainty=Certainty.INCONCLUSIVE)
