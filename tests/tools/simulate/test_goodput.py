"""What is measured is what went over the link."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from blechannel.errors import FragmentRefused, LinkLost, LocalProtocolError
from blechannel.transports.airtime import Phy
from blechannel.transports.virtual_time import run_virtual
from blechannel_tools.simulate import tally
from blechannel_tools.simulate.goodput import Way, bare_link, limit_bytes_per_s, transfer
from blechannel_tools.simulate.tally import Tally
from blechannel_tools.simulate.terms import Terms


@pytest.fixture
def shorter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure less: these tests do not ask for a precise figure."""
    monkeypatch.setattr(tally, "LEAST_S", 0.5)
    monkeypatch.setattr(tally, "LEAST_INTERVALS", 30)


@pytest.mark.parametrize("way", Way)
@pytest.mark.parametrize(
    ("phy", "interval_ms", "mtu_bytes"),
    [("2M", 30.0, 247), ("1M", 7.5, 100), ("1M", 15.0, 517), ("coded-S2", 50.0, 247)],
)
def test_a_bare_link_reaches_its_physical_limit(phy: Phy, interval_ms: float, mtu_bytes: int, way: Way) -> None:
    """Two reckonings: the arithmetic of packets, and the events of a link."""
    terms = Terms(phy=phy, interval_ms=interval_ms, mtu_bytes=mtu_bytes)
    limit = limit_bytes_per_s(terms, way)
    assert run_virtual(bare_link(terms, Random(1), way=way)) == pytest.approx(limit, rel=0.005)


def test_a_link_out_of_range_is_lost() -> None:
    terms = Terms(loss_percent=100.0)
    with pytest.raises(LinkLost, match="out of range"):
        run_virtual(bare_link(terms, Random(1), way=Way.BOTH))


def test_a_channel_that_is_cut_off_is_no_result() -> None:
    """The longest frame is 500 values here, of which 31 cross in a second: the receiver gives it 10."""
    terms = Terms(interval_ms=1000.0, mtu_bytes=23, handles_known=True)
    with pytest.raises(FragmentRefused, match="too long"):
        run_virtual(transfer(terms, Random(1), way=Way.BOTH))
    assert run_virtual(transfer(terms, Random(1), way=Way.TO_PHONE, message_bytes=1000)) > 300


@pytest.mark.usefixtures("shorter")
def test_shorter_messages_carry_less() -> None:
    """A tag, a header and padding for each: where every value is a record of its own, 159.6 kB/s are left at most."""
    longest = run_virtual(transfer(Terms(), Random(1), way=Way.TO_PHONE))
    short = run_virtual(transfer(Terms(), Random(1), way=Way.TO_PHONE, message_bytes=200))
    assert 0.5 * longest < short < 159_600


def test_too_long_a_message_is_named() -> None:
    with pytest.raises(LocalProtocolError, match="the peer takes"):
        run_virtual(transfer(Terms(), Random(1), way=Way.TO_WATCH, message_bytes=100_000))


def test_a_tally_counts_whole_events_between_the_first_and_the_last() -> None:
    async def main() -> float:
        counts = Tally(interval_s=0.1)
        while not counts.bytes_per_s.done():
            await asyncio.sleep(0.1)
            counts.arrived(30)
            counts.arrived(70)
        counts.arrived(1_000_000)
        return counts.bytes_per_s.result()

    assert run_virtual(main()) == pytest.approx(1000)
