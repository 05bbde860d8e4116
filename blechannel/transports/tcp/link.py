"""One stream that carries fragments: a greeting first, then a `Link`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import cast

from blechannel.aio.link import LinkPosture, LinkReceiver
from blechannel.errors import LinkLost, LocalProtocolError, TransportError
from blechannel.limits import MAX_FRAGMENT_BYTES
from blechannel.transports.fragment_size import check_fragment_bytes

CAPACITY = 64
"""Fragments that wait for the loop's next turn."""
UNSENT_BYTES = 32 * 1024
"""What the stream holds for a peer that does not read, before the link has no room."""
FLUSH_S = 2.0
"""How long `close` waits for a peer to take what is queued."""
UNREAD_BYTES = 32 * 1024
"""What is kept of a peer that sends before `start`."""
_LENGTH_BYTES = 2
_CLOSED_HERE = "closed on this side"

Greet = Callable[["TcpLink", bytes], None]
"""Takes the peer's first message; raises TransportError to hang up."""
Gone = Callable[["TcpLink"], None]


class TcpLink(asyncio.Protocol):
    """A link over a stream. Until `open` it only greets."""

    def __init__(self, greet: Greet, gone: Gone, *, max_fragment_bytes: int, greeting_s: float) -> None:
        """`greet` takes the first message within `greeting_s` seconds; `gone` is called when the stream has ended.

        Raises:
            LocalProtocolError: `max_fragment_bytes` is outside what BLE allows.
        """
        check_fragment_bytes(max_fragment_bytes)
        self._loop = asyncio.get_running_loop()
        self._greet: Greet | None = greet
        self._gone = gone
        self._greeting_s = greeting_s
        self._deadline: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport | None = None
        self._receiver: LinkReceiver | None = None
        self._received = bytearray()
        self._queue: list[bytes] = []
        self._paused = False
        self._closing = False
        self._deaf = False
        self._error: TransportError | None = None
        self._told = False
        self.lost = asyncio.Event()
        self.room = 0
        self.peer = ""
        self.max_fragment_bytes = max_fragment_bytes
        self.posture = LinkPosture("tcp", encrypted=False)
        self.info = b""

    @property
    def ended(self) -> bool:
        """Whether nothing more can be sent."""
        return self._closing or self._error is not None

    @property
    def error(self) -> TransportError | None:
        """Why it ended, if it did."""
        return self._error

    def open(self, max_fragment_bytes: int) -> None:
        """The greeting is over; fragments may be sent, and what comes waits for `start`."""
        self._greet = None
        self._cancel_deadline()
        self.max_fragment_bytes = min(self.max_fragment_bytes, max_fragment_bytes)
        self.room = CAPACITY

    def start(self, receiver: LinkReceiver) -> None:
        """Begin to deliver.

        Raises:
            LocalProtocolError: called before.
        """
        if self._receiver is not None:
            raise LocalProtocolError("a link starts once")
        self._receiver = receiver
        self._loop.call_soon(self._begin)

    def send(self, fragment: bytes) -> None:
        """Queue one fragment; everything queued leaves at the loop's next turn.

        Raises:
            LocalProtocolError: `room` is 0 or the fragment is longer than `max_fragment_bytes`.
        """
        room = self.room
        if not room or len(fragment) > self.max_fragment_bytes:
            raise self._refusal(fragment)
        self.room = room - 1
        self._put(fragment)

    def greet(self, message: bytes) -> None:
        """Queue this side's greeting."""
        self._put(message)

    def publish_info(self, info: bytes) -> None:
        """Kept in `info`; nobody reads it here, because the outbox opens with the same bytes."""
        self.info = info

    async def close(self) -> None:
        """Send what is queued if the peer takes it, then disconnect. Safe to call again. Never raises."""
        try:
            self.finish()
            with suppress(TimeoutError):
                async with asyncio.timeout(FLUSH_S):
                    await self.lost.wait()
        finally:
            self.abort(LinkLost(_CLOSED_HERE))
        await self.lost.wait()

    def finish(self) -> None:
        """Send everything queued and say that it is the end; the peer then hangs up.

        To hang up here could destroy what the peer has not read yet: TCP resets a stream that is closed unread.
        """
        if self._error is None and self._transport is not None and not self._closing:
            self._flush()
            self._transport.write_eof()
            self._transport.resume_reading()
        self._closing = self._deaf = True
        self.room = 0

    def abort(self, error: TransportError) -> None:
        """Disconnect now and deliver nothing more."""
        self._deaf = True
        self._hang_up(error)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """From the stream."""
        self._transport = stream = cast(asyncio.Transport, transport)
        if self._error is not None:
            stream.abort()
        self._deadline = self._loop.call_later(self._greeting_s, self._give_up)
        stream.set_write_buffer_limits(high=UNSENT_BYTES)
        name = stream.get_extra_info("peername")
        self.peer = "{}:{}".format(*name) if isinstance(name, tuple) else "unix"
        self.posture = LinkPosture("tcp" if isinstance(name, tuple) else "unix", encrypted=False)

    def data_received(self, data: bytes) -> None:
        """From the stream."""
        if self._deaf:
            return
        self._received += data
        self._deliver()
        # Reading goes on before the start, so that a peer that leaves is noticed.
        if len(self._received) > UNREAD_BYTES and self._transport is not None:
            self._transport.pause_reading()

    def eof_received(self) -> None:
        """From the stream. A peer that stops sending has left: there are no half-open links."""
        is_middle = self._received and (self._greet or self._receiver)
        middle = " in the middle of a fragment" if is_middle else ""
        self._hang_up(LinkLost(_CLOSED_HERE if self._closing else f"the peer disconnected{middle}"))

    def pause_writing(self) -> None:
        """From the stream: the peer does not read fast enough."""
        self._paused = True
        self.room = 0

    def resume_writing(self) -> None:
        """From the stream."""
        self._paused = False
        self._restore_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """From the stream, once."""
        self.room = 0
        if self._error is None:
            self._error = LinkLost(_CLOSED_HERE if self._closing else "the connection broke")
            self._error.__cause__ = exc
        self._cancel_deadline()
        self.lost.set()
        self._gone(self)
        self._deliver()  # a link that was started in this very turn has not delivered yet
        self._tell_lost()

    def _hang_up(self, error: TransportError) -> None:
        self.room = 0
        self._error = self._error or error
        if self._transport is not None:
            self._transport.abort()

    def _give_up(self) -> None:
        self.abort(TransportError("no greeting in time: another service, or a peer that hangs"))

    def _cancel_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()

    def _begin(self) -> None:
        self._deliver()
        if self.lost.is_set():
            self._tell_lost()
        elif self._transport is not None:
            self._transport.resume_reading()
            self._resume()

    def _tell_lost(self) -> None:
        if self._receiver is not None and self._error is not None and not self._told:
            self._told = True
            self._receiver.link_lost(self._error)

    def _resume(self) -> None:
        if self._receiver is not None and self.room:
            self._receiver.resume_sending()

    def _put(self, message: bytes) -> None:
        if not self._queue:
            self._loop.call_soon(self._flush)
        self._queue += (len(message).to_bytes(_LENGTH_BYTES, "big"), message)

    def _flush(self) -> None:
        if self._transport is not None and self._queue and not self.ended:
            batch, self._queue = b"".join(self._queue), []
            self._transport.write(batch)
            self._restore_room()

    def _restore_room(self) -> None:
        if self._greet is None and not (self._paused or self.ended):
            starved = not self.room
            self.room = CAPACITY - len(self._queue) // 2
            if starved:
                self._resume()

    def _deliver(self) -> None:
        """Hand over every whole message, as long as somebody takes them."""
        received, at = self._received, 0
        while (self._greet or self._receiver) and not self._deaf:
            body = at + _LENGTH_BYTES
            end = body + int.from_bytes(received[at:body], "big")
            if end - body > MAX_FRAGMENT_BYTES:
                self.abort(LinkLost(f"the peer sent {end - body} bytes at once; a fragment has at most 512"))
                break
            if len(received) < max(body, end):
                break
            at = end
            self._take(bytes(received[body:end]))
        del received[:at]

    def _take(self, message: bytes) -> None:
        if self._greet is None:
            if self._receiver is not None:
                self._receiver.fragment_received(message)
            return
        try:
            self._greet(self, message)
        except TransportError as error:
            self.abort(error)

    def _refusal(self, fragment: bytes) -> LocalProtocolError:
        if self.ended:
            return LocalProtocolError("the link has ended")
        if not self.room:
            return LocalProtocolError("the link has no room: wait for resume_sending")
        return LocalProtocolError(f"a fragment of {len(fragment)} bytes: at most {self.max_fragment_bytes}")
