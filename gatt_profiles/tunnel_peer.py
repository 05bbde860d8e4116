"""The other end of `tunnel`: a profile of the peer's, asked through the channel."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import UUID

from blechannel.aio.attributes import Notifications
from blechannel.aio.channel import Channel
from blechannel.aio.port import Port
from blechannel.codec import decode, encode
from blechannel.errors import AttributeRefused, BlechannelError, LocalProtocolError, MalformedFrame, PeerTimedOut
from blechannel.gatt import AttErrorCode
from gatt_profiles.client import Client
from gatt_profiles.profile import Service
from gatt_profiles.tunnel import Act, Kind, Reply, Request

ANSWER_S = 10.0
NUMBERS = 256


@asynccontextmanager
async def open_client(channel: Channel, service: Service) -> AsyncGenerator[Client, None]:
    """A client of the peer's `service` through the channel; several tasks may use it.

    Its calls raise AccessDenied where the watch does not let this phone use the service, and EOFError once the peer has
    shut the port.

    Raises:
        LocalProtocolError: the port is open already, or the channel is closed.
        BlechannelError: what the channel was cut off by.
    """
    async with channel.port(service.port) as port:
        peer = TunnelPeer(port, service)
        listening = asyncio.ensure_future(peer.listen())
        try:
            yield Client(service, peer)
        finally:
            listening.cancel()
            await asyncio.wait({listening})


class TunnelPeer:
    """A GattPeer with one service, on an open port; `listen` runs as long as it is used."""

    def __init__(self, port: Port, service: Service) -> None:
        self._port = port
        self._service = service
        self._waiting: dict[int, asyncio.Future[Reply | BlechannelError | EOFError]] = {}
        self._subscribed: dict[bytes, Notifications] = {}
        self._next = 0
        self._over: BlechannelError | EOFError | None = None

    async def listen(self) -> None:
        """Take what the peer says, until the port or the channel is over."""
        try:
            async for message in self._port:
                self._told(decode(Reply, message))
            self._end(EOFError(f"the peer has shut port {self._port.name}"))
        except BlechannelError as error:
            self._end(error)

    async def read(self, service: str, characteristic: str) -> bytes:
        """See GattPeer."""
        return await self._ask(Act.READ, service, characteristic)

    async def write(self, service: str, characteristic: str, value: bytes, *, acknowledged: bool) -> None:
        """See GattPeer; here the peer always says whether it has taken the value."""
        del acknowledged
        await self._ask(Act.WRITE, service, characteristic, value)

    async def subscribe(self, service: str, characteristic: str, notifications: Notifications) -> None:
        """See GattPeer."""
        key = UUID(characteristic).bytes
        if key in self._subscribed:
            raise LocalProtocolError(f"{characteristic} is subscribed to already")
        self._subscribed[key] = notifications
        try:
            await self._ask(Act.SUBSCRIBE, service, characteristic)
        except BaseException:
            self._subscribed.pop(key, None)
            raise

    async def unsubscribe(self, service: str, characteristic: str) -> None:
        """See GattPeer."""
        if self._subscribed.pop(UUID(characteristic).bytes, None) is not None:
            await self._ask(Act.UNSUBSCRIBE, service, characteristic)

    async def _ask(self, act: Act, service: str, characteristic: str, value: bytes = b"") -> bytes:
        if service != self._service.uuid:
            raise AttributeRefused(AttErrorCode.ATTRIBUTE_NOT_FOUND, f"port {self._port.name} is another service's")
        try:
            async with asyncio.timeout(ANSWER_S):
                reply = await self._reply(act, UUID(characteristic).bytes, value)
        except TimeoutError:
            message = f"no answer within {ANSWER_S:g} s: does the peer serve {self._port.name}?"
            raise PeerTimedOut(message) from None
        if reply.kind is Kind.REFUSED:
            known = self._service.find(characteristic)
            name = known.name if known else characteristic
            raise AttributeRefused(reply.value[0], f"the peer does not let {name} be {_PAST[act]}")
        return reply.value

    async def _reply(self, act: Act, characteristic: bytes, value: bytes) -> Reply:
        if self._over is not None:
            raise self._over.with_traceback(None)
        number = self._free_number()
        reply: asyncio.Future[Reply | BlechannelError | EOFError] = asyncio.get_running_loop().create_future()
        self._waiting[number] = reply
        try:
            await self._port.send(encode(Request(act, number, characteristic, value)))
            answered = await reply
        finally:
            del self._waiting[number]
        if isinstance(answered, Reply):
            return answered
        raise answered.with_traceback(None)

    def _free_number(self) -> int:
        if len(self._waiting) == NUMBERS:
            raise LocalProtocolError(f"{NUMBERS} requests wait for an answer already")
        while self._next in self._waiting:
            self._next = (self._next + 1) % NUMBERS
        number, self._next = self._next, (self._next + 1) % NUMBERS
        return number

    def _told(self, reply: Reply) -> None:
        if reply.kind is Kind.NOTIFIED:
            notifications = self._subscribed.get(reply.characteristic)
            if notifications is not None:  # else it was on its way when the client unsubscribed
                notifications.tell(reply.value)
            return
        if reply.kind is Kind.REFUSED and len(reply.value) != 1:
            raise MalformedFrame("a refusal without its error code")
        waiting = self._waiting.get(reply.number)
        if waiting is not None and not waiting.done():  # else nobody waits for it any more
            waiting.set_result(reply)

    def _end(self, over: BlechannelError | EOFError) -> None:
        self._over = over
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_result(over)
        for notifications in self._subscribed.values():
            notifications.end(over if isinstance(over, BlechannelError) else None)


_PAST = {Act.READ: "read", Act.WRITE: "written", Act.SUBSCRIBE: "subscribed to", Act.UNSUBSCRIBE: "left"}
