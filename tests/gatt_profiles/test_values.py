"""The values of every profile: golden bytes laid out by hand from the specifications, and what is refused."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from blechannel.codec import ValueOutOfRange, decode, encode
from blechannel.errors import LocalProtocolError, MalformedFrame
from gatt_profiles import alert_notification as ans
from gatt_profiles.alert_notification import Categories, Category, NewAlert, UnreadStatus
from gatt_profiles.battery import BatteryLevel
from gatt_profiles.current_time import (
    Adjusted,
    CurrentTime,
    DaylightSaving,
    LocalTime,
    ReferenceTime,
    TimeSource,
)
from gatt_profiles.device_information import PnpId, SystemId, Text, VendorIdSource
from gatt_profiles.heart_rate import BodySensorLocation, Flags, HeartRate, Location
from gatt_profiles.heart_rate import ControlPoint as HeartControlPoint
from gatt_profiles.immediate_alert import AlertLevel, Level

NOON = datetime(2018, 11, 15, 13, 37, 42, 992188)

GOLDEN: list[tuple[str, object]] = [
    # Battery Service, 3.1
    ("64", BatteryLevel(100)),
    # Device Information Service, 3; PnP ID: vendor 0x045E of the USB Implementers Forum, product 0x0817, version 1.3.1
    ("416461", Text("Ada")),
    ("", Text("")),
    ("cea9", Text("Ω")),
    ("025e0417083101", PnpId(VendorIdSource.USB_FORUM, 0x045E, 0x0817, 0x0131)),
    # System ID of the company 0x123456 and the device 0x9ABCDE, as the supplement makes it of an EUI-48
    ("debc9afeff563412", SystemId(bytes.fromhex("debc9afeff"), bytes.fromhex("563412"))),
    # Heart Rate Service, 3.1: flags, 8 or 16 bits of rate, energy, RR-intervals
    ("0048", HeartRate.of(72)),
    ("0448", HeartRate.of(72, contact=False)),
    ("0648", HeartRate.of(72, contact=True)),
    ("00ff", HeartRate.of(255)),
    ("010001", HeartRate.of(256)),
    ("0848e803", HeartRate.of(72, energy_kj=1000)),
    ("1648000400 02".replace(" ", ""), HeartRate.of(72, contact=True, rr_1024=[1024, 512])),
    ("1f2c01e8030004", HeartRate.of(300, contact=True, energy_kj=1000, rr_1024=[1024])),
    ("e048", HeartRate(Flags(0xE0), 72, None, None)),
    ("02", BodySensorLocation(Location.WRIST)),
    ("01", HeartControlPoint(1)),
    # Current Time Service, 3.1 to 3.3: Thursday, 15 November 2018, 13:37:42 and 254/256 s, set by hand
    ("e2070b0f0d252a04fe01", CurrentTime.of(NOON, Adjusted.BY_HAND)),
    ("00000000000000000000", CurrentTime(0, 0, 0, 0, 0, 0, 0, 0, Adjusted(0))),
    ("e807021d000000040000", CurrentTime.of(datetime(2024, 2, 29))),
    ("0404", LocalTime(4, DaylightSaving.ONE_HOUR)),
    ("d000", LocalTime(-48, DaylightSaving.STANDARD)),
    ("80ff", LocalTime(-128, DaylightSaving.UNKNOWN)),
    ("02080011", ReferenceTime(TimeSource.GPS, 8, 0, 17)),
    # Alert Notification Service, 3.1 to 3.5
    ("0a", Categories(b"\x0a")),
    ("0a02", Categories.of(Category.EMAIL, Category.CALL, Category.INSTANT_MESSAGE)),
    ("0301416461", NewAlert(Category.CALL, 1, "Ada")),
    ("05ff", UnreadStatus(Category.MESSAGE, 255)),
    ("00ff", ans.ControlPoint(0, Category.ALL)),
    # Immediate Alert Service, 3.1
    ("02", AlertLevel(Level.HIGH_ALERT)),
]
KINDS = sorted({type(value) for _, value in GOLDEN}, key=lambda kind: (kind.__module__, kind.__name__))


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
