"""Findings are bounded by kind, so that none is hidden by many of another."""

from __future__ import annotations

from blechannel_capture.findings import Certainty, Finding, Kept, Kind, Level
from blechannel_capture.findings.kept import MAX_ALIKE


def finding(kind: Kind, level: Level = Level.ATTACK, certainty: Certainty = Certainty.CERTAIN) -> Finding:
    return Finding(kind, level, certainty, (1,), 1, "again")


def test_many_of_one_kind_hide_no_other() -> None:
    kept = Kept()
    for _ in range(MAX_ALIKE + 7):
        kept.add(finding(Kind.REPLAY, certainty=Certainty.INCONCLUSIVE))
        kept.add(finding(Kind.CUT_OFF, Level.NOTE))
    late = [finding(Kind.REPLAY), finding(Kind.ALTERED)]
    for each in late:
        kept.add(each)
    assert kept.findings[-2:] == late
    assert len(kept.findings) == 2 * MAX_ALIKE + 2
    assert kept.left_out == 14
