"""The watch's side: it listens, shows its service data to whoever looks, and accepts links."""

from __future__ import annotations

import asyncio

from blechannel.errors import LinkLost, TransportError
from blechannel.limits import MAX_LINKS
from blechannel.transports.adverts import check_service_data
from blechannel.transports.arrivals import Arrivals
from blechannel.transports.fragment_size import DEFAULT_FRAGMENT_BYTES, check_fragment_bytes
from blechannel.transports.tcp.endpoint import TcpEndpoint, UnixEndpoint, parse_endpoint
from blechannel.transports.tcp.greeting import Answer, PhoneGreeting, Purpose, WatchGreeting
from blechannel.transports.tcp.link import TcpLink
from blechannel.transports.tcp.phone import GREETING_S
from blechannel.transports.tcp.unix_socket import UnixListener

MAX_STREAMS = 32
"""Streams at once, those that have not greeted yet included; the oldest of those makes room for the next."""


class TcpWatchTransport:
    """A peripheral that is reached at an address."""

    def __init__(
        self,
        listen: str = "127.0.0.1:0",
        *,
        max_fragment_bytes: int = DEFAULT_FRAGMENT_BYTES,
        max_links: int = MAX_LINKS,
        greeting_s: float = GREETING_S,
        allow_remote: bool = False,
    ) -> None:
        """`greeting_s` is what a peer may take to greet.

        Raises:
            LocalProtocolError: no address, or one that is not on this machine without `allow_remote`.
        """
        self._endpoint = parse_endpoint(listen, allow_remote=allow_remote)
        self._max_fragment_bytes = check_fragment_bytes(max_fragment_bytes)
        self._max_links = max_links
        self._greeting_s = greeting_s
        self._service_data = b""
        self._server: asyncio.Server | None = None
        self._unix: UnixListener | None = None
        self._starting = asyncio.Lock()
        self._streams: dict[TcpLink, None] = {}
        self._open: set[TcpLink] = set()
        self._arrivals: Arrivals[TcpLink] = Arrivals()

    @property
    def address(self) -> str:
        """Where phones connect; the port is known once `advertise` has returned."""
        return str(self._endpoint)

    async def advertise(self, service_data: bytes) -> None:
        """Listen, if not yet, and show these at most 13 bytes to every phone that looks.

        Raises:
            TransportError: the address cannot be listened on, or the transport was closed.
        """
        self._arrivals.check_open()
        self._service_data = check_service_data(service_data)
        async with self._starting:
            if self._server is None:
                self._server = await self._listen()

    async def accept(self) -> TcpLink:
        """The next phone that connects.

        Raises:
            TransportError: the transport was closed.
        """
        return await self._arrivals.take()

    async def close(self) -> None:
        """Stop listening, drop every link and remove the socket's file. Safe to call again."""
        self._arrivals.close()
        async with self._starting:
            if self._server is not None:
                self._server.close()
            if self._unix is not None:
                self._unix.remove()
        streams = list(self._streams)
        for stream in streams:
            stream.abort(LinkLost("the transport was closed"))
        for stream in streams:
            await stream.lost.wait()

    async def _listen(self) -> asyncio.Server:
        self._arrivals.check_open()
        loop, endpoint = asyncio.get_running_loop(), self._endpoint
        try:
            if isinstance(endpoint, UnixEndpoint):
                self._unix = UnixListener(endpoint.path)
                return await loop.create_unix_server(self._stream, sock=self._unix.socket)
            server = await loop.create_server(self._stream, endpoint.host, endpoint.port)
        except OSError as error:
            raise TransportError(f"cannot listen at {endpoint}: {error}") from error
        self._endpoint = TcpEndpoint(endpoint.host, server.sockets[0].getsockname()[1])
        return server

    def _stream(self) -> TcpLink:
        link = TcpLink(
            self._greet, self._gone, max_fragment_bytes=self._max_fragment_bytes, greeting_s=self._greeting_s
        )
        strangers = [stream for stream in self._streams if stream not in self._open]
        if len(self._streams) >= MAX_STREAMS and strangers:
            strangers[0].abort(TransportError("too many streams that do not greet"))
        self._streams[link] = None
        return link

    def _gone(self, link: TcpLink) -> None:
        self._streams.pop(link, None)
        self._open.discard(link)

    def _greet(self, link: TcpLink, message: bytes) -> None:
        greeting = PhoneGreeting.decode(message)
        busy = len(self._open) >= self._max_links
        answer = Answer.BUSY if busy else Answer.WELCOME
        link.greet(WatchGreeting(answer, self._max_fragment_bytes, self._service_data).encode())
        if busy or greeting.purpose is Purpose.LOOK:
            link.finish()
            return
        self._open.add(link)
        link.open(greeting.max_fragment_bytes)
        self._arrivals.offer(link)
