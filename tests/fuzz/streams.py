"""Targets that hear a sequence: fragments, Noise messages, bytes of a TCP stream."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import cache

import pytest

from blechannel.aio.link import LinkReceiver
from blechannel.errors import (
    AuthenticationFailed,
    FragmentRefused,
    LocalProtocolError,
    MalformedFrame,
    PeerTimedOut,
    RemoteProtocolError,
    TransportError,
)
from blechannel.limits import MAX_FRAGMENT_BYTES, MAX_FRAME_BYTES
from blechannel.noise import HandshakeState, Protocol
from blechannel.noise.handshake import State
from blechannel.transports.tcp.greeting import PhoneGreeting
from blechannel.transports.tcp.link import UNREAD_BYTES, TcpLink
from tests.fuzz.reading import Reader
from tests.noise.live import Pair, product
from tests.session.sides import Stream
from tests.wire.ends import control, data, end

PATTERNS = "XXpsk3", "KKpsk0"


def fragments(script: bytes) -> None:
    """A FragmentStream: the script's steps let it hear, say and wait. It fails once and for good, and stays small."""
    steps, now = Reader(script), 0.0
    limit_bytes = 512 + 64 * steps.u8()
    stream = end(fragment_bytes=20 + steps.u8(), window=2 + steps.u8() % 63, max_frame_bytes=min(8192, limit_bytes))
    heard = 0
    try:
        while steps:
            now += 0.001
            match steps.u8() % 8:
                case 0:
                    stream.receive(steps.take(steps.u16() % 600), now)
                case 1 | 2 | 3 as how:
                    payload = steps.take(1 + steps.u8())
                    whole = stream.receive(data(heard, payload, starts=how == 1, ack=steps.u8() % 2), now)
                    heard += 1
                    assert whole is None or len(whole) <= limit_bytes
                case 4:
                    stream.receive(control(heard, ack=steps.u8(), probe=bool(steps.u8() % 2)), now)
                case 5:
                    with suppress(LocalProtocolError):
                        stream.send(b"\x17\x00\x05" + bytes(5))
                    assert all(len(each) <= MAX_FRAGMENT_BYTES for each in stream.fragments_to_send(now))
                case 6:
                    now += steps.u8() / 8
                    stream.expire(now)
                case _:
                    stream.peer_limits(window=steps.u8(), max_frame_bytes=steps.u16())
            assert stream._partial is None or len(stream._partial) <= min(MAX_FRAME_BYTES, limit_bytes)
    except (FragmentRefused, PeerTimedOut) as refused:
        _assert_dead(stream.receive, type(refused))
        assert stream.fragments_to_send(now) == []
        assert stream.deadline() is None
        assert stream._partial is None


def _assert_dead(receive: Callable[[bytes, float], bytes | None], kind: type[RemoteProtocolError]) -> None:
    with pytest.raises(kind):
        receive(b"\0\0\0", 0.0)


def noise(script: bytes) -> None:
    """A side of a handshake that hears any message in any turn; the first two steps choose pattern and turn."""
    steps = Reader(script)
    pair, turn = _noise_pair(PATTERNS[steps.u8() % 2]), steps.u8()
    initiator, responder = pair.side(initiator=True), pair.side(initiator=False)
    sides = [initiator, responder]
    for _ in range(turn % len(pair.protocol.messages)):
        sides[1].read_message(sides[0].write_message())
        sides.reverse()
    _hear_junk(sides[1], steps.rest())


def _hear_junk(side: HandshakeState, message: bytes) -> None:
    try:
        side.read_message(message)
    except (AuthenticationFailed, MalformedFrame):
        assert side.state is State.FAILED
        assert side.remote_ephemeral is side.remote_static is None
    else:
        # Only the first message may be anybody's.
        assert side.remote_ephemeral is not None


@cache
def _noise_pair(pattern: str) -> Pair:
    random = Stream("noise")
    protocol = Protocol.parse(product(pattern))
    return Pair(protocol, protocol.dh.generate(random), protocol.dh.generate(random))


class _Fragments(LinkReceiver):
    """Takes what a link delivers."""

    def __init__(self) -> None:
        self.lost = 0

    def fragment_received(self, fragment: bytes) -> None:
        assert len(fragment) <= MAX_FRAGMENT_BYTES

    def resume_sending(self) -> None:
        """There is nothing to send."""

    def link_lost(self, error: TransportError) -> None:
        assert isinstance(error, TransportError)
        self.lost += 1


def tcp(script: bytes) -> None:
    """The parser of a TCP stream, before and after the greeting, in pieces that the script cuts."""
    _loop().run_until_complete(_hear_stream(Reader(script)))


async def _hear_stream(steps: Reader) -> None:
    def greet(link: TcpLink, message: bytes) -> None:
        link.open(PhoneGreeting.decode(message).max_fragment_bytes)

    link, taker = TcpLink(greet, lambda _: None, max_fragment_bytes=244, greeting_s=5.0), _Fragments()
    while steps:
        piece = steps.take(steps.u16())
        link.data_received(piece)
        assert len(link._received) <= UNREAD_BYTES + len(piece)
        if link._greet is None and link._receiver is None:
            link.start(taker)
            await asyncio.sleep(0)
    link.connection_lost(None)
    assert link.ended
    assert link.room == 0
    assert taker.lost == (link._receiver is not None)


@cache
def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.new_event_loop()
