"""Records and the whole channel over loopback, against the floor of the AEAD alone, in the same run."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from time import thread_time

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from blechannel.aio.channel import Channel
from blechannel.aio.phone import Phone
from blechannel.aio.watch import Watch
from blechannel.config import Config, Padding
from blechannel.noise import CHACHAPOLY, CipherState, Transport
from blechannel.services.echo import echo
from blechannel.session.records import Records
from blechannel.stores.memory import MemoryStore
from blechannel.transports.loopback import LoopbackAir, LoopbackLink, loopback_pair
from blechannel.wire.frames import DATA_TYPE
from tests.bench.ratio import Figures, Work, measure, measure_batches

pytestmark = pytest.mark.bench

MESSAGES = 10_000
ROUND_TRIPS = 2_000
MESSAGE_BYTES = 244


def floor(length_bytes: int) -> Work:
    """One seal and one open with a kept key and a fresh nonce, and the header as associated data."""
    aead, message, header = ChaCha20Poly1305(os.urandom(32)), os.urandom(length_bytes), b"\x17\x01\x04"
    count = 0

    def run() -> None:
        nonlocal count
        nonce = b"\0\0\0\0" + count.to_bytes(8, "little")
        count += 1
        aead.decrypt(nonce, aead.encrypt(nonce, message, header), header)

    return run


def records(length_bytes: int) -> Work:
    """One record sealed and opened: the record layer. Putting content together and apart is the channel's part."""
    key, content = os.urandom(32), os.urandom(length_bytes - 1) + bytes((DATA_TYPE,))

    def side() -> Records:
        transport = Transport(CipherState(CHACHAPOLY, key), CipherState(CHACHAPOLY, key), b"", b"")
        return Records(transport, padding=Padding(1), max_body_bytes=8192)

    writer, reader = side(), side()

    def run() -> None:
        reader.open_content(writer.seal_content(content))

    return run


@pytest.mark.parametrize(("length_bytes", "most"), [(244, 1.4), (4096, 1.25)])
def test_records(length_bytes: int, most: float, report: Callable[[Figures], None]) -> None:
    work = {"floor": floor(length_bytes), "blechannel": records(length_bytes)}
    batches = measure_batches(work, rounds=31, number=300)
    report(Figures(f"record, {length_bytes} bytes", batches, {"blechannel": most}))


async def _stream(channel: Channel, watch: Watch, name: str) -> float:
    """Processor seconds a message, both sides, from `Port.send` on the phone to `Port.receive` on the watch."""
    message = os.urandom(MESSAGE_BYTES)
    reader = watch.channels[0].port(name)

    async def send() -> None:
        async with channel.port(name) as port:
            for _ in range(MESSAGES):
                await port.send(message)

    began = thread_time()
    sending = asyncio.create_task(send())
    for _ in range(MESSAGES):
        await reader.receive()
    seconds = (thread_time() - began) / MESSAGES
    await sending
    return seconds


async def _ping_pong(channel: Channel, watch: Watch, name: str) -> float:
    """Processor seconds a round trip, both sides: a message to the watch and back, one on its way at a time."""
    message = os.urandom(MESSAGE_BYTES)
    watch.channels[0].serve(name, echo)
    async with channel.port(name) as port:
        began = thread_time()
        for _ in range(ROUND_TRIPS):
            await port.send(message)
            await port.receive()
        return (thread_time() - began) / ROUND_TRIPS


async def _round_trip() -> float:
    """Processor seconds in which two tasks hand a future to each other and back, and do nothing else."""
    loop = asyncio.get_running_loop()
    there, back = loop.create_future(), loop.create_future()

    async def answer() -> None:
        nonlocal there
        for _ in range(ROUND_TRIPS):
            await there
            there = loop.create_future()
            back.set_result(None)

    answering = asyncio.create_task(answer())
    await asyncio.sleep(0)
    began = thread_time()
    for _ in range(ROUND_TRIPS):
        there.set_result(None)
        await back
        back = loop.create_future()
    seconds = (thread_time() - began) / ROUND_TRIPS
    await answering
    return seconds


async def _nothing() -> float:
    return 0.0


Talk = Callable[[Channel, Watch, str], Awaitable[float]]
Least = Callable[[], Awaitable[float]]


async def _talks(
    talk: Talk, *, fragment_bytes: int, records_each: int, least: Least, batches: int = 15
) -> tuple[dict[str, float], ...]:
    """`talk` over one channel, and beside each its floor: `least`, and the `records_each` records that it needs."""

    def join() -> tuple[LoopbackLink, LoopbackLink]:
        return loopback_pair(phone_max_fragment_bytes=fragment_bytes, watch_max_fragment_bytes=fragment_bytes)

    air = LoopbackAir(join=join)
    config = Config("bench", padding=Padding(1))
    watch = Watch(MemoryStore(), air.watch(), config=config)
    async with watch, Phone(MemoryStore(), air.phone(), config=config) as phone:
        window = watch.open_pairing()

        async def ask_code() -> str:
            return window.code

        channel = await phone.pair(await phone.find(), ask_code)
        taken = []
        for number in range(batches):
            alone = measure({"floor": floor(MESSAGE_BYTES)}, rounds=5, number=2000)["floor"]
            whole = await talk(channel, watch, f"talk {number}")
            taken.append({"floor": alone * records_each + await least(), "blechannel": whole})
        return tuple(taken)


in_fragments = pytest.mark.parametrize("fragment_bytes", [512, 244], ids=["one fragment", "two fragments"])
"""A message with its headers and its tag has 268 bytes: one fragment of the longest, two at ATT_MTU 247."""
STREAM_AT_MOST = {512: 3.3, 244: 3.6}
ROUND_TRIP_AT_MOST = {512: 3.2, 244: 3.4}
"""What a quiet machine reaches, and a little room; docs/decisions/0010-hot-path.md says what was aimed at."""


@in_fragments
def test_a_loopback_stream(fragment_bytes: int, report: Callable[[Figures], None]) -> None:
    batches = asyncio.run(_talks(_stream, fragment_bytes=fragment_bytes, records_each=1, least=_nothing))
    report(Figures(f"stream, 244 B in {fragment_bytes}", batches, {"blechannel": STREAM_AT_MOST[fragment_bytes]}))


@in_fragments
def test_a_loopback_ping_pong(fragment_bytes: int, report: Callable[[Figures], None]) -> None:
    batches = asyncio.run(_talks(_ping_pong, fragment_bytes=fragment_bytes, records_each=2, least=_round_trip))
    report(
        Figures(f"ping-pong, 244 B in {fragment_bytes}", batches, {"blechannel": ROUND_TRIP_AT_MOST[fragment_bytes]})
    )
