"""The host's sides of what is tested: on controllers of its own, on the machine's air."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

from blechannel.aio.channel import Channel
from blechannel.aio.key_log import KeyLog
from blechannel.aio.person import Way
from blechannel.aio.phone import Phone
from blechannel.aio.port import Port
from blechannel.aio.watch import Watch
from blechannel.config import Config
from blechannel.services import echo, transfer
from blechannel.stores.memory import MemoryStore
from blechannel.transports.bumble import BumblePhoneTransport, VirtualRadio
from blechannel_tools.metering import Meter, MeteredPhoneTransport
from tests.system.bluez_vm.machine import Machine
from tests.system.bluez_vm.profiles import Profiles

LATER_S = 30.0
LOOK_AGAIN_S = 0.005
_captures = itertools.count(1)


async def until(true: Callable[[], object]) -> None:
    """Return once it is true, in bounded time."""
    async with asyncio.timeout(LATER_S):
        while not true():
            await asyncio.sleep(LOOK_AGAIN_S)


def capture(out: Path, name: str) -> Path:
    """A file for one more capture."""
    return out / f"{next(_captures):02}-{name}.btsnoop"


@asynccontextmanager
async def without_bluetoothd(machine: Machine) -> AsyncGenerator[None, None]:
    """Ends it as a crash does; leaving starts it again."""
    await machine.call("bluetoothd.kill")
    try:
        yield
    finally:
        await machine.call("bluetoothd.start")
        await machine.call("bluez.ready")


class CountingReceiver(transfer.Receiver):
    """Knows where the last transfer went on."""

    resumed_at = 0

    async def serve(self, port: Port) -> None:
        """See Receiver."""
        self.resumed_at = self.offset
        await super().serve(port)


class WatchSide:
    """A watch that is switched on and off; its bonds, what it has received and its profiles' values stay."""

    def __init__(self, machine: Machine, *, in_the_plain: bool = False, key_log: KeyLog | None = None) -> None:
        self.out = machine.out
        self._key_log = key_log
        self._in_the_plain = in_the_plain
        self._store = MemoryStore()
        self.radio = VirtualRadio(machine.air)
        self.receiver = CountingReceiver()
        self.profiles = Profiles()
        self.captures: list[Path] = []
        self.on: Watch

    async def switch_on(self) -> None:
        """Advertise, and serve who comes."""
        self.captures.append(capture(self.out, "watch"))
        plain = self.profiles.plain if self._in_the_plain else []
        radio = await self.radio.watch(snoop=self.captures[-1], plain_services=plain)
        config = Config("watch", guest_ports=frozenset({echo.PORT}))
        self.on = Watch(self._store, radio, config=config, key_log=self._key_log)
        self.on.serve(echo.PORT, echo.echo)
        self.on.serve(transfer.PORT, self.receiver.serve)
        self.profiles.serve(self.on)
        await self.on.start()

    async def switch_off(self) -> None:
        """Close every channel, and the radio."""
        await self.on.close()

    async def channel(self) -> Channel:
        """The channel with the phone in the machine, once it stands; there is no other."""
        await until(lambda: self.on.channels)
        [channel] = self.on.channels
        return channel


class PhoneSide:
    """A phone; its bonds and what it has received stay."""

    def __init__(self, machine: Machine) -> None:
        self._out = machine.out
        self.radio = VirtualRadio(machine.air)
        self.receiver = transfer.Receiver()
        self.meter = Meter()
        self.transport: BumblePhoneTransport
        self.on: Phone

    async def switch_on(self) -> None:
        """Be ready to look for watches."""
        self.transport = await self.radio.phone(snoop=capture(self._out, "phone"))
        self.on = Phone(MemoryStore(), MeteredPhoneTransport(self.transport, self.meter), config=Config("phone"))
        self.on.serve(transfer.PORT, self.receiver.serve)

    async def switch_off(self) -> None:
        """Close every channel, and the radio."""
        await self.on.close()

    async def pair(self, way: Way) -> Channel:
        """Pair with the watch that is open for it."""
        async with asyncio.timeout(LATER_S), aclosing(self.on.scan()) as watches:
            async for found in watches:
                if found.pairing_open:
                    return await self.on.pair(found, way)
        raise AssertionError("a scan has no end")

    async def connect(self) -> Channel:
        """Reconnect with the bond."""
        found = await self.on.find()
        while found.bond is None:
            found = await self.on.find()
        return await self.on.connect(found)
