"""Values of every profile with their bytes, laid out by hand from the specifications."""

from __future__ import annotations

from datetime import datetime

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
