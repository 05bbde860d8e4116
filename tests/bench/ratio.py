"""Ratios that survive a shared machine: candidates take turns, a few calls each, and medians are compared."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from statistics import median
from time import perf_counter

Work = Callable[[], object]


def measure(work: Mapping[str, Work], *, rounds: int = 201, number: int = 1) -> dict[str, float]:
    """Median seconds a call of each candidate, over `rounds` rounds of `number` calls each.

    In a round every candidate has its turn, in one order and the next time in the other, so that a slow moment of
    the machine meets all alike: keep a turn at a few milliseconds. The first two rounds warm up and do not count;
    the garbage collector rests meanwhile.
    """
    taken: dict[str, list[float]] = {name: [] for name in work}
    order = list(work)
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds + 2):
            for name in order:
                taken[name].append(_timed(work[name], number))
            order.reverse()
    finally:
        gc.enable()
    return {name: median(seconds[2:]) for name, seconds in taken.items()}


def _timed(work: Work, number: int) -> float:
    start = perf_counter()
    for _ in range(number):
        work()
    return (perf_counter() - start) / number


def table(title: str, medians: Mapping[str, float], *, floor: str = "floor") -> str:
    """A line a candidate: microseconds a call, and the ratio to the one named `floor`."""
    width = max(map(len, medians))
    lines = [
        f"  {name:<{width}}  {seconds * 1e6:10.2f} µs  {seconds / medians[floor]:6.2f} ×"
        for name, seconds in medians.items()
    ]
    return "\n".join([title, *lines])
