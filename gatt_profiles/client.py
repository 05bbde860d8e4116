"""The asking side of any profile, over any GATT peer: through the channel, or over a connection of its own."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Generic, TypeVar

from blechannel.aio.attributes import GattPeer, Notifications
from blechannel.codec import decode, encode
from blechannel.errors import BlechannelError
from blechannel.gatt import Properties
from gatt_profiles.profile import Characteristic, Service

T = TypeVar("T")


class Values(Generic[T]):
    """What a peer tells of one characteristic. Iterating raises MalformedFrame for a value that is none."""

    def __init__(self, characteristic: Characteristic[T], notifications: Notifications) -> None:
        self._characteristic = characteristic
        self._notifications = notifications

    @property
    def missed(self) -> int:
        """How many were dropped, the oldest first, because nobody took them in time."""
        return self._notifications.missed

    def __aiter__(self) -> Values[T]:
        return self

    async def __anext__(self) -> T:
        return decode(self._characteristic.value, await self._notifications.__anext__())


class Client:
    """One service of a peer. Raises as GattPeer does, and LocalProtocolError for another service's characteristic."""

    def __init__(self, service: Service, peer: GattPeer) -> None:
        self.service = service
        self._peer = peer

    async def read(self, characteristic: Characteristic[T]) -> T:
        """The value of now.

        Raises:
            MalformedFrame: the peer's value is none.
        """
        self.service.check(characteristic)
        return decode(characteristic.value, await self._peer.read(self.service.uuid, characteristic.uuid))

    async def write(self, characteristic: Characteristic[T], value: T) -> None:
        """Write a value; returns when the peer has taken it, where the characteristic lets it say so.

        Raises:
            LocalProtocolError: a value that the format has no place for.
        """
        self.service.check(characteristic)
        acknowledged = Properties.WRITE in characteristic.properties
        await self._peer.write(self.service.uuid, characteristic.uuid, encode(value), acknowledged=acknowledged)

    @asynccontextmanager
    async def subscribed(self, characteristic: Characteristic[T]) -> AsyncGenerator[Values[T], None]:
        """The values that the peer tells of, from now until it is left."""
        self.service.check(characteristic)
        notifications = Notifications()
        await self._peer.subscribe(self.service.uuid, characteristic.uuid, notifications)
        try:
            yield Values(characteristic, notifications)
        finally:
            with suppress(BlechannelError, EOFError):  # what is gone tells no more
                await self._peer.unsubscribe(self.service.uuid, characteristic.uuid)
