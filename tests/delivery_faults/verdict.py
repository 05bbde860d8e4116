"""Compares what was sent with what was received."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from blechannel.delivery.policies import BestEffort, Ordered
from tests.delivery_faults.traffic import POLICIES, Plan, body, digest_of


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
        with closing(sqlite3.connect(folder / f"{sender}.queues")) as sent_in:
            with closing(sqlite3.connect(folder / f"{receiver}.queues")) as received_in:
                for port in POLICIES:
                    sent = [
                        n
                        for (n,) in sent_in.execute(
                            "SELECT number FROM app_sent WHERE port = ? ORDER BY number", (port,)
                        )
                    ]
                    query = "SELECT number, digest FROM app_received WHERE port = ? ORDER BY place"
                    received = received_in.execute(query, (port,)).fetchall()
                    _compare(verdict, f"{sender} to {receiver}, {port}", port, sent, [n for n, _ in received])
                    for number, digest in received:
                        if digest != digest_of(body(plan, sender, port, number)):
                            verdict.faults.append(f"changed: {sender} to {receiver}, {port}: {number}")
    return verdict


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
