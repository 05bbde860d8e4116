"""Values of the standard profiles, for people, for programs and for a plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from gatt_profiles import (
    alert_notification,
    battery,
    current_time,
    device_information,
    heart_rate,
    immediate_alert,
)
from gatt_profiles.alert_notification import Categories, Category, NewAlert, UnreadStatus
from gatt_profiles.battery import BatteryLevel
from gatt_profiles.current_time import CurrentTime
from gatt_profiles.device_information import Text
from gatt_profiles.heart_rate import BodySensorLocation, HeartRate
from gatt_profiles.profile import Service

SERVICES: Mapping[str, Service] = {
    profile.SERVICE.port: profile.SERVICE
    for profile in (*(device_information, battery, heart_rate, current_time, alert_notification, immediate_alert),)
}
"""The standard profiles by the names of their ports."""

BARS = "▁▂▃▄▅▆▇█"


def words_of(value: object) -> str:
    """A value as one line for people."""
    match value:
        case BatteryLevel(percent):
            return f"{percent} %"
        case HeartRate():
            return f"{value.bpm} bpm" + (" (no contact)" if value.contact is False else "")
        case BodySensorLocation(location):
            return _name(location)
        case CurrentTime():
            return f"{value.moment:%Y-%m-%d %H:%M:%S}" if value.moment else "not known"
        case Text(text):
            return text
        case Categories():
            return ", ".join(_name(category) for category in Category if category in value)
        case NewAlert(category, count, text):
            return f"{_name(category)}: {text} ({count} new)"
        case UnreadStatus(category, count):
            return f"{_name(category)}: {count} unread"
        case _:
            return str(value)


def number_of(value: object) -> float | None:
    """What a plot shows of a value; None where there is nothing to plot."""
    match value:
        case BatteryLevel(percent):
            return percent
        case HeartRate():
            return value.bpm
        case _:
            return None


def facts_of(value: Any) -> dict[str, object]:
    """The fields of a value, for JSON: numbers for enumerations, hexadecimal digits for bytes."""
    return {name: field.hex() if isinstance(field, bytes) else field for name, field in asdict(value).items()}


def sparkline(numbers: Sequence[float]) -> str:
    """A bar for each number, between the least and the most of them."""
    if not numbers:
        return ""
    least, most = min(numbers), max(numbers)
    step = (most - least) / (len(BARS) - 1)
    return "".join(BARS[round((number - least) / step) if step else 0] for number in numbers)


def _name(member: Any) -> str:
    return str(member.name).lower().replace("_", " ")
