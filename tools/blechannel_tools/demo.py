"""The main job in one run: a watch and a phone pair, talk, part, reconnect and finish, and tell a cloud of it."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from time import perf_counter

from blechannel.aio.channel import Channel
from blechannel.aio.key_log import KeyLog
from blechannel.aio.person import OutOfBand, Words
from blechannel.aio.phone import FoundWatch, Phone
from blechannel.aio.watch import Watch
from blechannel.config import Config
from blechannel.errors import BlechannelError, LinkLost, PairingRefused, WatchNotFound
from blechannel.methods import Method
from blechannel.oob import qr
from blechannel.pairing.window import PairingWindow
from blechannel.services import echo, transfer
from blechannel.stores.memory import MemoryStore
from blechannel.transports.bumble import VirtualRadio
from blechannel_tools.demo_analysis import Analysed, analyse
from blechannel_tools.demo_cloud import heart_rate_to_the_cloud, serve_a_heart
from blechannel_tools.metering import Meter, MeteredPhoneTransport
from blechannel_tools.output import Lines
from gatt_profiles import heart_rate

TRANSFER_BYTES = 256 * 1024
ECHOES = 20
PHONE_ECHO_PORT = "phone echo"
"""The watch's messages come back on a port of their own: one that both sides echo would never fall silent."""
Say = Callable[[str | Lines], None]


@dataclass(frozen=True, slots=True)
class Summary:
    """What the run measured, for the table and for programs. Files are in the folder of the run.

    The virtual radio has no timing of its own: the times are those of this machine.
    """

    wrong_code: str
    pairing_s: float
    pairing_round_trips: int
    pairing_air_bytes: int
    """Link-layer payload both ways, as all `air_bytes`."""
    echo_round_trip_s: float
    reconnect_s: float
    """From a found watch to the channel, with the link's own set-up."""
    reconnect_round_trips: int
    reconnect_air_bytes: int
    transfer_bytes: int
    resumed_at_byte: int
    transfer_s: float
    """Both parts, and the reconnect between them."""
    transfer_air_bytes: int
    goodput_bytes_per_s: int
    seconds: float
    """The main run: everything but the other ways to pair and the cloud."""
    other_ways: tuple[str, ...]
    """What each of the other pairings proved."""
    cloud: str
    """What came out at a subscriber of a broker, or what was left out."""
    captures: tuple[str, ...]
    key_log: str
    analysis: Analysed
    """What the phone's capture shows of it."""

    def rows(self) -> list[tuple[str, str]]:
        """Name and value of each figure, for people."""
        lost_at = f"{self.resumed_at_byte:,} of {self.transfer_bytes:,} bytes"
        return [
            ("a wrong code", self.wrong_code),
            ("pairing", _step(self.pairing_round_trips, self.pairing_air_bytes, self.pairing_s)),
            ("reconnect", _step(self.reconnect_round_trips, self.reconnect_air_bytes, self.reconnect_s)),
            ("a message there and back", f"{self.echo_round_trip_s * 1e6:.0f} µs"),
            ("link lost and resumed at", lost_at),
            ("transfer, with the reconnect", f"{self.transfer_s:.3f} s"),
            ("bytes on the air for it", f"{self.transfer_air_bytes:,}"),
            ("goodput", f"{self.goodput_bytes_per_s / 1000:,.0f} kB/s (a radio of no time: what this machine does)"),
            ("the main run", f"{self.seconds:.2f} s"),
            ("paired again by", "; ".join(self.other_ways)),
            ("in the cloud", self.cloud),
            ("captures", ", ".join(self.captures)),
            ("key log", self.key_log),
            ("the phone's capture shows", str(self.analysis)),
            ("a page about it", self.analysis.report),
        ]


class _Halfway:
    """Passes progress on, and loses the link once when half of the bytes are through."""

    def __init__(self, progress: transfer.Progress, lose: Callable[[], None]) -> None:
        self._progress = progress
        self._lose: Callable[[], None] | None = lose

    def __call__(self, done: int, size: int) -> None:
        self._progress(done, size)
        if self._lose is not None and done * 2 >= size:
            lose, self._lose = self._lose, None
            lose()


