"""Battery Service: how much is left.

Source: Battery Service 1.1, section 3.1 (Battery Level: one unsigned byte, percent, 0 to 100).
"""

from __future__ import annotations

from dataclasses import dataclass

from blechannel.codec import U8, on_air
from blechannel.gatt import Properties, assigned_uuid
from gatt_profiles.layouts import within
from gatt_profiles.profile import Characteristic, Service

FULL_PERCENT = 100


@dataclass(frozen=True, slots=True)
class BatteryLevel:
    """The value of the Battery Level characteristic."""

    percent: int = on_air(within(U8, 0, FULL_PERCENT), "0 to 100 percent of a full charge; other values are reserved")


LEVEL = Characteristic("Battery Level", assigned_uuid(0x2A19), BatteryLevel, Properties.READ | Properties.NOTIFY)
SERVICE = Service(assigned_uuid(0x180F), "battery", (LEVEL,))
