"""Attributes beside the channel: what a watch serves to anybody in the room, and what a peer serves.

*In the plain* means that whoever connects may use it, and whoever listens may read it, unless the platform encrypts the
link. Nothing of this is needed for the channel. Every UUID here is in its 128-bit form, in lower case.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from blechannel.gatt import Properties

Tell = Callable[[bytes], None]
"""Takes a new value. Does not raise and does not block."""


class Attributes(Protocol):
    """The values of one service, for whatever carries them.

    Nothing but AttributeRefused leaves these; its `code` is the ATT error to answer with.
    """

    def read(self, characteristic: str) -> bytes:
        """The value of now, at most 512 bytes."""

    def write(self, characteristic: str, value: bytes) -> None:
        """Take a value of any length from a client."""

    def subscribe(self, characteristic: str, tell: Tell) -> Callable[[], None]:
        """Call `tell` with each new value, until what is returned is called; that may be done again."""


@dataclass(frozen=True, slots=True)
class PlainCharacteristic:
    """One characteristic as GATT declares it."""

    uuid: str
    properties: Properties


@dataclass(frozen=True, slots=True)
class PlainService:
    """A service that a watch's transport serves in the plain, from when it is opened; advertised it is not."""

    uuid: str
    characteristics: tuple[PlainCharacteristic, ...]
    attributes: Attributes = field(repr=False)


class GattPeer(Protocol):
    """A peer's GATT server as a client uses it: over a connection of its own, or through the channel.

    Every method raises AttributeRefused where the peer refuses or has no such characteristic, PeerTimedOut or
    TransportError where no answer comes, and whatever the channel is over with.
    """

    async def read(self, service: str, characteristic: str) -> bytes:
        """The value of now."""

    async def write(self, service: str, characteristic: str, value: bytes, *, acknowledged: bool) -> None:
        """Write a value; without `acknowledged` nobody tells whether it was taken."""

    async def subscribe(self, service: str, characteristic: str, tell: Tell) -> None:
        """Call `tell` with each value that the peer tells of; one subscriber a characteristic.

        Raises:
            LocalProtocolError: there is one already.
        """

    async def unsubscribe(self, service: str, characteristic: str) -> None:
        """Hear no more of it; nothing happens where nothing was heard."""
