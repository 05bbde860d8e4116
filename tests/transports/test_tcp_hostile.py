"""Peers that are no simulated radio, or a bad one."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from blechannel.errors import LinkLost, TransportError
from blechannel.transports.tcp import TcpPhoneTransport, TcpWatchTransport
from blechannel.transports.tcp.greeting import MAGIC, Answer, PhoneGreeting, Purpose, WatchGreeting
from blechannel.transports.tcp.link import UNREAD_BYTES
from blechannel.transports.tcp.watch import MAX_STREAMS
from tests.transports.receivers import Receiver

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]
HELLO = PhoneGreeting(Purpose.LINK, 244).encode()
WELCOME = WatchGreeting(Answer.WELCOME, 244, b"").encode()


def framed(message: bytes) -> bytes:
    return len(message).to_bytes(2, "big") + message


@asynccontextmanager
async def a_watch(greeting_s: float = 5.0) -> AsyncIterator[TcpWatchTransport]:
    watch = TcpWatchTransport(greeting_s=greeting_s)
    await watch.advertise(b"data")
    yield watch
    await watch.close()


@asynccontextmanager
async def stranger_at(watch: TcpWatchTransport) -> AsyncIterator[Stream]:
    host, port = watch.address.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield reader, writer
    finally:
        writer.transport.abort()
        await asyncio.sleep(0)


async def nothing(reader: asyncio.StreamReader) -> bool:
    """Whether the other side hangs up without a word."""
    try:
        return await reader.read() == b""
    except ConnectionResetError:
        return True


@asynccontextmanager
async def a_service(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[str]:
    """Something that is no watch of ours."""
    done = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        finally:
            writer.transport.abort()
            done.set()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()
    await done.wait()
    await asyncio.sleep(0)


GREETINGS = [
    pytest.param(b"GET / HTTP/1.1\r\n\r\n", id="http"),
    pytest.param(b"\x02\x01" + bytes(513), id="over 512"),
    pytest.param(framed(b""), id="empty"),
    pytest.param(framed(MAGIC), id="magic alone"),
    pytest.param(framed(HELLO.replace(b"/1", b"/2")), id="other version"),
    pytest.param(framed(HELLO + b"x"), id="trailing"),
    pytest.param(framed(struct.pack(">16sBH", MAGIC, 2, 244)), id="unknown purpose"),
    pytest.param(framed(struct.pack(">16sBH", MAGIC, 1, 19)), id="short fragments"),
    pytest.param(framed(struct.pack(">16sBH", MAGIC, 1, 513)), id="long fragments"),
]


@pytest.mark.parametrize("greeting", GREETINGS)
async def test_the_watch_tells_a_stranger_nothing(greeting: bytes) -> None:
    async with a_watch() as watch:
        accepting = asyncio.create_task(watch.accept())
        async with stranger_at(watch) as (reader, writer):
            writer.write(greeting)
            assert await nothing(reader)
        assert not accepting.done()
        accepting.cancel()


@pytest.mark.parametrize("said", [b"", b"\x00", framed(HELLO)[:10]])
async def test_the_watch_does_not_wait_for_a_slow_greeting(said: bytes) -> None:
    async with a_watch(greeting_s=0.05) as watch, stranger_at(watch) as (reader, writer):
        writer.write(said)
        assert await asyncio.wait_for(nothing(reader), 1)


async def test_a_phone_that_looks_and_stays_is_hung_up_on() -> None:
    async with a_watch(greeting_s=0.05) as watch, stranger_at(watch) as (reader, writer):
        writer.write(framed(PhoneGreeting(Purpose.LOOK, 244).encode()))
        answer = framed(WatchGreeting(Answer.WELCOME, 244, b"data").encode())
        assert await reader.read() == answer
        while watch._streams:
            await asyncio.sleep(0.01)
        writer.write(b"anything")


async def test_a_greeting_may_come_byte_by_byte() -> None:
    async with a_watch() as watch, stranger_at(watch) as (_, writer):
        for byte in framed(HELLO) + framed(b"fragment"):
            writer.write(bytes([byte]))
            await asyncio.sleep(0)
        receives = Receiver(await watch.accept())
        assert await receives.receive(1) == [b"fragment"]


async def test_many_silent_strangers_do_not_keep_a_phone_out() -> None:
    async with a_watch(greeting_s=60) as watch:
        host, port = watch.address.split(":")
        strangers = [await asyncio.open_connection(host, int(port)) for _ in range(MAX_STREAMS + 5)]
        phone = TcpPhoneTransport([])
        await phone.connect(watch.address)
        await watch.accept()
        assert len(watch._streams) <= MAX_STREAMS
        assert await nothing(strangers[0][0])
        for _, writer in strangers:
            writer.transport.abort()
        await phone.close()


async def test_strangers_in_the_same_turn_as_the_limit() -> None:
    """A stream that is turned away before it is made must not be served after all."""
    async with a_watch(greeting_s=60) as watch:
        made = [watch._stream() for _ in range(MAX_STREAMS + 1)]
        assert made[0].ended
        host, port = watch.address.split(":")
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: made[0], host, int(port))
        await made[0].lost.wait()
        assert made[0] not in watch._streams
        watch._streams.clear()


@pytest.mark.parametrize(
    ("tail", "fault"),
    [
        (b"\x02\x01", "513 bytes at once"),
        (b"\xff\xff", "65535 bytes at once"),
        (framed(b"fragment")[:-1], "in the middle of a fragment"),
        (b"\x00", "in the middle of a fragment"),
        (b"", "the peer disconnected"),
    ],
)
async def test_what_a_linked_peer_may_not_do(tail: bytes, fault: str) -> None:
    async with a_watch() as watch, stranger_at(watch) as (_, writer):
        writer.write(framed(HELLO) + framed(b"good"))
        receives = Receiver(await watch.accept())
        await receives.receive(1)
        writer.write(tail)
        writer.write_eof()
        await receives.lost.wait()
        assert receives.fragments == [b"good"]
        assert isinstance(receives.error, LinkLost)
        assert fault in str(receives.error)


async def test_a_reset_in_the_middle_is_a_lost_link() -> None:
    async with a_watch() as watch, stranger_at(watch) as (_, writer):
        writer.write(framed(HELLO))
        receives = Receiver(await watch.accept())
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
        await receives.lost.wait()
        assert isinstance(receives.error, LinkLost)
        assert isinstance(receives.error.__cause__, ConnectionResetError)


async def test_a_peer_that_never_reads_costs_a_bounded_buffer() -> None:
    async with a_watch() as watch, stranger_at(watch) as (_, writer):
        writer.write(framed(HELLO))
        link = await watch.accept()
        sends = Receiver(link)
        while link.room:
            link.send(bytes(244))
            if not link.room:
                await asyncio.sleep(0)
        held = link._transport.get_write_buffer_size() if link._transport else 0
        assert 0 < held < 64 * 1024
        assert sends.error is None


@pytest.mark.parametrize(
    "greeting",
    [
        pytest.param(b"SSH-2.0-OpenSSH_9\r\n", id="ssh"),
        pytest.param(framed(b"welcome to something else"), id="other words"),
        pytest.param(framed(WELCOME + bytes(14)), id="long service data"),
        pytest.param(framed(struct.pack(">16sBH", MAGIC, 9, 244)), id="unknown answer"),
        pytest.param(b"", id="hangs up"),
    ],
)
async def test_a_service_that_is_no_watch(greeting: bytes) -> None:
    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        await writer.drain()

    async with a_service(serve) as address:
        with pytest.raises(TransportError, match="did not greet as a watch") as caught:
            await TcpPhoneTransport([]).connect(address)
        assert isinstance(caught.value.__cause__, TransportError)


async def test_a_service_that_says_nothing() -> None:
    async def serve(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with a_service(serve) as address:
        with pytest.raises(TransportError, match="no greeting in time"):
            await TcpPhoneTransport([], greeting_s=0.05).connect(address)


async def test_giving_up_on_a_silent_service_leaves_nothing() -> None:
    async def serve(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with a_service(serve) as address:
        phone = TcpPhoneTransport([])
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(phone.connect(address), 0.05)
        await asyncio.sleep(0.01)
        assert not phone._streams


async def test_a_scan_passes_over_strangers() -> None:
    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail\r\n")
        await writer.drain()

    async with a_service(serve) as stranger, a_watch() as watch:
        phone = TcpPhoneTransport([stranger, watch.address])
        scan = phone.scan()
        sighting = await anext(scan)
        assert sighting.address == watch.address
        await phone.close()


async def test_a_second_greeting_is_a_fragment() -> None:
    """After the first message nothing is read as a greeting again."""
    async with a_watch() as watch, stranger_at(watch) as (_, writer):
        writer.write(framed(HELLO) + framed(HELLO))
        receives = Receiver(await watch.accept())
        assert await receives.receive(1) == [HELLO]


async def test_what_comes_before_the_start_is_bounded() -> None:
    """A peer that sends on and on is not read on and on: it fills its own buffers."""
    fragments = 4 * UNREAD_BYTES // 512 * [bytes(512)]
    async with a_watch() as watch, stranger_at(watch) as (_, writer):
        writer.write(framed(HELLO))
        link = await watch.accept()
        for fragment in fragments:
            writer.write(framed(fragment))
        while link._transport is not None and link._transport.is_reading():
            await asyncio.sleep(0.001)
        kept_bytes = len(link._received)
        for _ in range(20):
            await asyncio.sleep(0.001)
        assert len(link._received) == kept_bytes
        receives = Receiver(link)
        assert await receives.receive(len(fragments)) == fragments
