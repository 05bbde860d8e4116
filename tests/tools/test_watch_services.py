"""The services of the command line's watch, over live channels."""

from __future__ import annotations

import asyncio
import time

import pytest

from blechannel.aio.channel import Channel
from blechannel.aio.phone import Phone
from blechannel.aio.watch import Watch
from blechannel.services import transfer
from blechannel.stores.memory import MemoryStore
from blechannel.transports.loopback import LoopbackAir
from blechannel_tools import watch_services
from blechannel_tools.watch_services import WatchServices
from gatt_profiles import battery


async def paired(watch: Watch, phone: Phone) -> Channel:
    window = watch.open_pairing()

    async def code() -> str:
        return window.code

    found = await phone.find()
    while not found.pairing_open:
        found = await phone.find()
    return await phone.pair(found, code)


async def test_two_phones_do_not_mix_their_files() -> None:
    air = LoopbackAir()
    async with (
        Watch(MemoryStore(), air.watch()) as watch,
        Phone(MemoryStore(), air.phone()) as one,
        Phone(MemoryStore(), air.phone()) as other,
    ):
        services = WatchServices(watch, None)
        first, second = await paired(watch, one), await paired(watch, other)
        blobs = (b"one" * 50_000, b"two" * 50_000)
        await asyncio.gather(transfer.send_blob(first, blobs[0]), transfer.send_blob(second, blobs[1]))
        arrived = {(await services.arrived.get()).sha256 for _ in blobs}
        assert len(arrived) == 2
        assert services.under_way_bytes == 0


async def test_the_battery_empties_and_the_port_ends_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_services, "BATTERY_STEP_S", 0.001)
    air = LoopbackAir()
    async with Watch(MemoryStore(), air.watch()) as watch, Phone(MemoryStore(), air.phone()) as phone:
        WatchServices(watch, None)
        channel = await paired(watch, phone)
        async with channel.port(battery.PORT) as port:
            levels = [battery.decode_level(await port.receive()) for _ in range(120)]
        assert levels[:3] == [100, 99, 98]
        assert levels[-1] == 1
        monkeypatch.setattr(watch_services, "BATTERY_STEP_S", 60.0)
        async with channel.port(battery.PORT) as port:
            while await port.receive() != bytes([100]):
                pass
            began = time.monotonic()
            await channel.close()
            await watch.close()
        # Not FINISH_S later: the service sees the end of its port.
        assert time.monotonic() - began < 1.0
