"""Everything that can happen to a bond's epochs on several links, nearest first, and what fails in a worse protocol.

A phone is never locked out of the watch that it is bonded with; no session outlives its epoch; a copy is seen where
there is one and nowhere else. The numbers of states are printed (pytest -s).
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.model.explore import Explored, explore
from tests.model.ratchet import Ratchet, State

ONE_LINK, TWO_LINKS, THREE_LINKS = (Ratchet(links=n, candidates=n) for n in (1, 2, 3))
LOCKED_OUT = "nobody who holds the bond is known"
SOON = 6000
"""States within which every worse protocol is caught, and beyond which the right one is explored."""

WORSE = {
    "a candidate less than links, of two": (replace(TWO_LINKS, candidates=1), LOCKED_OUT),
    "a candidate less than links, of three": (replace(THREE_LINKS, candidates=2), LOCKED_OUT),
    "a phone with two reconnects at once": (replace(TWO_LINKS, one_at_a_time=False), LOCKED_OUT),
    "record 0 before the phone has stored": (replace(ONE_LINK, stores_before_ready=False), LOCKED_OUT),
    "what was overtaken counts as evidence": (
        replace(TWO_LINKS, retired_since_info_is_evidence=True),
        "a copy was seen where there is none",
    ),
}


def explored(ratchet: Ratchet, most_states: int) -> Explored[State]:
    found = explore(ratchet, most_states=most_states)
    print(f"\n{ratchet}: {found}")
    return found


@pytest.mark.parametrize("copied", [False, True], ids=["", "copied"])
def test_everything_on_one_link(copied: bool) -> None:
    found = explored(replace(ONE_LINK, can_be_copied=copied), 10_000)
    assert found.broken is None
    assert found.complete


@pytest.mark.parametrize(
    "ratchet", [TWO_LINKS, THREE_LINKS, replace(TWO_LINKS, can_be_copied=True)], ids=["two", "three", "two, copied"]
)
def test_what_is_near_on_several_links(ratchet: Ratchet) -> None:
    assert explored(ratchet, 2 * SOON).broken is None


@pytest.mark.parametrize("name", WORSE)
def test_a_worse_ratchet_fails(name: str) -> None:
    ratchet, why = WORSE[name]
    found = explored(ratchet, SOON)
    assert found.broken == why
    assert found.way


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("ratchet", "most_states"),
    [
        (THREE_LINKS, 1_000_000),
        (Ratchet(links=4, candidates=4), 500_000),
        (replace(TWO_LINKS, can_be_copied=True), 1_000_000),
        (replace(THREE_LINKS, can_be_copied=True), 500_000),
    ],
    ids=["three", "four", "two, copied", "three, copied"],
)
def test_what_is_far_on_several_links(ratchet: Ratchet, most_states: int) -> None:
    assert explored(ratchet, most_states).broken is None


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_everything_on_two_links() -> None:
    found = explored(TWO_LINKS, 1_000_000)
    assert found.broken is None
    assert found.complete
