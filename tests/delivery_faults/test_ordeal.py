"""Real processes, files and links under SIGKILL: nothing is lost, nothing comes twice, and the order is kept.

The seed is in BLECHANNEL_SEED, or drawn and printed.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import pytest

from tests.delivery_faults.ordeal import NotFinished, Ordeal, undergo
from tests.delivery_faults.traffic import Plan
from tests.delivery_faults.verdict import Verdict

LONGEST_S = {"tcp": 0.6, "bumble": 2.0}
"""Between two kills: a link over an HCI controller takes longer to stand."""
LARGE_BYTES = {"tcp": 100_000, "bumble": 30_000}
SHORT_OF_PARTS = 200


def ordeal(transport: str, kills: int, *, bug: str = "") -> Ordeal:
    seed = int(os.environ.get("BLECHANNEL_SEED") or secrets.randbits(32))
    large_bytes = SHORT_OF_PARTS if bug else LARGE_BYTES[transport]
    print(f"\nseed {seed}: {kills} kills over {transport}")
    return Ordeal(
        transport=transport,
        kills=kills,
        longest_s=LONGEST_S[transport],
        plan=Plan(seed, large_bytes, pause_s=0.01),
        bug=bug,
    )


def check(verdict: Verdict) -> None:
    print(f"{verdict.sent} messages sent, {verdict.received} received: {verdict.faults or 'no fault'}")
    assert verdict.sent > verdict.received > 0  # of the newest value and of best effort, not all arrive
    assert verdict.faults == []


@pytest.mark.system
@pytest.mark.parametrize("transport", ["tcp", "bumble"])
def test_thirty_kills(tmp_path: Path, transport: str) -> None:
    check(undergo(ordeal(transport, 30), tmp_path))


@pytest.mark.long
@pytest.mark.parametrize("transport", ["tcp", "bumble"])
def test_two_hundred_and_fifty_kills(tmp_path: Path, transport: str) -> None:
    check(undergo(ordeal(transport, 250), tmp_path))


@pytest.mark.system
@pytest.mark.parametrize(
    ("bug", "faults"),
    [
        ("acknowledges before storing", {"lost"}),
        # What is stored again comes twice, or, where a newer value has taken its place, late.
        ("forgets what was stored", {"twice", "order"}),
        ("shows the newest first", {"order"}),
    ],
)
def test_the_harness_sees_what_is_broken(tmp_path: Path, bug: str, faults: set[str]) -> None:
    try:
        verdict = undergo(ordeal("tcp", 30, bug=bug), tmp_path)
    except NotFinished as error:
        pytest.fail(f"the harness judges what arrived, and here it could not: {error}")
    assert faults & verdict.kinds()
