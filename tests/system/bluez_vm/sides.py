"""The host's sides of what is tested: on controllers of its own, on the machine's air."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from pathlib import Path

from blechannel.aio.channel import Channel
from blechannel.aio.port import Port
from blechannel.aio.watch import Watch
from blechannel.config import Config
from blechannel.services import echo, transfer
from blechannel.stores.memory import MemoryStore
from blechannel.transports.bumble import VirtualRadio
from tests.system.bluez_vm.machine import Machine

LATER_S = 30.0
LOOK_AGAIN_S = 0.005
_captures = itertools.count(1)


async def until(true: Callable[[], object]) -> None:
    """Return once it is true, in bounded time."""
    async with asyncio.timeout(LATER_S):
        while not true():
            await asyncio.sleep(LOOK_AGAIN_S)


class CountingReceiver(transfer.Receiver):
    """Knows where the last transfer went on."""

    resumed_at = 0

    async def serve(self, port: Port) -> None:
        """See Receiver."""
        self.resumed_at = self.offset
        await super().serve(port)


class WatchSide:
    """A watch that is switched on and off; its bonds and what it has received stay."""

    def __init__(self, machine: Machine) -> None:
        self._out = machine.out
        self._store = MemoryStore()
        self.radio = VirtualRadio(machine.air)
        self.receiver = CountingReceiver()
        self.on: Watch

    def capture(self, name: str) -> Path:
        """A file for one more capture."""
        return self._out / f"{next(_captures):02}-{name}.btsnoop"

    async def switch_on(self) -> None:
        """Advertise, and serve who comes."""
        radio = await self.radio.watch(snoop=self.capture("watch"))
        self.on = Watch(self._store, radio, config=Config("watch", guest_ports=frozenset({echo.PORT})))
        self.on.serve(echo.PORT, echo.echo)
        self.on.serve(transfer.PORT, self.receiver.serve)
        await self.on.start()

    async def switch_off(self) -> None:
        """Close every channel, and the radio."""
        await self.on.close()

    async def channel(self) -> Channel:
        """The channel with the phone in the machine, once it stands; there is no other."""
        await until(lambda: self.on.channels)
        [channel] = self.on.channels
        return channel
