"""A phone of this project's on the machine's Bluetooth: what the host has it do, one call each."""

from __future__ import annotations

import hashlib
import random
from contextlib import aclosing
from dataclasses import asdict

from blechannel.aio.channel import Channel
from blechannel.aio.person import OutOfBand, Passkey, Way, Words
from blechannel.aio.phone import FoundWatch, Phone
from blechannel.config import Config
from blechannel.errors import WatchNotFound
from blechannel.oob import qr
from blechannel.services import echo, transfer
from blechannel.stores.memory import MemoryStore
from blechannel.transports.bleak import BleakPhoneTransport, Stack
from blechannel.transports.bleak.peer import BleakGattPeer
from blechannel_tools.metering import Meter, MeteredPhoneTransport
from tests.system.bluez_vm.guest.calls import Call

ADAPTER = "hci0"


class GuestPhone:
    """One phone, its bonds and the channel that it has."""

    def __init__(self) -> None:
        self._store = MemoryStore()
        self._receiver = transfer.Receiver()
        self._phone: Phone | None = None
        self._radio: BleakPhoneTransport | None = None
        self._address = ""
        self._channel: Channel | None = None
        self._words: tuple[str, ...] = ()
        self._meter = Meter()

    def calls(self) -> dict[str, Call]:
        """What the host may call, by name."""
        ours = (self.start, self.stop, self.pair, self.connect, self.close)
        talk = (self.echo, self.send, self.received, self.posture)
        return {f"phone.{call.__name__}": call for call in (*ours, *talk)}

    async def start(self, *, keep_bonds: bool = False) -> None:
        """Switch it on, as new or with the bonds that it had."""
        if not keep_bonds:
            self._store = MemoryStore()
        self._receiver = transfer.Receiver()
        self._radio = BleakPhoneTransport(Stack(ADAPTER))
        radio = MeteredPhoneTransport(self._radio, self._meter)
        self._phone = Phone(self._store, radio, config=Config("phone in the machine"))
        self._phone.serve(transfer.PORT, self._receiver.serve)
        self._phone.serve(echo.PORT, echo.echo)

    async def stop(self) -> None:
        """Switch it off."""
        if self._phone is not None:
            await self._phone.close()

    async def pair(self, way: str, secret: str = "") -> dict[str, object]:
        """Pair with the watch that is open for it; `secret` is the code, or the text of a QR code."""
        found = await self._open_watch()
        self._address = found.address
        channel = await self._on().pair(found, self._way(way, secret))
        self._channel = channel
        return {"assurance": channel.bond.assurance, "words": self._words}

    async def connect(self) -> dict[str, object]:
        """Reconnect with the bond; says how often a message went there and one came back for it."""
        found = await self._on().find()
        while found.bond is None:
            found = await self._on().find()
        before = self._meter.round_trips
        self._channel = await self._on().connect(found)
        return {"round_trips": self._meter.round_trips - before, "resumed": self._channel.resumed}

    async def close(self) -> None:
        """Say CLOSE."""
        await self.channel.close()

    async def echo(self, count: int) -> None:
        """Messages there and back, in order."""
        async with self.channel.port(echo.PORT) as port:
            for number in range(count):
                await port.send(b"%d" % number)
                answer = await port.receive()
                if answer != b"%d" % number:
                    raise AssertionError(f"message {number} came back as {answer!r}")

    async def send(self, seed: int, size: int) -> None:
        """Transfer the bytes that `seed` stands for, from where the watch wants them."""
        await transfer.send_blob(self.channel, random.Random(seed).randbytes(size))

    async def received(self) -> str:
        """The digest of what the watch has sent, in hexadecimal."""
        return hashlib.sha256(self._receiver.received or b"").hexdigest()

    async def posture(self) -> dict[str, object]:
        """What is known of the link's own protection."""
        return asdict(self.channel.posture)

    async def connect_gatt(self) -> BleakGattPeer:
        """The watch that it has paired with, in the plain."""
        if self._radio is None:
            raise AssertionError("the phone is off")
        return await self._radio.connect_gatt(self._address)

    @property
    def channel(self) -> Channel:
        """The channel that it has."""
        if self._channel is None:
            raise AssertionError("there is no channel")
        return self._channel

    def _on(self) -> Phone:
        if self._phone is None:
            raise AssertionError("the phone is off")
        return self._phone

    async def _open_watch(self) -> FoundWatch:
        async with aclosing(self._on().scan()) as watches:
            async for found in watches:
                if found.pairing_open:
                    return found
        raise WatchNotFound("the scan ended before a watch was seen")

    def _way(self, way: str, secret: str) -> Way:
        async def type_code() -> str:
            return secret

        async def compare(words: tuple[str, ...]) -> bool:
            self._words = words
            return True

        match way:
            case "passkey":
                return Passkey(type_code)
            case "words":
                return Words(compare)
            case "qr":
                return OutOfBand(qr.from_text(secret))
        raise AssertionError(f"no such way: {way}")
