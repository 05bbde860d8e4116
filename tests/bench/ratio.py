"""Ratios that survive a shared machine: candidates take turns, round by round, and medians are compared."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from statistics import median
from time import perf_counter

Work = Callable[[], object]


def measure(work: Mapping[str, Work], *, rounds: int = 31, number: int = 10) -> dict[str, float]:
    """Median seconds a call of each candidate, over `rounds` rounds of `number` calls each.

    In a round every candidate runs once, forwards and backwards in turn, so that a slow moment of the machine
    meets all of them alike. One round before is not counted.
    """
    seconds: dict[str, list[float]] = {name: [] for name in work}
    names = list(work)
    for index in range(rounds + 1):
        for name in names if index % 2 else reversed(names):
            taken = _timed(work[name], number)
            if index:
                seconds[name].append(taken)
    return {name: median(taken) for name, taken in seconds.items()}


def _timed(work: Work, number: int) -> float:
    """Seconds a call, without the garbage collector's pauses."""
    gc.collect()
    gc.disable()
    try:
        start = perf_counter()
        for _ in range(number):
            work()
        return (perf_counter() - start) / number
    finally:
        gc.enable()


def table(title: str, medians: Mapping[str, float], floor: str) -> str:
    """A line a candidate: microseconds a call, and the ratio to the one named `floor`."""
    width = max(map(len, medians))
    lines = [
        f"  {name:<{width}}  {seconds * 1e6:10.2f} µs  {seconds / medians[floor]:6.2f} ×"
        for name, seconds in medians.items()
    ]
    return "\n".join([title, *lines])
