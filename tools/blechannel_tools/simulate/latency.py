"""How long it takes from the request for a connection until the phone has a channel."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from blechannel.roles import Role
from blechannel.transports.loopback import LoopbackLink
from blechannel_tools.simulate.sides import both_sides, now_s
from blechannel_tools.simulate.terms import Terms

RECONNECT_INTERVALS = 2
"""A question and its answer."""
PAIRING_INTERVALS = 5
"""Three round trips, of which the first question may just catch an event: a person's answer falls between two."""


@dataclass(frozen=True, slots=True)
class Latency:
    """One run."""

    set_up_s: float
    """Until the phone has heard the watch: the answer to its subscription and INFO come together."""
    exchange_s: float
    """From there to the channel, without what a person took."""

    @property
    def total_s(self) -> float:
        """Both."""
        return self.set_up_s + self.exchange_s


def least_intervals(terms: Terms, exchange_intervals: int) -> int:
    """Connection intervals that no implementation can save, since each question and each answer takes one.

    The first event of a connection comes a whole interval after its request, the latest that is allowed.
    """
    return 2 * terms.air_time.set_up_requests + exchange_intervals


class _FirstHeard:
    """Makes links on the terms, and remembers when something of the watch's first arrived."""

    def __init__(self, terms: Terms, random: Random) -> None:
        self._terms = terms
        self._random = random
        self.at_s = 0.0

    def join(self) -> tuple[LoopbackLink, LoopbackLink]:
        phone, watch = self._terms.link(self._random)

        def heard(_role: Role, _fragment: bytes) -> None:
            self.at_s = now_s()
            watch.on_air = None

        watch.on_air = heard
        return phone, watch


async def pairing(terms: Terms, random: Random) -> Latency:
    """One pairing by code between sides that have never met, from the found watch.

    Raises:
        BlechannelError: it failed.
    """
    async with both_sides(random) as sides:
        first = _FirstHeard(terms, random)
        sides.air.join = first.join
        sides.watch.open_pairing()
        found = await sides.phone.find()
        began_s = now_s()
        await sides.phone.pair(found, sides.person.type_code)
        return Latency(first.at_s - began_s, now_s() - first.at_s - sides.person.took_s)


async def reconnect(terms: Terms, random: Random) -> Latency:
    """One reconnect, from the found watch.

    Raises:
        BlechannelError: it failed.
    """
    async with both_sides(random) as sides:
        await sides.bond()
        first = _FirstHeard(terms, random)
        sides.air.join = first.join
        found = await sides.found()
        began_s = now_s()
        await sides.phone.connect(found)
        return Latency(first.at_s - began_s, now_s() - first.at_s)
