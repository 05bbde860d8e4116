"""The phone's side: it looks at each address that it was given, and connects to one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence

from blechannel.aio.link import Sighting
from blechannel.errors import LinkLost, TransportError, TransportGone
from blechannel.transports.fragment_size import DEFAULT_FRAGMENT_BYTES, check_fragment_bytes
from blechannel.transports.tcp.endpoint import Endpoint, UnixEndpoint, parse_endpoint
from blechannel.transports.tcp.greeting import Answer, PhoneGreeting, Purpose, WatchGreeting
from blechannel.transports.tcp.link import TcpLink

_log = logging.getLogger(__name__)

GREETING_S = 5.0


class TcpPhoneTransport:
    """A central whose air is a list of addresses."""

    def __init__(
        self,
        addresses: Sequence[str],
        *,
        max_fragment_bytes: int = DEFAULT_FRAGMENT_BYTES,
        scan_interval_s: float = 0.25,
        greeting_s: float = GREETING_S,
        allow_remote: bool = False,
    ) -> None:
        """`greeting_s` is what a peer may take to greet.

        Raises:
            LocalProtocolError: no address, or one that is not on this machine without `allow_remote`.
        """
        self._endpoints = [parse_endpoint(address, allow_remote=allow_remote) for address in addresses]
        self._max_fragment_bytes = check_fragment_bytes(max_fragment_bytes)
        self._scan_interval_s = scan_interval_s
        self._greeting_s = greeting_s
        self._allow_remote = allow_remote
        self._streams: set[TcpLink] = set()
        self._closed = False
        self._unseen: dict[Endpoint, str] = {}

    async def scan(self) -> AsyncGenerator[Sighting, None]:
        """Look at every address again and again; where no watch answers, nothing is seen.

        Raises:
            TransportError: the transport was closed.
        """
        while True:
            self._check_open()
            for sighting in await asyncio.gather(*map(self._look, self._endpoints)):
                if sighting is not None:
                    yield sighting
            await asyncio.sleep(self._scan_interval_s)

    async def connect(self, address: str) -> TcpLink:
        """A link to the watch that listens at `address`.

        Raises:
            TransportError: nobody listens there, another service does, or the watch has links enough.
            LocalProtocolError: no address, or one that is not on this machine.
        """
        endpoint = parse_endpoint(address, allow_remote=self._allow_remote)
        link, greeting = await self._greet(endpoint, Purpose.LINK)
        if greeting.answer is Answer.BUSY:
            link.abort(LinkLost("the watch is busy"))
            raise TransportError(f"the watch at {endpoint} serves as many phones as it can")
        return link

    async def close(self) -> None:
        """Drop every link and end every scan. Safe to call again."""
        self._closed = True
        streams = list(self._streams)
        for stream in streams:
            stream.abort(LinkLost("the transport was closed"))
        for stream in streams:
            await stream.lost.wait()

    async def _look(self, endpoint: Endpoint) -> Sighting | None:
        try:
            link, greeting = await self._greet(endpoint, Purpose.LOOK)
        except TransportError as error:
            if self._unseen.get(endpoint) != str(error):  # once, not each time that it is looked for
                self._unseen[endpoint] = str(error)
                _log.info("nothing seen: %s", error)
            return None
        self._unseen.pop(endpoint, None)
        link.abort(LinkLost("it was only a look"))
        await link.lost.wait()
        return Sighting(str(endpoint), greeting.service_data)

    async def _greet(self, endpoint: Endpoint, purpose: Purpose) -> tuple[TcpLink, WatchGreeting]:
        self._check_open()
        answer: asyncio.Future[WatchGreeting] = asyncio.get_running_loop().create_future()

        def take(link: TcpLink, message: bytes) -> None:
            greeting = WatchGreeting.decode(message)
            if purpose is Purpose.LINK and greeting.answer is Answer.WELCOME:
                link.open(greeting.max_fragment_bytes)
            if not answer.done():
                answer.set_result(greeting)

        def gone(link: TcpLink) -> None:
            self._streams.discard(link)
            if not answer.done():
                answer.set_exception(_no_greeting(endpoint, link.error))

        link = TcpLink(take, gone, max_fragment_bytes=self._max_fragment_bytes, greeting_s=self._greeting_s)
        await _connect(endpoint, link)
        self._streams.add(link)
        if self._closed:
            link.abort(LinkLost("the transport was closed"))
        link.greet(PhoneGreeting(purpose, self._max_fragment_bytes).encode())
        try:
            return link, await answer
        except asyncio.CancelledError:
            link.abort(LinkLost("the phone gave up connecting"))
            raise

    def _check_open(self) -> None:
        if self._closed:
            raise TransportGone("the transport was closed")


def _no_greeting(endpoint: Endpoint, error: TransportError | None) -> TransportError:
    """What to tell somebody who wanted a link, with what happened to the stream as its cause."""
    failure = TransportError(f"{endpoint} did not greet as a watch does ({error}): is it the right address?")
    failure.__cause__ = error
    return failure


async def _connect(endpoint: Endpoint, link: TcpLink) -> None:
    loop = asyncio.get_running_loop()
    try:
        if isinstance(endpoint, UnixEndpoint):
            await loop.create_unix_connection(lambda: link, endpoint.path)
        else:
            await loop.create_connection(lambda: link, endpoint.host, endpoint.port)
    except OSError as error:
        advice = f"is the watch running? Start it with `blechannel watch --transport {endpoint.option}`"
        raise TransportError(f"nobody answers at {endpoint} ({error}): {advice}") from error
