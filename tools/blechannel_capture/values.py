"""Values of standard characteristics, as the profiles of `gatt_profiles` declare them."""

from __future__ import annotations

from typing import Any, Final

from blechannel.codec import decode
from blechannel.errors import MalformedFrame
from gatt_profiles import alert_notification, battery, current_time, device_information, heart_rate, immediate_alert
from gatt_profiles.profile import Characteristic

PROFILES: Final = (alert_notification, battery, current_time, device_information, heart_rate, immediate_alert)
CHARACTERISTICS: Final[dict[str, Characteristic[Any]]] = {
    each.uuid: each for profile in PROFILES for each in profile.SERVICE.characteristics
}
"""By UUID, in the long form."""


def standard_value(uuid: str, value: bytes) -> tuple[str, object] | None:
    """The characteristic's name and what the bytes say; None where no profile knows it, or they say nothing."""
    characteristic = CHARACTERISTICS.get(uuid)
    if characteristic is None:
        return None
    try:
        return characteristic.name, decode(characteristic.value, value)
    except MalformedFrame:
        return None
