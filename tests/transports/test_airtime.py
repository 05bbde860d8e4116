"""The air-time model against the published figures."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal, get_args

import pytest

from blechannel.errors import LocalProtocolError
from blechannel.transports.airtime import (
    MAX_PACKET_BYTES,
    MIN_PACKET_BYTES,
    VALUE_HEADER_BYTES,
    AirTime,
    Phy,
    exchange_us,
    goodput_bytes_per_s,
    packet_us,
    packets,
)

PHYS: tuple[Phy, ...] = get_args(Phy)


@pytest.mark.parametrize(
    ("phy", "interval_s", "kilobytes_per_s"),
    [
        ("1M", 0.030, 97.6),
        ("1M", 0.050, 97.6),
        ("2M", 0.0075, 162.7),
        ("2M", 0.015, 162.7),
        ("2M", 0.030, 170.8),
        ("2M", 0.050, 170.8),
    ],
)
def test_goodput_of_244_byte_values(phy: Literal["1M", "2M"], interval_s: float, kilobytes_per_s: float) -> None:
    air_time = AirTime(phy=phy, interval_s=interval_s, encrypted=True)
    assert goodput_bytes_per_s(air_time, 244) == pytest.approx(kilobytes_per_s * 1000, rel=0.001)


def test_packet_and_exchange_times() -> None:
    """By hand from the packet format: 8 bits a byte, preamble, address and header, payload, check, CRC."""
    one, two = AirTime(encrypted=True), AirTime(phy="2M", encrypted=True)
    assert packet_us(one, 0) == 8 * (1 + 6 + 3)
    assert packet_us(one, 251) == 8 * (1 + 6 + 251 + 4 + 3)
    assert packet_us(two, 251) == 4 * (2 + 6 + 251 + 4 + 3)
    assert packet_us(AirTime(), 251) == 8 * (1 + 6 + 251 + 3)
    assert exchange_us(one, 251) == 2120 + 150 + 80 + 150
    assert exchange_us(one, 251, 251) == 2 * (2120 + 150)


@pytest.mark.parametrize(
    ("phy", "empty_us", "longest_us"),
    [("1M", 80, 2120), ("2M", 44, 1064), ("coded-S2", 462, 4542), ("coded-S8", 720, 17040)],
)
def test_the_shortest_and_the_longest_packet_of_each_phy(phy: Phy, empty_us: float, longest_us: float) -> None:
    """The figures of the specification (volume 6, part B, 2.4 and 4.5.10), of 251 bytes and a check of 4."""
    air_time = AirTime(phy=phy, encrypted=True)
    assert packet_us(air_time, 0) == empty_us
    assert packet_us(air_time, 251) == longest_us


def test_a_value_takes_as_many_packets_as_it_needs() -> None:
    assert VALUE_HEADER_BYTES == 7
    assert list(packets(7)) == [7]
    assert list(packets(251)) == [251]
    assert list(packets(252)) == [251, 1]
    assert list(packets(519)) == [251, 251, 17]
    assert list(packets(252, 126)) == [126, 126]


@pytest.mark.parametrize("encrypted", [False, True])
@pytest.mark.parametrize("phy", PHYS)
def test_one_packet_each_way_fits_the_shortest_interval(phy: Phy, encrypted: bool) -> None:
    air_time = AirTime(phy=phy, interval_s=0.0075, encrypted=encrypted)
    longest = air_time.max_packet_bytes
    assert MIN_PACKET_BYTES <= longest <= MAX_PACKET_BYTES
    assert exchange_us(air_time, longest, longest) <= 7500
    assert longest == MAX_PACKET_BYTES or exchange_us(air_time, longest + 1, longest + 1) > 7500
    assert (longest == MAX_PACKET_BYTES) == (phy in ("1M", "2M"))


def test_a_reserve_costs_exchanges() -> None:
    """20 in 30 ms instead of 21."""
    reserved = AirTime(phy="2M", encrypted=True, reserve_s=0.6e-3 + 0.015 * 0.03)
    assert goodput_bytes_per_s(reserved, 244) == pytest.approx(20 * 244 / 0.03)


def test_both_ways_share_the_event() -> None:
    """2 × 1064 + 2 × 150 µs an exchange: 12 in 30 ms."""
    assert goodput_bytes_per_s(AirTime(phy="2M", encrypted=True), 244, both_ways=True) == pytest.approx(12 * 244 / 0.03)


def test_a_value_of_several_packets_may_be_half_way_when_an_event_ends() -> None:
    """By hand, 1M and 7.5 ms: 251 bytes take 2500 µs and 17 bytes take 628 µs, 519 bytes are 251 + 251 + 17.

    Events that begin at the first, second and third packet carry 3, 3 and 3; the pattern is [251 251 17] each time.
    """
    assert goodput_bytes_per_s(AirTime(interval_s=0.0075, encrypted=True), 512) == pytest.approx(512 / 0.0075)
    # 245 bytes: 251 + 1. One event carries 2500 + 500 + 2500 + 500, the 2500 that follow do not fit: 2 values.
    assert goodput_bytes_per_s(AirTime(interval_s=0.0075, encrypted=True), 245) == pytest.approx(2 * 245 / 0.0075)


def test_values_cross_event_boundaries() -> None:
    """Three events of 1M and 10 ms carry 4, 5 and 5 packets of [251 251 17], not whole values each."""
    air_time = AirTime(interval_s=0.01, encrypted=True)
    one_value_each = 512 / 0.01
    assert one_value_each < goodput_bytes_per_s(air_time, 512) < 2 * one_value_each


@pytest.mark.parametrize("both_ways", [False, True])
def test_a_faster_phy_carries_more(both_ways: bool) -> None:
    rates = [goodput_bytes_per_s(AirTime(phy=phy), 244, both_ways=both_ways) for phy in ("coded-S8", "coded-S2", "1M")]
    assert all(slow < fast for slow, fast in pairwise(rates))


@pytest.mark.parametrize(("handles_known", "requests"), [(False, 9), (True, 2)])
def test_a_phone_that_knows_the_handles_asks_less(handles_known: bool, requests: int) -> None:
    assert AirTime(handles_known=handles_known).set_up_requests == requests


@pytest.mark.parametrize(
    "terms",
    [
        {"interval_s": 0.001},
        {"interval_s": 5.0},
        {"loss": -0.1},
        {"loss": 1.1},
        {"supervision_timeout_s": 0.01},
        {"supervision_timeout_s": 33.0},
        {"reserve_s": 0.03},
        {"reserve_s": 0.0295},
        {"reserve_s": -0.01},
    ],
)
def test_terms_outside_the_specification_are_refused(terms: dict[str, float]) -> None:
    with pytest.raises(LocalProtocolError):
        AirTime(
            interval_s=terms.get("interval_s", 0.03),
            loss=terms.get("loss", 0.0),
            supervision_timeout_s=terms.get("supervision_timeout_s", 4.0),
            reserve_s=terms.get("reserve_s", 0.0),
        )


def test_an_unknown_phy_is_refused() -> None:
    phy: Literal["1M"] = "3M"  # type: ignore[assignment]
    with pytest.raises(LocalProtocolError, match="PHY"):
        AirTime(phy=phy)
