"""A watch with a bonded phone, which others attack: on loopback and over TCP, in real time."""

from __future__ import annotations

import asyncio
import gc
import logging
import time
import tracemalloc
from array import array
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from blechannel.aio.channel import Channel
from blechannel.aio.link import Link, LinkReceiver, PhoneTransport, WatchTransport
from blechannel.aio.phone import Phone
from blechannel.aio.port import Port
from blechannel.aio.watch import Watch
from blechannel.config import Config
from blechannel.errors import BlechannelError, TransportError
from blechannel.limits import Patience
from blechannel.services import echo
from blechannel.stores.memory import MemoryStore
from blechannel.transports.loopback import LoopbackAir
from blechannel.transports.tcp import TcpPhoneTransport, TcpWatchTransport
from blechannel.wire.fragments import FragmentStream
from tests.aio.rooms import typing

ATTACKER_PATIENCE_S: Final = 20.0
SHORT: Final = Patience(handshake_s=0.8, person_s=0.5, frame_s=0.5, stall_s=2.0, close_s=0.2)
"""The watch's, so that a test ends; the bounds do not depend on it."""


HOSE: Final = "hose"
GUEST_PORTS: Final = frozenset({HOSE, *(f"port {number}" for number in range(32))})
"""What a guest may open, as an attacker who is bonded is one."""


async def pour(port: Port) -> None:
    """A service that sends for as long as somebody takes it."""
    while True:
        await port.send(bytes(1000))


class Way(StrEnum):
    """What the links are."""

    LOOPBACK = "loopback"
    TCP = "tcp"


@dataclass
class Siege:
    """The watch, its honest phone's channel, and radios for those who attack."""

    watch: Watch
    phone: Phone
    channel: Channel
    address: str
    radio: Callable[[], PhoneTransport]
    latencies_s: array[float] = field(default_factory=lambda: array("d"))
    """An array, whose memory counts as the attack's and shall be little."""

    async def echoed_for_ever(self) -> None:
        """The honest phone's round trips, timed."""
        async with self.channel.port(echo.PORT) as port:
            while True:
                began_s = time.perf_counter()
                await port.send(b"still served?")
                await port.receive()
                self.latencies_s.append(time.perf_counter() - began_s)
                await asyncio.sleep(0.002)

    def latency_s(self, share: float) -> float:
        """The latency that so large a share of the round trips stayed below."""
        return sorted(self.latencies_s)[min(len(self.latencies_s) - 1, int(share * len(self.latencies_s)))]


async def looked_at(watch: Watch) -> None:
    """As by a display: events that nobody takes would keep their channels."""
    async for _ in watch.events():
        pass


@asynccontextmanager
async def siege(way: Way) -> AsyncGenerator[Siege, None]:
    """Both sides, bonded and connected; everything is closed when it is left."""
    air = LoopbackAir()
    async with AsyncExitStack() as held:
        at: WatchTransport = air.watch(address="watch-1") if way is Way.LOOPBACK else TcpWatchTransport()
        watch = await held.enter_async_context(
            Watch(MemoryStore(), at, config=Config("watch", patience=SHORT, guest_ports=GUEST_PORTS))
        )
        watch.serve(echo.PORT, echo.echo)
        watch.serve(HOSE, pour)
        address = at.address if isinstance(at, TcpWatchTransport) else "watch-1"

        def radio() -> PhoneTransport:
            return air.phone() if way is Way.LOOPBACK else TcpPhoneTransport([address])

        phone = await held.enter_async_context(Phone(MemoryStore(), radio(), config=Config("honest")))
        window = watch.open_pairing()
        channel = await phone.pair(await phone.find(), typing(lambda: window.code))
        looking = asyncio.create_task(looked_at(watch))
        yield Siege(watch, phone, channel, address, radio)
        looking.cancel()
        await asyncio.wait({looking})


@dataclass(frozen=True)
class Figures:
    """What an attack cost. Processor time is of both sides and of tracing memory; latencies are the honest phone's."""

    lasted_s: float
    cpu_s: float
    grown_bytes: int
    log_lines: int
    round_trips: int
    median_s: float
    usual_s: float
    """What 95 of 100 round trips stayed below."""


class Lines(logging.Handler):
    """Counts what is logged."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.count = 0

    def emit(self, _record: logging.LogRecord) -> None:
        self.count += 1


async def attacked(besieged: Siege, attack: Callable[[], Awaitable[None]]) -> Figures:
    """Run the attack while the honest phone talks."""
    own, lines = logging.getLogger("blechannel"), Lines()
    level = own.level
    own.setLevel(logging.INFO)
    own.addHandler(lines)
    talking = asyncio.create_task(besieged.echoed_for_ever())
    try:
        await asyncio.sleep(0.05)
        tracemalloc.start()
        before, cpu_s, began_s = tracemalloc.get_traced_memory()[0], time.process_time(), time.monotonic()
        await attack()
        spent_s, lasted_s = time.process_time() - cpu_s, time.monotonic() - began_s
        gc.collect()
        after = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
        talking.cancel()
        with suppress(asyncio.CancelledError):
            await talking
        own.removeHandler(lines)
        own.setLevel(level)
    shares = [besieged.latency_s(share) for share in (0.5, 0.95)]
    return Figures(lasted_s, spent_s, after - before, lines.count, len(besieged.latencies_s), *shares)


class Raw(LinkReceiver):
    """A stranger's end of a link: hears, and tells when it has ended."""

    def __init__(self) -> None:
        self.first = asyncio.Event()
        self.answered = asyncio.Event()
        """It heard more than the first fragment, or the end."""
        self.over = asyncio.Event()
        self.heard: list[bytes] = []
        self.stream: FragmentStream | None = None

    def fragment_received(self, fragment: bytes) -> None:
        if self.heard:
            self.answered.set()
        elif not self.heard:
            self.heard.append(fragment)
        self.first.set()
        if self.stream is not None:
            self.stream.receive(fragment, asyncio.get_running_loop().time())

    def resume_sending(self) -> None:
        pass

    def link_lost(self, _error: TransportError) -> None:
        self.first.set()
        self.answered.set()
        self.over.set()


async def joined(radio: PhoneTransport, address: str) -> tuple[Link, Raw]:
    """A stranger's link on which the watch has spoken; tried again while the watch has links enough."""
    async with asyncio.timeout(ATTACKER_PATIENCE_S):
        while True:
            try:
                link = await radio.connect(address)
            except BlechannelError:
                await asyncio.sleep(0.01)
                continue
            end = Raw()
            link.start(end)
            await end.first.wait()
            return link, end


@asynccontextmanager
async def guest(besieged: Siege, radio: PhoneTransport | None = None) -> AsyncGenerator[Channel, None]:
    """The channel of somebody who is bonded as a guest, and means no good."""
    async with Phone(MemoryStore(), radio or besieged.radio(), config=Config("guest")) as phone:
        window = besieged.watch.open_pairing()
        yield await phone.pair(await phone.find(), typing(lambda: window.code))
