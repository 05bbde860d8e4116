"""Many runs on the same terms, each from a seed of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from math import ceil
from random import Random

from blechannel.errors import BlechannelError, LocalProtocolError
from blechannel.transports.virtual_time import run_virtual
from blechannel_tools.simulate.goodput import Way, bare_link, limit_bytes_per_s, transfer
from blechannel_tools.simulate.latency import (
    PAIRING_INTERVALS,
    RECONNECT_INTERVALS,
    least_intervals,
    pairing,
    reconnect,
)
from blechannel_tools.simulate.terms import Terms


class What(Enum):
    """What is simulated."""

    PAIRING = "pairing"
    RECONNECT = "reconnect"
    TRANSFER = "transfer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What all rows of a table have in common."""

    what: What
    runs: int
    seed: int = 1
    way: Way = Way.TO_PHONE
    message_bytes: int | None = None
    """The longest that the channel takes, unless told."""


@dataclass(frozen=True, slots=True)
class Sample:
    """All runs on one set of terms: seconds, or bytes a second for a transfer."""

    terms: Terms
    limit: float
    """What no implementation could better on these terms without loss."""
    values: tuple[float, ...]
    """Of the runs that ended well."""
    bare: tuple[float, ...]
    """What the same link, with the same losses, carried with nothing above it; transfers alone."""
    failures: tuple[str, ...]
    """Why the others did not."""


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that is at least as great as `percent` of all of them (nearest rank)."""
    return sorted(values)[max(0, ceil(len(values) * percent / 100) - 1)]


def sample(plan: Plan, terms: Terms, *, ran: Callable[[], None] = lambda: None) -> Sample:
    """Run it all; `ran` is called after each run.

    Raises:
        LocalProtocolError: the plan makes no sense, such as messages that are too long.
    """
    values: list[float] = []
    bare: list[float] = []
    failures: list[str] = []
    for number in range(plan.runs):
        seed = f"{plan.seed}/{number}"
        try:
            if plan.what is What.TRANSFER:
                bare.append(run_virtual(bare_link(terms, Random(seed), way=plan.way)))
            values.append(run_virtual(_run(plan, terms, Random(seed))))
        except LocalProtocolError:
            raise
        except BlechannelError as error:
            failures.append(str(error))
        ran()
    return Sample(terms, _limit(plan, terms), tuple(values), tuple(bare), tuple(failures))


async def _run(plan: Plan, terms: Terms, random: Random) -> float:
    if plan.what is What.TRANSFER:
        return await transfer(terms, random, way=plan.way, message_bytes=plan.message_bytes)
    connect = pairing if plan.what is What.PAIRING else reconnect
    return (await connect(terms, random)).total_s


def _limit(plan: Plan, terms: Terms) -> float:
    if plan.what is What.TRANSFER:
        return limit_bytes_per_s(terms, plan.way)
    intervals = PAIRING_INTERVALS if plan.what is What.PAIRING else RECONNECT_INTERVALS
    return least_intervals(terms, intervals) * terms.interval_s
