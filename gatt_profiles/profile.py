"""How a profile is declared: a service and its characteristics, each with the type of its values.

    LEVEL = Characteristic("Battery Level", assigned_uuid(0x2A19), BatteryLevel, Properties.READ | Properties.NOTIFY)
    SERVICE = Service(assigned_uuid(0x180F), "battery", (LEVEL,))

`Server` and `Client` work from that alone: through the channel, in the plain, and with any other GATT peer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from blechannel.errors import LocalProtocolError
from blechannel.gatt import Properties

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Characteristic(Generic[T]):
    """A characteristic and the frozen dataclass of its values, whose fields `blechannel.codec.on_air` declares."""

    name: str
    uuid: str
    """In its 128-bit form, in lower case; `assigned_uuid` makes it of a 16-bit one."""
    value: type[T]
    properties: Properties
    channel_only: bool = False
    """Whether strangers shall never see it: a serial number tells one watch from all others."""


@dataclass(frozen=True, slots=True)
class Service:
    """A service as it is offered in the plain, and as the port of the channel that has its name."""

    uuid: str
    port: str
    characteristics: tuple[Characteristic[Any], ...]
    channel_only: bool = False
    """Whether nothing of it is for strangers."""

    def find(self, uuid: str) -> Characteristic[Any] | None:
        """The characteristic of that UUID, if it has one."""
        return next((known for known in self.characteristics if known.uuid == uuid), None)

    def check(self, characteristic: Characteristic[Any]) -> None:
        """Nothing, where the characteristic is one of this service's.

        Raises:
            LocalProtocolError: it is another service's.
        """
        if characteristic not in self.characteristics:
            raise LocalProtocolError(f"{characteristic.name} is no characteristic of {self.port}")
