"""Alert Notification Service: what came in, and how much is unread.

Source: Alert Notification Service 1.0, section 3; the fields are those of Alert Category ID, New Alert, Unread Alert
Status and Alert Notification Control Point in the GATT Specification Supplement. What one is told is for the channel
only.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from blechannel.codec import REST, U8, ValueOutOfRange, on_air, one_of
from blechannel.gatt import Properties, assigned_uuid
from gatt_profiles.layouts import utf8
from gatt_profiles.profile import Characteristic, Service

MAX_TEXT_BYTES = 18
COMMAND_NOT_SUPPORTED = 0xA0
"""ATT error for a command or category that the control point does not have (section 1.6)."""


class Category(IntEnum):
    """What an alert is about."""

    SIMPLE_ALERT = 0
    EMAIL = 1
    NEWS = 2
    CALL = 3
    MISSED_CALL = 4
    MESSAGE = 5
    VOICE_MAIL = 6
    SCHEDULE = 7
    HIGH_PRIORITY = 8
    INSTANT_MESSAGE = 9
    ALL = 255
    """In a command only."""


class Command(IntEnum):
    """What the control point takes."""

    ENABLE_NEW = 0
    ENABLE_UNREAD = 1
    DISABLE_NEW = 2
    DISABLE_UNREAD = 3
    NOTIFY_NEW_NOW = 4
    NOTIFY_UNREAD_NOW = 5


@dataclass(frozen=True, slots=True)
class Categories:
    """Which categories are supported.

    Raises:
        ValueOutOfRange: not one or two bytes.
    """

    masks: bytes = on_air(REST, "one or two bytes: bit n of the first for category n, bit 0 of the second for 8")

    def __post_init__(self) -> None:
        if not 1 <= len(self.masks) <= 2:
            raise ValueOutOfRange(f"masks has 1 or 2 bytes, not {len(self.masks)}")

    @classmethod
    def of(cls, *categories: Category) -> Categories:
        """Those categories."""
        return cls(sum({1 << category for category in categories}).to_bytes(2, "little"))

    def __contains__(self, category: Category) -> bool:
        return bool(int.from_bytes(self.masks, "little") >> category & 1)


@dataclass(frozen=True, slots=True)
class NewAlert:
    """Something came in."""

    category: Category = on_air(one_of(Category), "what it is about")
    count: int = on_air(U8, "so many new ones of this category")
    text: str = on_air(utf8(MAX_TEXT_BYTES), "its beginning, such as who sent it")


@dataclass(frozen=True, slots=True)
class UnreadStatus:
    """How much is unread."""

    category: Category = on_air(one_of(Category), "what it is about")
    count: int = on_air(U8, "unread ones of this category; 255 for more than 254")


@dataclass(frozen=True, slots=True)
class ControlPoint:
    """What is written to the Alert Notification Control Point."""

    command: int = on_air(U8, "0 and 1 enable, 2 and 3 disable new alerts and unread counts; 4 and 5 tell them now")
    category: Category = on_air(one_of(Category), "which category; 255 all")


_READ, _NOTIFY, _WRITE = Properties.READ, Properties.NOTIFY, Properties.WRITE
SUPPORTED_NEW = Characteristic("Supported New Alert Category", assigned_uuid(0x2A47), Categories, _READ)
NEW_ALERT = Characteristic("New Alert", assigned_uuid(0x2A46), NewAlert, _NOTIFY)
SUPPORTED_UNREAD = Characteristic("Supported Unread Alert Category", assigned_uuid(0x2A48), Categories, _READ)
UNREAD_STATUS = Characteristic("Unread Alert Status", assigned_uuid(0x2A45), UnreadStatus, _NOTIFY)
CONTROL_POINT = Characteristic("Alert Notification Control Point", assigned_uuid(0x2A44), ControlPoint, _WRITE)
SERVICE = Service(
    assigned_uuid(0x1811),
    "alert-notification",
    (SUPPORTED_NEW, NEW_ALERT, SUPPORTED_UNREAD, UNREAD_STATUS, CONTROL_POINT),
    channel_only=True,
)
