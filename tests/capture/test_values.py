"""Values of standard characteristics in a capture: told where the attribute is known, and never guessed."""

from __future__ import annotations

import io

import pytest

from blechannel.gatt import assigned_uuid
from blechannel_capture.capture import Capture
from blechannel_capture.events import Side, StandardValue
from blechannel_capture.gatt_map import Confidence, GattMap
from blechannel_capture.values import CHARACTERISTICS, standard_value
from gatt_profiles.battery import BatteryLevel
from gatt_profiles.heart_rate import HeartRate
from tests.capture.reading import drain
from tests.capture.traffic import HostTraffic
from tests.capture.writing import HCI_FILES

BATTERY, HEART, HANDLE, OTHER = assigned_uuid(0x2A19), assigned_uuid(0x2A37), 0x24, 0x28


def known() -> GattMap:
    gatt = GattMap()
    gatt.learn(HANDLE, BATTERY, Confidence.DISCOVERED)
    gatt.learn(OTHER, HEART, Confidence.DISCOVERED)
    return gatt


def heard(traffic: HostTraffic, gatt: GattMap | None) -> list[StandardValue]:
    capture = Capture(io.BytesIO(HCI_FILES["btsnoop H4"](traffic.said)))
    if gatt is not None:
        capture.import_gatt(gatt)
    return drain(capture).all(StandardValue)


def talk() -> HostTraffic:
    traffic = HostTraffic()
    traffic.connect()
    traffic.att(Side.PERIPHERAL, bytes([0x1B]) + OTHER.to_bytes(2, "little") + b"\x00\x48")
    traffic.att(Side.CENTRAL, bytes([0x0A]) + HANDLE.to_bytes(2, "little"))
    traffic.att(Side.PERIPHERAL, b"\x0b\x57")
    traffic.att(Side.PERIPHERAL, bytes([0x1B]) + HANDLE.to_bytes(2, "little") + b"\xff")
    return traffic


def test_what_passes_is_told_where_the_attribute_is_known() -> None:
    rate, level = heard(talk(), known())
    assert (rate.characteristic, rate.handle) == ("Heart Rate Measurement", OTHER)
    assert isinstance(rate.value, HeartRate)
    assert rate.value.bpm == 72
    assert (level.characteristic, level.handle, level.sender) == ("Battery Level", HANDLE, Side.PERIPHERAL)
    assert level.value == BatteryLevel(0x57)


def test_nothing_is_guessed() -> None:
    assert heard(talk(), None) == []


@pytest.mark.parametrize("value", [b"", b"\x65", b"\x01\x02"])
def test_bytes_that_say_nothing_are_no_value(value: bytes) -> None:
    assert standard_value(BATTERY, value) is None


def test_every_profile_is_known() -> None:
    assert {
        BATTERY,
        HEART,
        assigned_uuid(0x2A2B),
        assigned_uuid(0x2A29),
        assigned_uuid(0x2A06),
    } <= CHARACTERISTICS.keys()
    assert standard_value(assigned_uuid(0x2A00), b"a name") is None
