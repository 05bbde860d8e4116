"""The main job in one run: a watch and a phone on the embedded radio pair, talk, part, reconnect and finish."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter

from blechannel.aio.channel import Channel
from blechannel.aio.key_log import KeyLog
from blechannel.aio.phone import Phone
from blechannel.aio.watch import Watch
from blechannel.config import Config
from blechannel.errors import BlechannelError, LinkLost, PairingRefused
from blechannel.pairing.window import PairingWindow, is_code
from blechannel.services import echo, transfer
from blechannel.stores.memory import MemoryStore
from blechannel.transports.bumble import VirtualRadio

TRANSFER_BYTES = 256 * 1024
ECHOES = 20
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Summary:
    """What the run measured, for the table and for programs. Files are in the folder of the run."""

    wrong_code: str
    pairing_s: float
    echo_round_trip_s: float
    reconnect_s: float
    transfer_bytes: int
    resumed_at_byte: int
    transfer_s: float
    goodput_bytes_per_s: int
    captures: tuple[str, ...]
    key_log: str

    def rows(self) -> list[tuple[str, str]]:
        """Name and value of each figure, for people."""
        return [(name.replace("_", " "), str(value)) for name, value in asdict(self).items()]


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
    """Run the whole job; captures and key log are written into `out`, replacing those of an earlier run.

    Raises:
        BlechannelError: something did not work.
        OSError: the folder cannot be written.
    """
    out.mkdir(parents=True, exist_ok=True)
    captures = (out / "phone.btsnoop", out / "watch.btsnoop")
    keys = out / "keys.log"
    for path in (*captures, keys):
        path.unlink(missing_ok=True)
    key_log = KeyLog(keys)
    radio = VirtualRadio()
    try:
        watch_radio = await radio.watch(snoop=captures[1])
        phone_radio = await radio.phone(snoop=captures[0])
        watch = Watch(MemoryStore(), watch_radio, config=Config("demo watch"), key_log=key_log)
        phone = Phone(MemoryStore(), phone_radio, config=Config("demo phone"), key_log=key_log)
        async with watch, phone:
            return await _Run(watch, phone, radio, say=say, progress=progress).summary(captures, keys)
    finally:
        key_log.close()


class _Run:
    def __init__(
        self, watch: Watch, phone: Phone, radio: VirtualRadio, *, say: Say, progress: transfer.Progress
    ) -> None:
        self._watch = watch
        self._phone = phone
        self._say = say
        self._progress = _Halfway(progress, radio.drop_link)
        self._receiver = transfer.Receiver()

    async def summary(self, captures: tuple[Path, ...], keys: Path) -> Summary:
        """The steps, one after the other."""
        self._watch.serve(echo.PORT, echo.echo)
        self._watch.serve(transfer.PORT, self._receiver.serve)
        window = self._watch.open_pairing()
        wrong_code = await self._try_a_wrong_code(window)
        channel, pairing_s = await self._pair(window)
        echo_s = await self._echo(channel)
        blob = os.urandom(TRANSFER_BYTES)
        began = perf_counter()
        await self._lose_the_link(channel, blob)
        resumed_at = self._receiver.offset
        channel, reconnect_s = await self._reconnect()
        await transfer.send_blob(channel, blob, progress=self._progress)
        transfer_s = perf_counter() - began
        if self._receiver.received != blob:
            raise BlechannelError("the transfer arrived changed")
        self._say(f"all {len(blob)} bytes are there; the digest is right")
        await channel.close()
        return Summary(
            wrong_code=wrong_code,
            pairing_s=round(pairing_s, 4),
            echo_round_trip_s=round(echo_s, 6),
            reconnect_s=round(reconnect_s, 4),
            transfer_bytes=len(blob),
            resumed_at_byte=resumed_at,
            transfer_s=round(transfer_s, 4),
            goodput_bytes_per_s=int(len(blob) / transfer_s),
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

    async def _pair(self, window: PairingWindow) -> tuple[Channel, float]:
        found = await self._phone.find()
        self._say(f"the watch shows a new code, {window.code}; the phone types it")
        began = perf_counter()
        channel = await self._phone.pair(found, _typing(window.code))
        self._say(f"paired with {channel.bond.peer_name!r}: {channel.bond.assurance}")
        return channel, perf_counter() - began

    async def _echo(self, channel: Channel) -> float:
        async with channel.port(echo.PORT) as port:
            began = perf_counter()
            for number in range(ECHOES):
                await port.send(b"hello %d" % number)
                if await port.receive() != b"hello %d" % number:
                    raise BlechannelError("an echo came back changed")
        self._say(f"{ECHOES} messages there and back")
        return (perf_counter() - began) / ECHOES

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

    async def _reconnect(self) -> tuple[Channel, float]:
        found = await self._phone.find()
        while found.bond is None:
            found = await self._phone.find()
        began = perf_counter()
        channel = await self._phone.connect(found)
        self._say(f"reconnected in one round trip; the watch has {self._receiver.offset} bytes and asks for the rest")
        return channel, perf_counter() - began


def _typing(code: str) -> Callable[[], asyncio.Future[str]]:
    """A person who types `code` at once."""
    assert is_code(code)

    def ask() -> asyncio.Future[str]:
        typed: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        typed.set_result(code)
        return typed

    return ask
