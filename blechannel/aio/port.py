"""One service's messages on a channel, both ways."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import TYPE_CHECKING

from blechannel.errors import AccessDenied, BlechannelError, LocalProtocolError
from blechannel.session.events import Message
from blechannel.session.ports import GRANT_BYTES, MESSAGE_OVERHEAD_BYTES

if TYPE_CHECKING:
    from blechannel.aio.channel import Channel


class Port:
    """Messages to and from the peer's port of the same name; whole, in order, each once. Made by `Channel.port`.

    `send` waits while the peer's reader or the link is behind. Iterating ends when the peer shuts the port or closes
    the channel; it raises when the channel was cut off. Several tasks may send; one task receives.
    """

    __slots__ = (
        *("_awaits_peer", "_channel", "_denied", "_due_bytes", "_ended", "_inbox", "_opened_as", "_peer_is_answered"),
        *("_receiver", "_senders", "_taken_bytes", "_writing", "name", "read_as"),
    )

    def __init__(self, channel: Channel, name: str) -> None:
        self.name = name
        self._channel = channel
        self._writing: int | None = None
        self._opened_as: int | None = None
        self._denied = False
        self._inbox: list[Message] = []  # an empty deque takes 700 bytes
        self._taken_bytes = 0
        """Credit of messages that were taken; the session is told of a batch at once, or as soon as a grant is due."""
        self._due_bytes = GRANT_BYTES
        self._ended = False
        self._peer_is_answered = False
        """Whether what the peer opened last belongs to a half of ours that was opened already."""
        self._awaits_peer = False
        """Whether this half waits for one of the peer's; the end of an older one is none of its business."""
        self._receiver: asyncio.Future[None] | None = None
        self._senders: tuple[asyncio.Future[None], ...] = ()
        self.read_as: int | None = None
        """The number of the peer's half, while it is open."""

    def __repr__(self) -> str:
        return f"Port({self.name!r})"

    @property
    def channel(self) -> Channel:
        """The channel that carries it: a service learns there whom it serves."""
        return self._channel

    @property
    def is_spent(self) -> bool:
        """Whether the peer has shut its half, or may not use it, and nothing of it is left to be read."""
        return (self._ended or self._denied) and not self._inbox

    async def __aenter__(self) -> Port:
        self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shut()

    def open(self) -> None:
        """Open this side's half; `async with` does it.

        Raises:
            LocalProtocolError: it is open already, or no port is left.
            AccessDenied: this watch's phone may not use it. A phone learns that when it sends or receives.
            BlechannelError: the channel is over.
        """
        self._channel.check()
        self._writing = self._opened_as = self._channel.traffic.open(self.name)
        self._denied = False
        self._awaits_peer, self._peer_is_answered = self._peer_is_answered, True
        self._channel.pump.flush_soon()

    def shut(self) -> None:
        """Send no more; the peer's iteration ends. Leaving `async with` does it. Safe to call again."""
        number, self._writing = self._writing, None
        if number is not None and self._channel.is_open:
            self._channel.traffic.shut(number)
            self._channel.pump.flush_soon()
        self._wake_all()

    async def send(self, message: bytes) -> None:
        """Send one message; returns when it is queued on the link and covered by the peer's credit.

        Cancelled while it waits, it has sent nothing.

        Raises:
            LocalProtocolError: the port is not open, or the message is over `Channel.max_message_bytes`.
            AccessDenied: the watch does not let this phone use the port.
            BlechannelError: the channel is over.
        """
        channel = self._channel
        pump = channel.pump
        while True:
            if not channel.is_open:
                channel.check()
            number = self._writing
            if number is None:
                self._check_denied()
                raise LocalProtocolError(f"port {self.name} is not open")
            try:
                traffic = channel.awake or channel.traffic
                is_sent = not pump.is_congested() and traffic.send(number, message)
            except BlechannelError:
                self._wake_sender()  # it may have been this one's turn
                raise
            if is_sent:
                if not pump.flush_is_due:
                    pump.flush_soon()
                if self._senders:
                    self._wake_sender()
                return
            await self._wait_to_send()

    async def receive(self) -> bytes:
        """The next message.

        Raises:
            EOFError: the peer has shut the port or closed the channel; nothing more will come.
            AccessDenied: the watch does not let this phone use the port.
            BlechannelError: the channel was cut off.
        """
        if not self._inbox and not await self._has_message():
            raise EOFError(f"the peer has shut port {self.name}")
        return self._take()

    def __aiter__(self) -> Port:
        return self

    async def __anext__(self) -> bytes:
        if not self._inbox and not await self._has_message():
            raise StopAsyncIteration
        return self._take()

    # --- called by the channel ---

    def opened(self, number: int) -> None:
        """The peer opened its half, and may."""
        self.read_as = number
        self._due_bytes = GRANT_BYTES
        self._ended = self._awaits_peer = self._denied = False
        self._peer_is_answered = self._writing is not None

    def writes(self, number: int) -> bool:
        """Whether this side's half has this number."""
        return self._writing == number

    def was_opened_as(self, number: int) -> bool:
        """Whether this side's half has, or last had, this number."""
        return self._opened_as == number

    def denied(self) -> None:
        """This side's half may not be used: everybody looks."""
        self._denied = True
        self._writing = None
        self._wake_all()

    def withdrawn(self) -> None:
        """The peer may use its half no longer; what it sent and nobody has taken is not looked at."""
        self.read_as = None
        self._inbox.clear()
        self._taken_bytes = 0
        self.denied()

    def arrived(self, message: Message) -> None:
        """The peer sent a message."""
        if not self._inbox:  # otherwise nobody waits, or has been woken
            self._wake_receiver()
        self._inbox.append(message)

    def ended(self) -> None:
        """The peer sends no more."""
        self.read_as = None
        self._ended = True
        self._wake_receiver()

    def room_again(self) -> None:
        """There may be room to send: let the first sender look."""
        self._wake_sender()

    def over(self, *, cleanly: bool) -> None:
        """The channel is over: everybody looks."""
        self._ended = self._ended or cleanly
        self._awaits_peer = False
        self._wake_all()

    def _take(self) -> bytes:
        inbox = self._inbox
        number, message = inbox.pop(0)
        self._taken_bytes = taken_bytes = self._taken_bytes + len(message) + MESSAGE_OVERHEAD_BYTES
        if not inbox or taken_bytes >= self._due_bytes or inbox[0][0] != number:
            self._tell_taken(number)
        return message

    def _tell_taken(self, number: int) -> None:
        """What was taken of this half of the peer's counts for its credit."""
        channel, taken_bytes, self._taken_bytes = self._channel, self._taken_bytes, 0
        self._due_bytes -= taken_bytes
        if channel.is_open and (channel.awake or channel.traffic).give_back(number, taken_bytes):
            self._due_bytes = GRANT_BYTES
            channel.pump.flush_soon()

    # --- waiting ---

    def _check_denied(self) -> None:
        if self._denied:
            raise AccessDenied(self.name)

    async def _has_message(self) -> bool:
        """Once a message is there; False where the peer sends no more. Raises as `receive`."""
        while not self._inbox:
            self._check_denied()
            if self._ended and not self._awaits_peer:
                return False
            self._channel.check_cut_off()
            if self._receiver is not None:
                raise LocalProtocolError(f"another task receives on port {self.name} already")
            self._receiver = asyncio.get_running_loop().create_future()
            try:
                await self._receiver
            finally:
                self._receiver = None
        return True

    async def _wait_to_send(self) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._senders += (waiter,)
        try:
            await waiter
        except asyncio.CancelledError:
            self._leave(waiter)
            if not waiter.cancelled():  # it had been woken: the turn is the next one's
                self._wake_sender()
            raise
        self._leave(waiter)

    def _leave(self, waiter: asyncio.Future[None]) -> None:
        self._senders = tuple(other for other in self._senders if other is not waiter)

    def _wake_receiver(self) -> None:
        if self._receiver is not None and not self._receiver.done():
            self._receiver.set_result(None)

    def _wake_sender(self) -> None:
        if self._senders and not self._senders[0].done():
            self._senders[0].set_result(None)

    def _wake_all(self) -> None:
        self._wake_receiver()
        for waiter in self._senders:
            if not waiter.done():
                waiter.set_result(None)