async def run_demo(out: Path, *, say: Say, progress: transfer.Progress) -> Summary:
    """Run the whole job; captures, key log and a page about them are written into `out`, replacing earlier ones.

    Raises:
        BlechannelError: something did not work.
        OSError: the folder cannot be written.
    """
    out.mkdir(parents=True, exist_ok=True)
    captures = (out / "phone.btsnoop", out / "watch.btsnoop")
    keys, figures = out / "keys.log", out / "summary.json"
    report = out / "report.html"
    for path in (*captures, keys, figures, report):
        path.unlink(missing_ok=True)
    key_log = KeyLog(keys)
    radio, meter = VirtualRadio(), Meter()
    try:
        watch_radio = await radio.watch(snoop=captures[1])
        phone_radio = MeteredPhoneTransport(await radio.phone(snoop=captures[0]), meter)
        # Paired with as if for the first time, the phone is no longer the owner's when it carries heart rates.
        config = Config("demo watch", guest_ports=frozenset({heart_rate.SERVICE.port}))
        watch = Watch(MemoryStore(), watch_radio, config=config, key_log=key_log)
        phone = Phone(MemoryStore(), phone_radio, config=Config("demo phone"), key_log=key_log)
        async with watch, phone:
            run = _Run(watch, phone, meter, say=say, progress=_Halfway(progress, radio.drop_link))
            summarise = await run.through(captures, keys)
    finally:
        key_log.close()
    analysis = analyse(captures[0], keys, report)
    say(f"the phone's capture, read back with the key log: {analysis}")
    if analysis.verified < analysis.handshakes or analysis.attacks:
        raise BlechannelError(f"the capture does not show an honest run: {analysis}")
    summary = summarise(analysis=analysis)
    figures.write_text(json.dumps(asdict(summary), indent=2) + "\n")
    return summary


