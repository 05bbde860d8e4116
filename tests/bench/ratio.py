"""Ratios that survive a shared machine: candidates take turns, a few calls each, in several batches of medians.

Other work on the machine makes a batch slower and never faster than the code is. So the best batch of each candidate
is compared with the best batch of its floor, and the other batches show how far to trust them. The clock is that of
the thread's own processor time, which stands still while others have the processor.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from statistics import median
from time import thread_time

Work = Callable[[], object]
FLOOR = "floor"


@dataclass(frozen=True)
class Figures:
    """Processor seconds a call of each candidate, a median a batch, and the promised ratios to the floor."""

    title: str
    batches: tuple[Mapping[str, float], ...]
    targets: Mapping[str, float] = field(default_factory=dict)
    floor: str = FLOOR
    """The candidate that the others are compared with."""
    moved_bytes: int = 0
    """By each call, where a rate says more than a time."""

    def seconds(self, name: str) -> list[float]:
        """What each batch took, the best first."""
        return sorted(batch[name] for batch in self.batches)

    def ratio(self, name: str, *, to: str = "") -> float:
        """The best batch of `name` over the best of `to`, or of the floor."""
        return self.seconds(name)[0] / self.seconds(to or self.floor)[0]

    def ratios(self, name: str) -> list[float]:
        """Each batch's own ratio to the floor, the least first: the middle one, and how far they lie apart."""
        return sorted(batch[name] / batch[self.floor] for batch in self.batches)

    def missed(self) -> list[str]:
        """The candidates whose ratio to the floor is over their target."""
        return [name for name, target in self.targets.items() if self.ratio(name) > target]

    def lines(self) -> Iterable[str]:
        """A line a candidate, under `HEADING`."""
        for name in self.batches[0]:
            seconds = self.seconds(name)
            best, middle, worst = (value * 1e6 for value in (seconds[0], median(seconds), seconds[-1]))
            target = f"{self.targets[name]:8.2f}" if name in self.targets else ""
            figures = f"{best:9.2f} {middle:9.2f} {worst:9.2f} {self.ratio(name):9.2f}{target}"
            yield f"{self.title:<32}  {name:<14}{figures}"


@dataclass(frozen=True)
class Sizes:
    """Bytes of each candidate, and how many each may have at most."""

    title: str
    sizes_bytes: Mapping[str, int]
    most_bytes: Mapping[str, int]

    def missed(self) -> list[str]:
        """The candidates that are larger than they may be."""
        return [name for name, most in self.most_bytes.items() if self.sizes_bytes[name] > most]

    def lines(self) -> Iterable[str]:
        """A line a candidate."""
        for name, size in self.sizes_bytes.items():
            yield f"{self.title:<32}  {name:<40} {size:9,} bytes, at most {self.most_bytes[name]:,}"


HEADING = f"{'µs a call':<32}  {'':<14}{'best':>9} {'median':>9} {'worst':>9} {'× floor':>9}{'at most':>8}"


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


def measure_batches(
    work: Mapping[str, Work], *, rounds: int, number: int, batches: int = 7
) -> tuple[dict[str, float], ...]:
    """What `measure` gives, `batches` times."""
    return tuple(measure(work, rounds=rounds, number=number) for _ in range(batches))


def _timed(work: Work, number: int) -> float:
    start = thread_time()
    for _ in range(number):
        work()
    return (thread_time() - start) / number
