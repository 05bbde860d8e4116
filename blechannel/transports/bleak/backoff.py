"""When to try a connection again."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator

from blechannel.values import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pauses that double, each between half and all of what it is nominally, so that two phones do not keep step."""

    attempts: int = 4
    first_s: float = 0.25
    longest_s: float = 2.0
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    random: Callable[[], float] = random.random
    """Uniform in [0, 1); decides nothing that must stay secret."""

    def pauses_s(self) -> Iterator[float]:
        """The pause before each attempt after the first."""
        for doubled in range(self.attempts - 1):
            yield min(self.first_s * 2**doubled, self.longest_s) * (1 + self.random()) / 2
