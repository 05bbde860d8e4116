"""Strangers that flood, drip, and come and go: memory, time and log stay bounded, and the bonded phone is served."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

from blechannel.aio.journal import LINES, PERIOD_S
from blechannel.errors import AccessDenied
from blechannel.limits import MAX_FRAME_BYTES, Limits
from blechannel.wire.fragments import FRAGMENT_HEADER_BYTES, FragmentStream
from blechannel.wire.header import FRAME_HEADER_BYTES, pack_header
from tests.hostile.muted import ENDLESS, MutedPhone
from tests.hostile.siege import HOSE, Figures, Siege, Way, attacked, guest, joined, siege
from tests.wire.ends import data

PAIRING_FRAMES = 4
"""A phone's frames until it has opened a port."""
MAX_QUEUED_BYTES = 64_000
KINDS_OF_LINES = 6
"""Of both sides, whose logs are one here."""
GROWN_BYTES = 250_000
HONEST_S = 0.25
"""What half of the honest phone's round trips may take, on a busy machine and with memory traced."""
Attack = Callable[[Siege, int], Awaitable[None]]


FRAME_START = pack_header(1, 8000) + bytes(60)
"""Of a frame that takes more fragments than any window has."""


async def come_and_go(besieged: Siege, times: int) -> None:
    """Connect, hear INFO, leave."""
    radio = besieged.radio()
    for _ in range(times):
        link, _ = await joined(radio, besieged.address)
        await link.close()
    await radio.close()


async def flood(besieged: Siege, times: int) -> None:
    """Send as many fragments as the link takes, whatever the watch's window."""
    radio = besieged.radio()
    for _ in range(times):
        link, end = await joined(radio, besieged.address)
        number = 0
        while not end.over.is_set():
            while link.room and number < 4096:
                link.send(data(number, FRAME_START if number == 0 else b"x" * 60, starts=number == 0))
                number += 1
            await asyncio.sleep(0)
        await link.close()
    await radio.close()


async def talk_nonsense(besieged: Siege, times: int) -> None:
    """Frames of the right length and no meaning."""
    radio = besieged.radio()
    for count in range(times):
        link, end = await joined(radio, besieged.address)
        body = bytes((count + place) % 256 for place in range(100))
        link.send(data(0, pack_header(count % 256, len(body)) + body))
        await asyncio.wait_for(end.answered.wait(), 20)
        await link.close()
    await radio.close()


async def drip(besieged: Siege, times: int) -> None:
    """The longest frame, a byte a fragment, in windows that the watch acknowledges."""
    radio = besieged.radio()
    for _ in range(max(1, times // 100)):
        link, end = await joined(radio, besieged.address)
        stream = FragmentStream(max_fragment_bytes=20, receive=Limits(), patience=ENDLESS)
        stream.peer_limits(window=64, max_frame_bytes=MAX_FRAME_BYTES)
        stream._payload_bytes = FRAGMENT_HEADER_BYTES + 1
        for fragment in end.heard:
            stream.receive(fragment, now())
        end.stream = stream
        size = 8192 - FRAME_HEADER_BYTES
        stream.send(pack_header(1, size) + bytes(size))
        while not end.over.is_set():
            for fragment in stream.fragments_to_send(now()):
                if link.room:
                    link.send(fragment)
            if not stream.queued_bytes:
                break
            await asyncio.sleep(0.0005)
        await asyncio.wait_for(end.over.wait(), 20)
        await link.close()
    await radio.close()


async def open_ports(besieged: Siege, times: int) -> None:
    """A guest opens port after port: those that it may use, and with a message on each those that it may not."""
    async with guest(besieged) as channel:
        for count in range(times):
            async with channel.port(f"port {count % 32}"):
                pass
            with suppress(AccessDenied):
                async with channel.port(f"another {count % 32}") as port:
                    await port.send(bytes(500))
                    await port.receive()
        assert channel.is_open


async def never_read(besieged: Siege, times: int) -> None:
    """A guest has the watch send, as much as it will, and takes none of it."""
    async with guest(besieged) as channel:
        channel.port(HOSE).open()
        for _ in range(times):
            await asyncio.sleep(0.01)
        assert besieged.watch.figures.queued_bytes < MAX_QUEUED_BYTES


async def exhaust_window(besieged: Siege, times: int) -> None:
    """A guest has the watch send, and acknowledges nothing."""
    for _ in range(max(1, times // 100)):
        radio = MutedPhone(besieged.radio(), PAIRING_FRAMES)
        async with guest(besieged, radio) as channel:
            channel.port(HOSE).open()
            async with asyncio.timeout(20):
                while len(besieged.watch.channels) > 1:
                    assert besieged.watch.figures.queued_bytes < MAX_QUEUED_BYTES
                    await asyncio.sleep(0.01)


def now() -> float:
    return asyncio.get_running_loop().time()


ATTACKS: dict[str, Attack] = {
    "come and go": come_and_go,
    "flood": flood,
    "nonsense": talk_nonsense,
    "drip": drip,
    "open ports": open_ports,
    "never read": never_read,
    "exhaust the window": exhaust_window,
}


def bounded(figures: Figures) -> None:
    """What an attack may cost, however often it comes."""
    print(figures)
    assert figures.grown_bytes < GROWN_BYTES
    assert figures.log_lines <= KINDS_OF_LINES * (LINES + 1) * (1 + figures.lasted_s // PERIOD_S)
    assert figures.round_trips > 5
    assert figures.median_s < HONEST_S


SHORT_RUNS = [*((attack, Way.LOOPBACK) for attack in ATTACKS), ("come and go", Way.TCP), ("flood", Way.TCP)]


@pytest.mark.parametrize(("attack", "way"), SHORT_RUNS)
async def test_who_attacks_costs_little_and_the_bonded_phone_is_served(attack: str, way: Way) -> None:
    async with siege(way) as besieged:
        bounded(await attacked(besieged, lambda: ATTACKS[attack](besieged, 30)))
        assert besieged.channel.is_open
        assert besieged.watch.counters.floods_refused == (30 if attack == "flood" else 0)


@pytest.mark.long
@pytest.mark.parametrize("way", Way)
@pytest.mark.parametrize("attack", ATTACKS)
async def test_who_attacks_for_long_costs_no_more(attack: str, way: Way) -> None:
    times = 10_000 if attack == "come and go" else 1_000
    async with siege(way) as besieged:
        bounded(await attacked(besieged, lambda: ATTACKS[attack](besieged, times)))
        assert besieged.channel.is_open
