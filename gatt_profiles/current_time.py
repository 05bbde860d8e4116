"""Current Time Service: what time it is there, and in which zone.

Source: Current Time Service 1.1, section 3; the fields are those of Exact Time 256, Date Time, Day of Week, Local Time
Information and Reference Time Information in the GATT Specification Supplement. The time is local time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, IntFlag

from blechannel.codec import U8, ValueOutOfRange, on_air, one_of
from blechannel.gatt import Properties, assigned_uuid
from gatt_profiles.layouts import I8, U16_LE, flags, within
from gatt_profiles.profile import Characteristic, Service

FIRST_YEAR = 1582
DATA_FIELD_IGNORED = 0x80
"""ATT error for a time that the server takes only in part, or not (section 1.6)."""


class Adjusted(IntFlag):
    """Why the time was changed last."""

    BY_HAND = 0x01
    BY_REFERENCE = 0x02
    TIME_ZONE = 0x04
    DAYLIGHT_SAVING = 0x08


class DaylightSaving(IntEnum):
    """What the season adds, in quarters of an hour."""

    STANDARD = 0
    HALF_AN_HOUR = 2
    ONE_HOUR = 4
    TWO_HOURS = 8
    UNKNOWN = 255


class TimeSource(IntEnum):
    """Whose time the reference is."""

    UNKNOWN = 0
    NETWORK_TIME = 1
    GPS = 2
    RADIO = 3
    BY_HAND = 4
    ATOMIC_CLOCK = 5
    CELLULAR = 6


@dataclass(frozen=True, slots=True)
class CurrentTime:
    """The value of the Current Time characteristic; 0 is *not known* in year, month, day and day of the week.

    Raises:
        ValueOutOfRange: a day that its month does not have.
    """

    year: int = on_air(within(U16_LE, 0, 9999), "1582 to 9999, or 0")
    month: int = on_air(within(U8, 0, 12), "1 to 12, or 0")
    day: int = on_air(within(U8, 0, 31), "1 to 31, or 0")
    hours: int = on_air(within(U8, 0, 23), "0 to 23")
    minutes: int = on_air(within(U8, 0, 59), "0 to 59")
    seconds: int = on_air(within(U8, 0, 59), "0 to 59")
    day_of_week: int = on_air(within(U8, 0, 7), "1 Monday to 7 Sunday, or 0")
    fractions_256: int = on_air(U8, "1/256 of a second")
    adjusted: Adjusted = on_air(flags(Adjusted), "1 by hand, 2 by a reference, 4 time zone, 8 daylight saving")

    def __post_init__(self) -> None:
        if 0 < self.year < FIRST_YEAR:
            raise ValueOutOfRange(f"year is 0 or {FIRST_YEAR} to 9999, not {self.year}")
        if self.year and self.month and self.day:
            try:
                datetime(self.year, self.month, self.day)
            except ValueError as error:
                raise ValueOutOfRange(str(error)) from error

    @classmethod
    def of(cls, moment: datetime, adjusted: Adjusted = Adjusted(0)) -> CurrentTime:  # noqa: B008 - a constant
        """A moment of local time, cut to 1/256 s."""
        date = (moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second)
        return cls(*date, moment.isoweekday(), moment.microsecond * 256 // 1_000_000, adjusted)

    @property
    def moment(self) -> datetime | None:
        """Local time; None where the day is not known."""
        if not (self.year and self.month and self.day):
            return None
        microsecond = self.fractions_256 * 1_000_000 // 256
        return datetime(self.year, self.month, self.day, self.hours, self.minutes, self.seconds, microsecond)


@dataclass(frozen=True, slots=True)
class LocalTime:
    """The value of the Local Time Information characteristic."""

    zone_quarters: int = on_air(within(I8, -128, 56), "from UTC in quarters of an hour, -48 to 56; -128 not known")
    daylight_saving: DaylightSaving = on_air(one_of(DaylightSaving), "0, 2, 4 or 8 quarters of an hour; 255 not known")

    def __post_init__(self) -> None:
        if -128 < self.zone_quarters < -48:
            raise ValueOutOfRange(f"zone_quarters is -128 or -48 to 56, not {self.zone_quarters}")


@dataclass(frozen=True, slots=True)
class ReferenceTime:
    """The value of the Reference Time Information characteristic."""

    source: TimeSource = on_air(
        one_of(TimeSource), "0 not known, 1 network, 2 GPS, 3 radio, 4 by hand, 5 atomic, 6 cellular"
    )
    accuracy_8: int = on_air(U8, "drift in 1/8 s; 254 over 31.5 s, 255 not known")
    days_since_update: int = on_air(U8, "255 for 255 or more")
    hours_since_update: int = on_air(U8, "0 to 23, or 255 for 255 days or more")


CURRENT_TIME = Characteristic(
    "Current Time", assigned_uuid(0x2A2B), CurrentTime, Properties.READ | Properties.NOTIFY | Properties.WRITE
)
LOCAL_TIME = Characteristic("Local Time Information", assigned_uuid(0x2A0F), LocalTime, Properties.READ)
REFERENCE_TIME = Characteristic("Reference Time Information", assigned_uuid(0x2A14), ReferenceTime, Properties.READ)
SERVICE = Service(assigned_uuid(0x1805), "current-time", (CURRENT_TIME, LOCAL_TIME, REFERENCE_TIME))
