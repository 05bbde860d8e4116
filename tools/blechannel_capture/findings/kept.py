"""Findings of a whole capture, bounded: whoever floods it with one kind hides no other."""

from __future__ import annotations

from collections import Counter
from typing import Final

from blechannel_capture.findings.finding import Certainty, Finding, Kind, Level

MAX_ALIKE: Final = 1000
"""Of one kind, level and certainty; more are only counted."""


class Kept:
    """The first `MAX_ALIKE` of each kind, in the order in which they were found."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[Kind, Level, Certainty]] = Counter()
        self.findings: list[Finding] = []

    def add(self, finding: Finding) -> None:
        """One more."""
        alike = finding.kind, finding.level, finding.certainty
        self._counts[alike] += 1
        if self._counts[alike] <= MAX_ALIKE:
            self.findings.append(finding)

    @property
    def left_out(self) -> int:
        """How many are only counted."""
        return self._counts.total() - len(self.findings)