class _Run:
    def __init__(self, watch: Watch, phone: Phone, meter: Meter, *, say: Say, progress: transfer.Progress) -> None:
        self._watch = watch
        self._phone = phone
        self._meter = meter
        self._say = say
        self._progress = progress
        self._receiver = transfer.Receiver()

    async def through(self, captures: tuple[Path, ...], keys: Path) -> partial[Summary]:
        """The steps, one after the other; the summary lacks what the capture shows, which is not at its end yet."""
        began = perf_counter()
        self._watch.serve(echo.PORT, echo.echo)
        self._watch.serve(transfer.PORT, self._receiver.serve)
        heart = serve_a_heart(self._watch)
        self._phone.serve(PHONE_ECHO_PORT, echo.echo)
        window = self._watch.open_pairing()
        wrong_code = await self._try_a_wrong_code(window)
        channel, pairing = await self._pair(window)
        echo_s = await self._talk(channel)
        blob = os.urandom(TRANSFER_BYTES)
        first = _Lap(self._meter)
        await self._lose_the_link(channel, blob)
        lost = first.end()
        resumed_at = self._receiver.offset
        channel, reconnect = await self._reconnect()
        rest = await self._finish(channel, blob)
        await channel.close()
        seconds = round(perf_counter() - began, 3)
        other_ways = (await self._pair_by_words(), await self._pair_by_qr_code())
        cloud = await heart_rate_to_the_cloud(self._phone, heart, self._say)
        transfer_s = lost.seconds + reconnect.seconds + rest.seconds
        return partial(
            Summary,
            wrong_code=wrong_code,
            pairing_s=pairing.seconds,
            pairing_round_trips=pairing.round_trips,
            pairing_air_bytes=pairing.air_bytes,
            echo_round_trip_s=round(echo_s, 6),
            reconnect_s=reconnect.seconds,
            reconnect_round_trips=reconnect.round_trips,
            reconnect_air_bytes=reconnect.air_bytes,
            transfer_bytes=len(blob),
            resumed_at_byte=resumed_at,
            transfer_s=round(transfer_s, 4),
            transfer_air_bytes=lost.air_bytes + rest.air_bytes,
            goodput_bytes_per_s=int(len(blob) / transfer_s),
            seconds=seconds,
            other_ways=other_ways,
            cloud=cloud,
            captures=tuple(path.name for path in captures),
            key_log=keys.name,
        )

    async def _try_a_wrong_code(self, window: PairingWindow) -> str:
        wrong = f"{(int(window.code) + 1) % 1_000_000:06d}"
        self._say(f"the watch shows {window.code}; the phone types {wrong}")
        try:
            await self._phone.pair(await self._phone.find(), _typing(wrong))
        except PairingRefused as refused:
            self._say(f"refused, as it must be: {refused}")
            return f"refused: {refused.reason}"
        raise BlechannelError("a wrong code was accepted")

    async def _pair(self, window: PairingWindow) -> tuple[Channel, _Measured]:
        found = await self._phone.find()
        self._say(f"the watch shows a new code, {window.code}; the phone types it")
        lap = _Lap(self._meter)
        channel = await self._phone.pair(found, _typing(window.code))
        measured = lap.end()
        self._say(f"paired with {channel.bond.peer_name!r}: {channel.bond.assurance}")
        return channel, measured

    async def _talk(self, channel: Channel) -> float:
        while not self._watch.channels:
            await asyncio.sleep(0.01)
        there_s = await _echo(channel, echo.PORT)
        back_s = await _echo(self._watch.channels[0], PHONE_ECHO_PORT)
        self._say(f"{ECHOES} messages from the phone and {ECHOES} from the watch, there and back")
        return (there_s + back_s) / 2

    async def _lose_the_link(self, channel: Channel, blob: bytes) -> None:
        try:
            await transfer.send_blob(channel, blob, progress=self._progress)
        except LinkLost as lost:
            await channel.wait_over()
            self._say(f"the link is lost in the middle: {lost}")
            while self._watch.channels:
                await asyncio.sleep(0.01)
            return
        raise BlechannelError("the link was not lost")

    async def _reconnect(self) -> tuple[Channel, _Measured]:
        found = await self._phone.find()
        while found.bond is None:
            found = await self._phone.find()
        lap = _Lap(self._meter)
        channel = await self._phone.connect(found)
        measured = lap.end()
        self._say(f"reconnected in {_times(measured.round_trips, 'round trip')}")
        return channel, measured

    async def _finish(self, channel: Channel, blob: bytes) -> _Measured:
        self._say(f"the watch has {self._receiver.offset} bytes and asks for the rest")
        lap = _Lap(self._meter)
        await transfer.send_blob(channel, blob, progress=self._progress)
        measured = lap.end()
        if self._receiver.received != blob:
            raise BlechannelError("the transfer arrived changed")
        self._say(f"all {len(blob)} bytes are there; the digest is right")
        return measured

    async def _pair_by_words(self) -> str:
        shown: list[tuple[str, ...]] = []

        async def compare(words: tuple[str, ...]) -> bool:
            """Both people look at both screens: a word is said to be the same when both have shown it."""
            shown.append(words)
            while len(shown) < 2:
                await asyncio.sleep(0.001)
            return shown[0] == shown[1]

        self._watch.open_pairing(Method.WORDS, compare=compare)
        channel = await self._phone.pair(await self._open_watch(), Words(compare))
        self._say(f"both screens show {' '.join(shown[0])!r}; both people say yes")
        return await self._proven(channel)

    async def _pair_by_qr_code(self) -> str:
        ticket = self._watch.open_pairing(Method.OUT_OF_BAND).ticket()
        self._say(Lines("the watch shows a QR code, which the phone scans", qr.terminal(ticket).splitlines()))
        scanned = qr.from_text(qr.to_text(ticket))
        channel = await self._phone.pair(await self._open_watch(), OutOfBand(scanned))
        return await self._proven(channel)

    async def _open_watch(self) -> FoundWatch:
        """The watch, once its advertisement says that a window is open."""
        async with aclosing(self._phone.scan()) as watches:
            async for found in watches:
                if found.pairing_open:
                    return found
        raise WatchNotFound("the scan ended before a watch was seen")

    async def _proven(self, channel: Channel) -> str:
        assurance = channel.bond.assurance
        self._say(f"paired with {channel.bond.peer_name!r}: {assurance}")
        await channel.close()
        return assurance


@dataclass(frozen=True, slots=True)
class _Measured:
    seconds: float
    air_bytes: int
    round_trips: int


class _Lap:
    """Measures from its making to its end."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._air_bytes, self._round_trips = meter.air_bytes, meter.round_trips
        self._began = perf_counter()

    def end(self) -> _Measured:
        seconds = round(perf_counter() - self._began, 4)
        meter = self._meter
        return _Measured(seconds, meter.air_bytes - self._air_bytes, meter.round_trips - self._round_trips)


async def _echo(channel: Channel, name: str) -> float:
    """Seconds that one message takes there and back."""
    async with channel.port(name) as port:
        began = perf_counter()
        for number in range(ECHOES):
            await port.send(b"hello %d" % number)
            if await port.receive() != b"hello %d" % number:
                raise BlechannelError("an echo came back changed")
        return (perf_counter() - began) / ECHOES


def _step(round_trips: int, air_bytes: int, seconds: float) -> str:
    return f"{_times(round_trips, 'round trip')}, {air_bytes:,} bytes on the air, {seconds * 1000:.0f} ms"


def _times(count: int, what: str) -> str:
    return f"one {what}" if count == 1 else f"{count} {what}s"


def _typing(code: str) -> Callable[[], Awaitable[str]]:
    """A person who types `code` at once."""

    async def ask() -> str:
        return code

    return ask
