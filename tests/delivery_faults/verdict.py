"""Compares what was sent with what was received."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from blechannel.delivery.policies import BestEffort, Ordered
from tests.delivery_faults.traffic import POLICIES, Plan, body, digest_of

SENT: Final = "SELECT number FROM app_sent WHERE port = ? ORDER BY number"
RECEIVED: Final = "SELECT number, digest FROM app_received WHERE port = ? ORDER BY place"


@dataclass(slots=True)
class Verdict:
    """What became of the messages of a run."""

    sent: int = 0
    received: int = 0
    faults: list[str] = field(default_factory=list)

    def kinds(self) -> set[str]:
        """The first words of the faults."""
        return {fault.partition(":")[0] for fault in self.faults}


def judge(folder: Path, plan: Plan) -> Verdict:
    """Both directions of every port."""
    verdict = Verdict()
    for sender, receiver in (("watch", "phone"), ("phone", "watch")):
        for port in POLICIES:
            where = f"{sender} to {receiver}, {port}"
            sent = _rows(folder / f"{sender}.queues", SENT, port)
            received = _rows(folder / f"{receiver}.queues", RECEIVED, port)
            _compare(verdict, where, port, [n for (n,) in sent], [n for n, _ in received])
            changed = [n for n, digest in received if digest != digest_of(body(plan, sender, port, n))]
            if changed:
                verdict.faults.append(f"changed: {where}: {changed[:5]}")
    return verdict


def _rows(file: Path, query: str, port: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(file)) as opened:
        return opened.execute(query, (port,)).fetchall()


def _compare(verdict: Verdict, where: str, port: str, sent: list[int], received: list[int]) -> None:
    verdict.sent += len(sent)
    verdict.received += len(received)
    policy = POLICIES[port]
    seen = set(received)
    if len(seen) != len(received):
        twice = sorted(n for n in seen if received.count(n) > 1)
        verdict.faults.append(f"twice: {where}: {twice[:5]}")
    if any(later < earlier for earlier, later in pairwise(received)):
        verdict.faults.append(f"order: {where}")
    if seen - set(sent):
        verdict.faults.append(f"never sent: {where}: {sorted(seen - set(sent))[:5]}")
    owed = set(sent) if isinstance(policy, Ordered) else set() if isinstance(policy, BestEffort) else set(sent[-1:])
    if owed - seen:
        verdict.faults.append(f"lost: {where}: {sorted(owed - seen)[:5]}")
