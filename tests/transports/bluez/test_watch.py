"""A watch on BlueZ, over real D-Bus bytes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from dbus_fast import Message, MessageType, Variant

from blechannel.aio.link import Link, WatchTransport
from blechannel.gatt import INBOX_UUID, OUTBOX_UUID
from blechannel.transports.bluez import BluezWatchTransport
from tests.transports.bluez.daemon import Daemon, DaemonPhone, daemon
from tests.transports.receivers import Receiver, numbered

SERVICE_DATA = bytes(range(13))


@dataclass
class Desk:
    daemon: Daemon
    watch: BluezWatchTransport

    async def joined(self, number: int = 1, *, mtu: int = 517) -> tuple[DaemonPhone, Receiver]:
        phone = self.daemon.phone(number, mtu=mtu)
        await phone.subscribe(OUTBOX_UUID)
        async with asyncio.timeout(5):
            return phone, Receiver(await self.watch.accept())


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with daemon(tmp_path) as (made, address):
        watch = await BluezWatchTransport.open(bus_address=address)
        try:
            yield Desk(made, watch)
        finally:
            await watch.close()


async def write(phone: DaemonPhone, value: bytes, **more: Variant) -> Message:
    return await phone.ask(INBOX_UUID, "WriteValue", "aya{sv}", value, phone.options(**more))


async def test_it_is_a_transport_and_gives_links(desk: Desk) -> None:
    watch: WatchTransport = desk.watch
    phone, on_watch = await desk.joined()
    link: Link = on_watch.link
    assert (watch, link.peer) == (desk.watch, "00:00:00:00:00:01")
    assert (link.posture.transport, link.posture.encrypted, link.posture.phy) == ("bluez", None, None)
    assert phone.notified is not None


async def test_fragments_cross_in_order_both_ways(desk: Desk) -> None:
    phone, on_watch = await desk.joined()
    assert on_watch.link.max_fragment_bytes == 512
    sending = asyncio.ensure_future(on_watch.send_all(numbered(100, 512)))
    for fragment in numbered(100, 512):
        assert (await write(phone, fragment)).message_type is MessageType.METHOD_RETURN
        assert await phone.notification() == fragment
    await sending
    assert on_watch.fragments == numbered(100, 512)
