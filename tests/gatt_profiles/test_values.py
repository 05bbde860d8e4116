"""The values of every profile: golden bytes, any bytes, and what is refused."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from blechannel.codec import ValueOutOfRange, decode, encode
from blechannel.errors import LocalProtocolError, MalformedFrame
from gatt_profiles.alert_notification import Categories, Category, NewAlert
from gatt_profiles.battery import BatteryLevel
from gatt_profiles.current_time import (
    Adjusted,
    CurrentTime,
    LocalTime,
)
from gatt_profiles.device_information import PnpId, Text
from gatt_profiles.heart_rate import BodySensorLocation, Flags, HeartRate
from gatt_profiles.immediate_alert import AlertLevel
from tests.gatt_profiles.golden import GOLDEN, KINDS, NOON


@pytest.mark.parametrize(("golden", "value"), GOLDEN)
def test_golden_bytes(golden: str, value: object) -> None:
    assert encode(value).hex() == golden
    assert decode(type(value), bytes.fromhex(golden)) == value


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.__module__.partition('.')[2]}-{kind.__name__}")
def test_any_bytes_are_a_value_that_has_them_or_are_refused(kind: type[Any]) -> None:
    alike = [bytes.fromhex(golden) for golden, value in GOLDEN if type(value) is kind]

    @settings(max_examples=40)
    @given(raw=st.one_of(st.binary(max_size=24), st.sampled_from(alike).flatmap(_near)))
    @example(raw=bytes(513))
    def check(raw: bytes) -> None:
        with suppress(MalformedFrame):
            assert encode(decode(kind, raw)) == raw

    check()


def _near(raw: bytes) -> st.SearchStrategy[bytes]:
    """The same with one byte set, cut off or put behind."""
    changed = st.tuples(st.integers(0, max(0, len(raw) - 1)), st.integers(0, 255)).map(
        lambda change: raw[: change[0]] + bytes((change[1],)) + raw[change[0] + 1 :]
    )
    return st.one_of(changed, st.just(raw[:-1]), st.just(raw + b"\0"))


@pytest.mark.parametrize(
    ("kind", "raw", "why"),
    [
        (BatteryLevel, "65", "percent is 0 to 100, not 101"),
        (Text, "ff", "UnicodeDecodeError"),
        (Text, "61" * 513, "the text has at most 512 bytes, not 513"),
        (PnpId, "035e0417083101", "ValueError"),
        (HeartRate, "0148", "StreamError"),
        (HeartRate, "004800", "trailing bytes"),
        (HeartRate, "10480004ff", "trailing bytes"),
        (BodySensorLocation, "07", "ValueError"),
        (CurrentTime, "e2070d0f0d252a04fe01", "month is 0 to 12, not 13"),
        (CurrentTime, "e607021d0d252a04fe01", "day is out of range for month"),
        (CurrentTime, "0100010100000000 0000", "year is 0 or 1582 to 9999, not 1"),
        (CurrentTime, "e2070b0f18252a04fe01", "hours is 0 to 23, not 24"),
        (LocalTime, "8100", "zone_quarters is -128 or -48 to 56, not -127"),
        (LocalTime, "3900", "zone_quarters is -128 to 56, not 57"),
        (Categories, "", "masks has 1 or 2 bytes, not 0"),
        (Categories, "000000", "masks has 1 or 2 bytes, not 3"),
        (NewAlert, "0a01", "ValueError"),
        (NewAlert, "0001" + "61" * 19, "the text has at most 18 bytes, not 19"),
        (AlertLevel, "03", "ValueError"),
    ],
)
def test_a_value_that_is_none_is_refused_by_name(kind: type[Any], raw: str, why: str) -> None:
    with pytest.raises(MalformedFrame, match=f"no {kind.__name__}: {why}"):
        decode(kind, bytes.fromhex(raw))


@pytest.mark.parametrize(
    "value",
    [
        lambda: HeartRate.of(65536),
        lambda: HeartRate.of(72, energy_kj=-1),
        lambda: HeartRate.of(72, rr_1024=[65536]),
        lambda: Text("\ud800"),
        lambda: NewAlert(Category.CALL, 1, "nineteen characters"),
        lambda: replace(CurrentTime.of(NOON), minutes=60),
    ],
)
def test_a_value_that_has_no_bytes_is_not_sent(value: Any) -> None:
    made = value()
    with pytest.raises(LocalProtocolError):
        encode(made)


def test_flags_that_say_other_than_the_measurement() -> None:
    with pytest.raises(ValueOutOfRange, match="ENERGY"):
        HeartRate(Flags.ENERGY, 72, None, None)
    with pytest.raises(ValueOutOfRange, match="RR_INTERVALS"):
        HeartRate(Flags(0), 72, None, (1024,))


@pytest.mark.parametrize("contact", [None, False, True])
def test_contact(contact: bool | None) -> None:
    assert HeartRate.of(72, contact=contact).contact is contact


def test_moments() -> None:
    assert CurrentTime.of(NOON).moment == NOON.replace(microsecond=254 * 1_000_000 // 256)
    assert CurrentTime(2018, 0, 1, 1, 1, 1, 0, 0, Adjusted(0)).moment is None


def test_categories() -> None:
    few = Categories.of(Category.CALL, Category.CALL, Category.HIGH_PRIORITY)
    assert {category for category in Category if category in few} == {Category.CALL, Category.HIGH_PRIORITY}
    assert Category.HIGH_PRIORITY not in Categories(b"\xff")
