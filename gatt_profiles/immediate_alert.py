"""Immediate Alert Service: make the watch ring, to find it.

Source: Immediate Alert Service 1.0, section 3.1 (Alert Level: one byte, 0 to 2; written without response).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from blechannel.codec import on_air, one_of
from blechannel.gatt import Properties, assigned_uuid
from gatt_profiles.profile import Characteristic, Service


class Level(IntEnum):
    """How loud; the watch goes on until the next level, or until its person ends it."""

    NO_ALERT = 0
    MILD_ALERT = 1
    HIGH_ALERT = 2


@dataclass(frozen=True, slots=True)
class AlertLevel:
    """The value of the Alert Level characteristic."""

    level: Level = on_air(one_of(Level), "0 no alert, 1 mild, 2 high; other values are reserved")


ALERT_LEVEL = Characteristic("Alert Level", assigned_uuid(0x2A06), AlertLevel, Properties.WRITE_WITHOUT_RESPONSE)
SERVICE = Service(assigned_uuid(0x1802), "immediate-alert", (ALERT_LEVEL,))
