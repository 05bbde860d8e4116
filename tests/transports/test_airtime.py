"""The air-time model against the published figures."""

from __future__ import annotations

from typing import Literal

import pytest

from blechannel.errors import LocalProtocolError
from blechannel.transports.airtime import (
    AirTime,
    exchange_us,
    exchanges_per_interval,
    goodput_bytes_per_s,
    packet_us,
    packets,
)


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


def test_a_value_takes_as_many_packets_as_it_needs() -> None:
    assert list(packets(0)) == [7]
    assert list(packets(244)) == [251]
    assert list(packets(245)) == [251, 1]
    assert list(packets(512)) == [251, 251, 17]


def test_a_reserve_costs_exchanges() -> None:
    reserved = AirTime(phy="2M", encrypted=True, reserve_s=0.6e-3 + 0.015 * 0.03)
    assert exchanges_per_interval(reserved, 244) == 20
    assert exchanges_per_interval(AirTime(phy="2M", encrypted=True), 244) == 21


def test_set_up_takes_18_intervals() -> None:
    assert AirTime(interval_s=0.03).setup_s == pytest.approx(0.54)


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
