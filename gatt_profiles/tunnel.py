"""A profile through the channel: a port of its own, on which clients read, write and subscribe.

Every request has a number of the client's choice and one reply of that number; notifications come between. The frames
are those of any service on a port, so what a stranger sees of them is their length, in classes of 16 bytes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from uuid import UUID

from blechannel.aio.attributes import Attributes, Notifications, Tell
from blechannel.aio.channel import Service as PortService
from blechannel.aio.port import Port
from blechannel.codec import REST, U8, decode, encode, octets, on_air, one_of
from blechannel.errors import AttributeRefused, BlechannelError


class Act(IntEnum):
    """What a client asks for."""

    READ = 1
    WRITE = 2
    SUBSCRIBE = 3
    UNSUBSCRIBE = 4


class Kind(IntEnum):
    """What a server says."""

    DONE = 1
    REFUSED = 2
    NOTIFIED = 3


@dataclass(frozen=True, slots=True)
class Request:
    """Client → server."""

    act: Act = on_air(one_of(Act), "1 read, 2 write, 3 subscribe, 4 unsubscribe")
    number: int = on_air(U8, "comes back in the reply; not that of a request which has none yet")
    characteristic: bytes = on_air(octets(16), "its UUID in 128 bits, the first byte first")
    value: bytes = on_air(REST, "in 2 the value, else empty")


@dataclass(frozen=True, slots=True)
class Reply:
    """Server → client."""

    kind: Kind = on_air(one_of(Kind), "1 done, 2 refused, 3 a new value of what was subscribed to")
    number: int = on_air(U8, "that of the request; 0 in 3")
    characteristic: bytes = on_air(octets(16), "as in Request")
    value: bytes = on_air(REST, "in 1 what was read, else empty; in 2 ATT's error code, one byte; in 3 the value")


def serving(attributes: Attributes) -> PortService:
    """The service of a profile's port, for ``watch.serve(SERVICE.port, serving(server))``."""

    async def serve(port: Port) -> None:
        await _Serving(port, attributes).run()

    return serve


class _Serving:
    """One client on one port; what it subscribed to ends with the port."""

    def __init__(self, port: Port, attributes: Attributes) -> None:
        self._port = port
        self._attributes = attributes
        self._undo: dict[str, Callable[[], None]] = {}
        self._news = Notifications()

    async def run(self) -> None:
        """Answer until the client shuts its half."""
        telling = asyncio.ensure_future(self._tell())
        try:
            async for message in self._port:
                await self._port.send(encode(self._reply(decode(Request, message))))
        finally:
            for undo in self._undo.values():
                undo()
            telling.cancel()
            await asyncio.wait({telling})

    async def _tell(self) -> None:
        with suppress(BlechannelError):  # whoever reads the port meets the same end
            async for message in self._news:
                await self._port.send(message)

    def _reply(self, request: Request) -> Reply:
        try:
            value = self._act(request)
        except AttributeRefused as error:
            return Reply(Kind.REFUSED, request.number, request.characteristic, bytes((error.code,)))
        return Reply(Kind.DONE, request.number, request.characteristic, value)

    def _act(self, request: Request) -> bytes:
        uuid = str(UUID(bytes=request.characteristic))
        match request.act:
            case Act.READ:
                return self._attributes.read(uuid)
            case Act.WRITE:
                self._attributes.write(uuid, request.value)
            case Act.SUBSCRIBE:
                if uuid not in self._undo:
                    self._undo[uuid] = self._attributes.subscribe(uuid, self._teller(request.characteristic))
            case Act.UNSUBSCRIBE:
                self._undo.pop(uuid, lambda: None)()
        return b""

    def _teller(self, characteristic: bytes) -> Tell:
        return lambda value: self._news.tell(encode(Reply(Kind.NOTIFIED, 0, characteristic, value)))
