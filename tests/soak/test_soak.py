"""Long lives in trouble: everything arrives once and in order, and nothing is left behind."""

from __future__ import annotations

import tracemalloc

import pytest

from blechannel.transports.virtual_time import run_virtual
from tests.soak.soak import Mark, household

SLACK_BYTES = 60_000
"""Of caches, of free lists and of where the watches stand just now."""


async def live(watches: int, rounds: int, round_s: float) -> list[Mark]:
    """What is there after each round; the first warms up."""
    marks = []
    async with household(watches, seed=6) as home:
        for _ in range(rounds):
            await home.live(round_s)
            marks.append(home.mark())
        assert all(life.got == life.sent > 0 for life in home.lives)
        assert home.troubles.count > rounds, "stores have refused"
        assert home.breaks >= rounds
    return marks


def assert_flat(marks: list[Mark]) -> None:
    warm, last = marks[len(marks) // 2], marks[-1]
    assert last.tasks == warm.tasks
    assert last.descriptors == warm.descriptors
    assert last.memory_bytes - warm.memory_bytes <= SLACK_BYTES


def test_some_minutes_in_trouble() -> None:
    tracemalloc.start()
    try:
        assert_flat(run_virtual(live(2, rounds=3, round_s=60.0)))
    finally:
        tracemalloc.stop()


@pytest.mark.long
@pytest.mark.timeout(900)
def test_an_hour_in_trouble() -> None:
    tracemalloc.start()
    try:
        assert_flat(run_virtual(live(4, rounds=12, round_s=300.0)))
    finally:
        tracemalloc.stop()
