"""Attributes beside the channel: what a watch serves to anybody in the room, and what a peer serves.

*In the plain* means that whoever connects may use it, and whoever listens may read it, unless the platform encrypts the
link. Nothing of this is needed for the channel. Every UUID here is in its 128-bit form, in lower case.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import field
from typing import Protocol

from blechannel.errors import BlechannelError, LocalProtocolError
from blechannel.gatt import SERVICE_UUID, Properties
from blechannel.values import dataclass

MAX_UNREAD = 64
"""Values that wait for a reader; of more, the oldest are dropped, for the newest says how things stand."""

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


def check_services(services: Sequence[PlainService]) -> None:
    """Nothing, where a transport can serve all of them.

    Raises:
        LocalProtocolError: one twice, or the channel's own.
    """
    uuids = [SERVICE_UUID, *(service.uuid for service in services)]
    if doubled := {uuid for uuid in uuids if uuids.count(uuid) > 1}:
        raise LocalProtocolError(f"a service is served once: {', '.join(sorted(doubled))}")


class Notifications:
    """What a peer tells of one characteristic, for one reader; the carrier calls `tell`, and `end` at the end.

    Iterating waits for the next value. It ends with the port, and raises what the link or the channel was cut off by.
    """

    def __init__(self) -> None:
        self._values: deque[bytes] = deque(maxlen=MAX_UNREAD)
        self._news = asyncio.Event()
        self._is_over = False
        self._error: BlechannelError | None = None
        self.missed = 0
        """How many values were dropped."""

    def tell(self, value: bytes) -> None:
        """One more value."""
        self.missed += len(self._values) == MAX_UNREAD
        self._values.append(value)
        self._news.set()

    def end(self, error: BlechannelError | None = None) -> None:
        """No more will come; None where it ended in order."""
        self._is_over = True
        self._error = error
        self._news.set()

    def __aiter__(self) -> Notifications:
        return self

    async def __anext__(self) -> bytes:
        while not self._values:
            if self._error is not None:
                raise self._error.with_traceback(None)
            if self._is_over:
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        return self._values.popleft()


class GattPeer(Protocol):
    """A peer's GATT server as a client uses it: over a connection of its own, or through the channel.

    Every method raises AttributeRefused where the peer refuses or has no such characteristic, PeerTimedOut or
    TransportError where no answer comes, and through the channel what `Port.receive` raises.
    """

    async def read(self, service: str, characteristic: str) -> bytes:
        """The value of now."""

    async def write(self, service: str, characteristic: str, value: bytes, *, acknowledged: bool) -> None:
        """Write a value; without `acknowledged` nobody tells whether it was taken."""

    async def subscribe(self, service: str, characteristic: str, notifications: Notifications) -> None:
        """Put each value that the peer tells of into `notifications`, and their end; one a characteristic.

        Raises:
            LocalProtocolError: there is one already.
        """

    async def unsubscribe(self, service: str, characteristic: str) -> None:
        """Hear no more of it; nothing happens where nothing was heard."""
