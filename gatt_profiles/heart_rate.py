"""Heart Rate Service: beats a minute, and the time between beats.

Source: Heart Rate Service 1.0, section 3 (measurement: flags, rate, energy, RR-intervals; sensor location; control
point). What a heart does is for the channel only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, IntFlag

from blechannel.codec import U8, ValueOutOfRange, on_air, one_of
from blechannel.gatt import Properties, assigned_uuid
from gatt_profiles.layouts import U16_LE, each, flags, where
from gatt_profiles.profile import Characteristic, Service

CONTROL_POINT_NOT_SUPPORTED = 0x80
"""ATT error for a command that the control point does not have (section 1.6)."""
RR_PER_S = 1024


class Flags(IntFlag):
    """What a measurement holds."""

    RATE_IS_16_BIT = 0x01
    CONTACT_DETECTED = 0x02
    CONTACT_SUPPORTED = 0x04
    ENERGY = 0x08
    RR_INTERVALS = 0x10


class Location(IntEnum):
    """Where the sensor is."""

    OTHER = 0
    CHEST = 1
    WRIST = 2
    FINGER = 3
    HAND = 4
    EAR_LOBE = 5
    FOOT = 6


class Command(IntEnum):
    """What the control point takes."""

    RESET_ENERGY_EXPENDED = 1


@dataclass(frozen=True, slots=True)
class HeartRate:
    """One measurement; `HeartRate.of` sets the flags.

    Raises:
        ValueOutOfRange: the flags say other than the fields.
    """

    flags: Flags = on_air(flags(Flags), "what follows, and whether the skin is felt; reserved flags are kept")
    bpm: int = on_air(where(Flags.RATE_IS_16_BIT, U16_LE, U8), "beats a minute")
    energy_kj: int | None = on_air(where(Flags.ENERGY, U16_LE), "kilojoules since the last reset")
    rr_1024: tuple[int, ...] | None = on_air(
        where(Flags.RR_INTERVALS, each(U16_LE)), "times between beats in 1/1024 s, the oldest first"
    )

    def __post_init__(self) -> None:
        for flag, part in ((Flags.ENERGY, self.energy_kj), (Flags.RR_INTERVALS, self.rr_1024)):
            if (part is not None) != (flag in self.flags):
                raise ValueOutOfRange(f"the flag {flag.name} says other than the measurement")

    @classmethod
    def of(
        cls,
        bpm: int,
        *,
        contact: bool | None = None,
        energy_kj: int | None = None,
        rr_1024: Sequence[int] | None = None,
    ) -> HeartRate:
        """A measurement; `contact` is None where the sensor cannot feel the skin."""
        given = Flags.RATE_IS_16_BIT if bpm > 0xFF else Flags(0)
        if contact is not None:
            given |= Flags.CONTACT_SUPPORTED | (Flags.CONTACT_DETECTED if contact else Flags(0))
        given |= Flags(0) if energy_kj is None else Flags.ENERGY
        given |= Flags(0) if rr_1024 is None else Flags.RR_INTERVALS
        return cls(given, bpm, energy_kj, None if rr_1024 is None else tuple(rr_1024))

    @property
    def contact(self) -> bool | None:
        """Whether the skin is felt; None where the sensor cannot tell."""
        return Flags.CONTACT_DETECTED in self.flags if Flags.CONTACT_SUPPORTED in self.flags else None


@dataclass(frozen=True, slots=True)
class BodySensorLocation:
    """The value of the Body Sensor Location characteristic."""

    location: Location = on_air(one_of(Location), "0 other, 1 chest, 2 wrist, 3 finger, 4 hand, 5 ear lobe, 6 foot")


@dataclass(frozen=True, slots=True)
class ControlPoint:
    """What is written to the Heart Rate Control Point."""

    command: int = on_air(U8, "1 resets the energy expended; others are answered with error 0x80")


MEASUREMENT = Characteristic("Heart Rate Measurement", assigned_uuid(0x2A37), HeartRate, Properties.NOTIFY)
LOCATION = Characteristic("Body Sensor Location", assigned_uuid(0x2A38), BodySensorLocation, Properties.READ)
CONTROL_POINT = Characteristic("Heart Rate Control Point", assigned_uuid(0x2A39), ControlPoint, Properties.WRITE)
SERVICE = Service(assigned_uuid(0x180D), "heart-rate", (MEASUREMENT, LOCATION, CONTROL_POINT), channel_only=True)
