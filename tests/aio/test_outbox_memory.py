"""An outbox that has delivered a message forgets it."""

from __future__ import annotations

import asyncio
import secrets

import pytest

from blechannel.aio.outbox import Outbox
from blechannel.delivery.policies import Ordered, Policy
from blechannel.stores.outbox_memory import MemoryQueues
from tests.aio.rooms import House, bond_of, house
from tests.aio.virtual import on_virtual_clock

FEW = 4


async def deliver(h: House, policy: Policy, count: int) -> int:
    """Send so many through a watch's outbox, all of them taken by the phone; how many the watch's queue remembers."""
    outboxes = [Outbox(MemoryQueues(), {"journal": policy}, world=h.world) for _ in range(2)]
    watch, phone = await h.add_watch(), await h.add_phone()
    for side, outbox in zip((watch, phone), outboxes, strict=True):
        side._outbox = outbox
        await h.stack.enter_async_context(outbox)
    channel = await h.pair(phone, watch)
    sending = outboxes[0].queue(bond_of(watch, "phone-1").bond_id, "journal")
    receiving = outboxes[1].queue(channel.bond_id, "journal")
    for _ in range(count):
        await sending.send(secrets.token_bytes(8))
        async with receiving.next():
            """Taken."""
        await asyncio.sleep(1)
    return len(sending._since_s)


@pytest.mark.parametrize("ttl_s", [None, 5.0])
def test_how_long_messages_have_waited_is_forgotten_with_them(ttl_s: float | None) -> None:
    @on_virtual_clock
    async def run() -> None:
        async with house() as h:
            assert await deliver(h, Ordered(ttl_s=ttl_s), 50) <= 5 + FEW

    run()
