"""What the channel has to reach on a radio, on the virtual clock."""

from __future__ import annotations

from random import Random
from typing import Literal

import pytest

from blechannel.transports.virtual_time import run_virtual
from blechannel_tools.simulate.goodput import Way, bare_link, limit_bytes_per_s, transfer
from blechannel_tools.simulate.latency import pairing, reconnect
from blechannel_tools.simulate.terms import Terms

IN_AN_EVENT = 0.2
"""Of an interval: what arrives in an event arrives at its end."""


@pytest.mark.parametrize("phy", ["1M", "2M"])
@pytest.mark.parametrize("interval_ms", [7.5, 30.0, 500.0])
def test_a_reconnect_takes_two_intervals_after_the_subscription(phy: Literal["1M", "2M"], interval_ms: float) -> None:
    terms = Terms(phy=phy, interval_ms=interval_ms, handles_known=True)
    took = run_virtual(reconnect(terms, Random(1)))
    assert took.exchange_s / terms.interval_s == pytest.approx(2, abs=IN_AN_EVENT)
    assert took.total_s / terms.interval_s == pytest.approx(6, abs=IN_AN_EVENT)


@pytest.mark.parametrize("phy", ["1M", "2M"])
@pytest.mark.parametrize("interval_ms", [15.0, 30.0, 100.0])
def test_a_first_pairing_takes_at_most_12_intervals_and_the_person(
    phy: Literal["1M", "2M"], interval_ms: float
) -> None:
    terms = Terms(phy=phy, interval_ms=interval_ms, handles_known=True)
    took = [run_virtual(pairing(terms, Random(seed))).total_s / terms.interval_s for seed in range(5)]
    assert 9 <= min(took) <= max(took) <= 12
    assert max(took) - min(took) > 0.1, "people answer at any moment of an interval"


@pytest.mark.parametrize("way", Way)
def test_bulk_reaches_95_percent_of_the_physical_limit(way: Way) -> None:
    """2M, 30 ms, values of 244 bytes: 170.8 kB/s one way."""
    terms = Terms()
    limit = limit_bytes_per_s(terms, way)
    assert limit == pytest.approx(195_200 if way is Way.BOTH else 170_800)
    assert 0.95 <= run_virtual(transfer(terms, Random(1), way=way)) / limit < 1


@pytest.mark.parametrize("way", Way)
def test_bulk_reaches_95_percent_of_what_a_link_with_loss_delivers(way: Way) -> None:
    terms = Terms(loss_percent=2.0)
    for seed in (1, 2):
        link = run_virtual(bare_link(terms, Random(seed), way=way))
        assert link < 0.99 * limit_bytes_per_s(terms, way)
        assert run_virtual(transfer(terms, Random(seed), way=way)) >= 0.95 * link


@pytest.mark.parametrize(
    ("interval_ms", "mtu_bytes", "share"),
    [
        (45.0, 247, 0.98),
        # 35 values fit an event of 50 ms and the window holds 63: every second event is short of seven.
        (50.0, 247, 0.88),
        (30.0, 185, 0.98),
    ],
)
def test_a_window_spans_two_events(interval_ms: float, mtu_bytes: int, share: float) -> None:
    """What one brings is acknowledged in the next."""
    terms = Terms(interval_ms=interval_ms, mtu_bytes=mtu_bytes)
    carried = run_virtual(transfer(terms, Random(1), way=Way.TO_PHONE))
    assert carried >= share * limit_bytes_per_s(terms, Way.TO_PHONE)
