"""A watch of this project's on the machine's BlueZ: what the host has it do, one call each."""

from __future__ import annotations

import asyncio
import hashlib
import random

from blechannel.aio.channel import Channel
from blechannel.aio.watch import Left, Watch
from blechannel.config import Config
from blechannel.errors import TransportError
from blechannel.methods import Method
from blechannel.oob import qr
from blechannel.services import echo, transfer
from blechannel.stores.memory import MemoryStore
from blechannel.transports.bluez import BluezWatchTransport
from gatt_profiles import battery
from gatt_profiles.battery import BatteryLevel
from tests.system.bluez_vm.guest.calls import Call
from tests.system.bluez_vm.profiles import Profiles

ADAPTER = "hci0"
LATER_S = 30.0
LOOK_AGAIN_S = 0.01


class GuestWatch:
    """One watch, its bonds and what it has received."""

    def __init__(self) -> None:
        self._store = MemoryStore()
        self._receiver = transfer.Receiver()
        self._profiles = Profiles()
        self._watch: Watch | None = None
        self._words: tuple[str, ...] = ()

    def calls(self) -> dict[str, Call]:
        """What the host may call, by name."""
        ours = (self.start, self.stop, self.open, self.code, self.words, self.left, self.failure)
        talk = (self.send, self.received, self.discharge)
        return {f"watch.{call.__name__}": call for call in (*ours, *talk)}

    async def start(self, *, keep_bonds: bool = False, in_the_plain: bool = False) -> None:
        """Switch it on, as new or with the bonds that it had; with its profiles in the plain, or without."""
        if not keep_bonds:
            self._store = MemoryStore()
            self._receiver = transfer.Receiver()
            self._profiles = Profiles()
        plain = self._profiles.plain if in_the_plain else []
        radio = await BluezWatchTransport.open(ADAPTER, plain_services=plain)
        watch = Watch(self._store, radio, config=Config("watch in the machine"))
        self._profiles.serve(watch)
        watch.serve(echo.PORT, echo.echo)
        watch.serve(transfer.PORT, self._receiver.serve)
        self._watch = watch
        await watch.start()

    async def stop(self) -> None:
        """Switch it off."""
        if self._watch is not None:
            await self._watch.close()

    async def open(self, way: str) -> str:
        """Open a pairing window; gives the code, the text of a QR code, or nothing."""
        match way:
            case "passkey":
                return self._on().open_pairing().code
            case "qr":
                return qr.to_text(self._on().open_pairing(Method.OUT_OF_BAND).ticket())
            case "words":
                self._on().open_pairing(Method.WORDS, compare=self._compare)
                return ""
        raise AssertionError(f"no such way: {way}")

    async def code(self) -> str:
        """The code that it shows now."""
        window = self._on().window
        return window.code if window is not None else ""

    async def words(self) -> tuple[str, ...]:
        """What it showed last."""
        return self._words

    async def left(self) -> str:
        """How the last channel ended: "closed", or the name of an error."""
        async with asyncio.timeout(LATER_S):
            async for event in self._on().events():
                if isinstance(event, Left):
                    return "closed" if event.error is None else type(event.error).__name__
        raise AssertionError("events have no end")

    async def failure(self) -> str:
        """Why it has no adapter any more."""
        async with asyncio.timeout(LATER_S):
            try:
                async for _event in self._on().events():
                    pass
            except TransportError as error:
                return str(error)
        raise AssertionError("events have no end")

    async def send(self, seed: int, size: int) -> None:
        """Transfer the bytes that `seed` stands for, from where the phone wants them."""
        await transfer.send_blob(await self._channel(), random.Random(seed).randbytes(size))

    async def received(self) -> dict[str, object]:
        """The bytes of a transfer under way, and the digest of the last whole one, in hexadecimal."""
        digest = hashlib.sha256(self._receiver.received or b"").hexdigest()
        return {"offset": self._receiver.offset, "digest": digest}

    async def discharge(self, percent: int) -> None:
        """Let so much be left of its charge."""
        self._profiles.battery.set(battery.LEVEL, BatteryLevel(percent))

    def _on(self) -> Watch:
        if self._watch is None:
            raise AssertionError("the watch is off")
        return self._watch

    async def _channel(self) -> Channel:
        async with asyncio.timeout(LATER_S):
            while not self._on().channels:
                await asyncio.sleep(LOOK_AGAIN_S)
        [channel] = self._on().channels
        return channel

    async def _compare(self, words: tuple[str, ...]) -> bool:
        self._words = words
        return True
