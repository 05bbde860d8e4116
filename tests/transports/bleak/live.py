"""A phone on bleak and a watch on bumble, on one radio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass

from blechannel.aio.link import Link, Sighting
from blechannel.transports.bleak import Backoff, BleakPhoneTransport
from blechannel.transports.bumble import BumbleWatchTransport, VirtualRadio
from tests.transports.bleak.system import System, running
from tests.transports.receivers import Receiver

SERVICE_DATA = bytes(range(13))


@dataclass
class Air:
    radio: VirtualRadio
    system: System
    phone: BleakPhoneTransport
    watch: BumbleWatchTransport
    pauses_s: list[float]

    async def sighted(self) -> Sighting:
        async with asyncio.timeout(5), aclosing(self.phone.scan()) as scan:
            async for sighting in scan:
                if sighting.service_data:
                    return sighting
        raise AssertionError("the scan ended")

    async def joined(self) -> tuple[Receiver, Receiver]:
        async with asyncio.timeout(5):
            link: Link = await self.phone.connect((await self.sighted()).address)
            on_phone, on_watch = Receiver(link), Receiver(await self.watch.accept())
            while on_watch.error is not None:  # that of a connection which was called off
                on_watch = Receiver(await self.watch.accept())
            await on_watch.until(lambda: on_watch.link.room)
        return on_phone, on_watch


@asynccontextmanager
async def on_air(*, phone_mtu: int = 517, watch_mtu: int = 517) -> AsyncIterator[Air]:
    radio, pauses_s = VirtualRadio(), []

    async def sleep(pause_s: float) -> None:
        pauses_s.append(pause_s)

    async with running(radio, att_mtu_bytes=phone_mtu) as system:
        phone = BleakPhoneTransport(system.stack, backoff=Backoff(sleep=sleep, random=lambda: 0.5))
        watch = await radio.watch(att_mtu_bytes=watch_mtu)
        try:
            await watch.advertise(SERVICE_DATA)
            yield Air(radio, system, phone, watch, pauses_s)
        finally:
            await phone.close()
            await watch.close()
        assert (system.scans, system.connections) == (0, 0)
