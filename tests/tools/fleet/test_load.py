"""A fleet's figures, on a clock on which nothing takes time but what is waited for."""

from __future__ import annotations

import asyncio

import pytest

from blechannel.transports.loopback.faults import Faults, Stall
from blechannel.transports.loopback.link import LoopbackLink, loopback_pair
from blechannel.transports.virtual_time import run_virtual
from blechannel_tools.fleet.fleet import fleet_of
from blechannel_tools.fleet.load import SETTLE_S, Offer, Served, percentile, serve
from tests.aio.virtual import on_virtual_clock

WATCHES, BONDS_A_PHONE = 19, 16
OFFER = Offer(rate_hz=10.0, seconds=2.0, message_bytes=20)


def test_every_message_of_every_watch_is_served_in_time() -> None:
    async def main() -> Served:
        async with fleet_of(WATCHES, bonds_a_phone=BONDS_A_PHONE) as fleet:
            assert [len(phone.channels) for phone in fleet.phones] == [16, 3]
            return await serve(fleet, OFFER)

    served = run_virtual(main())
    assert served.offered == len(served.latencies_s) == WATCHES * 20
    assert served.lost == 0
    assert served.of_each == [20] * WATCHES
    assert served.fairness == pytest.approx(1.0)
    assert served.percentile_s(100) == pytest.approx(0.0, abs=1e-9)
    assert served.messages_per_s == pytest.approx(WATCHES * 10, rel=0.1)


def test_a_fleet_tells_how_far_it_is_and_leaves_nothing() -> None:
    grown: list[int] = []

    @on_virtual_clock
    async def run() -> None:
        async with fleet_of(3, grew=grown.append) as fleet:
            assert all(pair.phone.is_open and pair.watch.is_open for pair in fleet.pairs)
            assert len({pair.phone.handshake_hash for pair in fleet.pairs}) == 3
        assert all(pair.phone.error is None for pair in fleet.pairs), "closed in order"

    run()
    assert grown == [1, 2, 3]


def stalled(stall_s: float, *, watch: int = 0) -> Served:
    """The air of one watch stands still for so long, in the middle."""
    links: list[tuple[LoopbackLink, LoopbackLink]] = []

    def join() -> tuple[LoopbackLink, LoopbackLink]:
        links.append(loopback_pair())
        return links[-1]

    async def main() -> Served:
        async with fleet_of(4, join=join) as fleet:
            serving = asyncio.create_task(serve(fleet, OFFER))
            await asyncio.sleep(2 * SETTLE_S + 1.0)
            links[watch][1].faults = Faults([Stall(0, stall_s)])
            return await serving

    return run_virtual(main())


def test_latency_counts_from_the_moment_at_which_a_message_was_due() -> None:
    served = stalled(0.5)
    assert served.lost == 0
    late = sorted(latency for latency in served.latencies_s if latency > 1e-6)
    assert late[-1] == pytest.approx(0.5, abs=0.01), "who was in the air"
    assert late == pytest.approx([0.1 * step for step in range(6 - len(late), 6)], abs=0.02), "and those behind it"


def test_who_is_served_late_counts_against_fairness() -> None:
    served = stalled(5.0)
    assert served.lost == 0
    assert served.of_each[0] < 12
    assert served.of_each[1:] == [20, 20, 20]
    assert served.fairness < 0.96


def test_a_watch_whose_link_is_dead_is_not_waited_for_for_ever() -> None:
    served = stalled(10.0**6)
    assert served.lost in range(5, 15)
    assert min(served.of_each[1:]) == 20


def test_percentiles_are_values_that_occurred() -> None:
    values = [float(number) for number in range(1000)]
    assert [percentile(values, percent) for percent in (0, 50, 99.9, 100)] == [0, 500, 999, 999]


def test_fairness_is_one_where_all_get_alike_and_little_where_one_gets_all() -> None:
    served = Served(4, OFFER, of_each=[5, 5, 5, 5])
    assert served.fairness == 1.0
    served.of_each = [20, 0, 0, 0]
    assert served.fairness == 0.25
    served.of_each = [0, 0, 0, 0]
    assert served.fairness == 0.0
