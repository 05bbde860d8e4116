"""The services of the command line's watch, over live channels."""

from __future__ import annotations

import asyncio

from blechannel.aio.channel import Channel
from blechannel.aio.phone import Phone
from blechannel.aio.watch import Watch
from blechannel.config import Config
from blechannel.services import transfer
from blechannel.stores.memory import MemoryStore
from blechannel.transports.loopback import LoopbackAir
from blechannel_tools.watch_services import WatchServices


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
        Watch(MemoryStore(), air.watch(), config=Config("watch", guest_ports=frozenset({transfer.PORT}))) as watch,
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
