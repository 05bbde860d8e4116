"""Everything that can happen to a bond's epochs on several links, nearest first, and what fails in a worse protocol.

A phone is never locked out of the watch that it is bonded with; no session outlives its epoch; a copy is seen where
there is one and nowhere else. Where the watch's store is put back or copied, the phone is served by the one watch that
it has moved with, or is not recognised because that one's book has gone back behind it; nobody takes it for a copy. The
numbers of states are printed (pytest -s). Where both stores are copied, the same is true of each watch by itself.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.model.explore import Explored, explore
from tests.model.ratchet import Ratchet
from tests.model.ratchet_state import State

ONE_LINK, TWO_LINKS, THREE_LINKS = (Ratchet(links=n, candidates=n) for n in (1, 2, 3))
FALLING_BACK = Ratchet(links=1, candidates=4, falls_back=True)
BOTH_COPIED = replace(ONE_LINK, can_be_copied=True, watch_can_be_copied=True)
LOCKED_OUT = "nobody who holds the bond is known"
SOON = 6000
"""States within which every worse protocol is caught, and beyond which the right one is explored."""

NEAR = SOON + 1000
"""States of the right one in `make test`; the long tests go on from there."""

WORSE = {
    "a candidate less than links, of two": (replace(TWO_LINKS, candidates=1), LOCKED_OUT),
    "a candidate less than links, of three": (replace(THREE_LINKS, candidates=2), LOCKED_OUT),
    "a phone with two reconnects at once": (replace(TWO_LINKS, one_at_a_time=False), LOCKED_OUT),
    "record 0 before the phone has stored": (replace(ONE_LINK, stores_before_ready=False), LOCKED_OUT),
    "what was overtaken counts as evidence": (
        replace(TWO_LINKS, retired_since_info_is_evidence=True),
        "a copy was seen where there is none",
    ),
    "a watch that goes on accepting what it has left": (
        replace(TWO_LINKS, accepts_retired=True, can_be_copied=True),
        "a copy was used and nobody is shut out",
    ),
    "a watch that goes on accepting what it has left, and copies of both": (
        replace(BOTH_COPIED, accepts_retired=True),
        "a copy was used and nobody is shut out",
    ),
    "a phone that falls back to what it has left, and a copied watch": (
        replace(FALLING_BACK, watch_can_be_copied=True),
        "both the watch and its copy serve the phone",
    ),
    "a phone that falls back to what it has left, and a watch put back": (
        replace(FALLING_BACK, restores=1),
        "a watch that was put back serves a phone that had moved on",
    ),
}
NEAR_BOTH = 4000
"""States with copies of both stores that a second affords."""
STORES = {
    "": ONE_LINK,
    "phone copied": replace(ONE_LINK, can_be_copied=True),
    "watch copied": replace(ONE_LINK, watch_can_be_copied=True),
    "watch put back": replace(ONE_LINK, restores=2),
}
"""What may happen to the files, on one link."""
FAR = {
    "one, watch copied and put back": (replace(ONE_LINK, watch_can_be_copied=True, restores=2), 500_000),
    "three": (THREE_LINKS, 1_000_000),
    "four": (Ratchet(links=4, candidates=4), 500_000),
    "two, phone copied": (replace(TWO_LINKS, can_be_copied=True), 1_000_000),
    "three, phone copied": (replace(THREE_LINKS, can_be_copied=True), 500_000),
    "two, watch copied": (replace(TWO_LINKS, watch_can_be_copied=True), 500_000),
    "two, watch put back": (replace(TWO_LINKS, restores=2), 500_000),
    "one, both copied": (BOTH_COPIED, 500_000),
    "two, both copied": (replace(BOTH_COPIED, links=2, candidates=2), 500_000),
    "two, watch copied and put back": (replace(TWO_LINKS, watch_can_be_copied=True, restores=2), 500_000),
}


def explored(ratchet: Ratchet, most_states: int) -> Explored[State]:
    found = explore(ratchet, most_states=most_states)
    print(f"\n{ratchet}: {found}")
    return found


@pytest.mark.parametrize("stores", STORES)
def test_everything_on_one_link(stores: str) -> None:
    found = explored(STORES[stores], 10_000)
    assert found.broken is None
    assert found.complete


@pytest.mark.parametrize("stores", STORES)
def test_what_is_near_on_two_links(stores: str) -> None:
    assert explored(replace(STORES[stores], links=2, candidates=2), NEAR).broken is None


def test_what_is_near_where_both_stores_are_copied() -> None:
    assert explored(BOTH_COPIED, NEAR_BOTH).broken is None


def test_what_is_near_on_three_links() -> None:
    assert explored(THREE_LINKS, NEAR).broken is None


@pytest.mark.parametrize("name", WORSE)
def test_a_worse_ratchet_fails(name: str) -> None:
    ratchet, why = WORSE[name]
    found = explored(ratchet, SOON)
    assert found.broken == why
    assert found.way


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", FAR)
def test_what_is_far_on_several_links(name: str) -> None:
    ratchet, most_states = FAR[name]
    assert explored(ratchet, most_states).broken is None


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_everything_on_two_links() -> None:
    found = explored(TWO_LINKS, 1_000_000)
    assert found.broken is None
    assert found.complete
