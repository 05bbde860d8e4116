"""Who says the last word is hung up on: what comes right before a disconnection may never be read on the other side."""

from __future__ import annotations

import asyncio

from blechannel.aio.pump import LINGER_S
from tests.aio.rooms import House, house
from tests.aio.virtual import now_s, on_virtual_clock
from tests.transports.receivers import Receiver

NO_FRAGMENT = b"\xff" * 20
NO_SUCH_FRAME = bytes([0x80, 1, 0xFF, 0, 1, 0])


async def greeted(ours: House) -> Receiver:
    """A stranger on the air, who has just heard the watch's greeting."""
    await ours.add_watch()
    stranger = Receiver(await ours.air.phone().connect("watch-1"))
    await stranger.receive(1)
    return stranger


def is_finishing() -> bool:
    """Whether the watch still holds the link of a channel that is over."""
    return any(task.get_name() == "blechannel finish" for task in asyncio.all_tasks())


@on_virtual_clock
async def test_a_peer_has_time_to_read_why() -> None:
    async with house() as ours:
        stranger = await greeted(ours)
        stranger.link.send(NO_SUCH_FRAME)
        await stranger.receive(2)
        heard_s = now_s()
        await stranger.lost.wait()
        assert LINGER_S / 2 < now_s() - heard_s <= LINGER_S


@on_virtual_clock
async def test_a_peer_that_hangs_up_is_not_waited_for() -> None:
    async with house() as ours:
        stranger = await greeted(ours)
        stranger.link.send(NO_SUCH_FRAME)
        await stranger.receive(2)
        assert is_finishing()
        await stranger.link.close()
        await asyncio.sleep(LINGER_S / 10)
        assert not is_finishing()


@on_virtual_clock
async def test_a_peer_that_spoke_last_is_hung_up_on_at_once() -> None:
    async with house() as ours:
        stranger = await greeted(ours)
        stranger.link.send(NO_FRAGMENT)
        sent_s = now_s()
        await stranger.lost.wait()
        assert now_s() - sent_s < LINGER_S / 2
        assert len(stranger.fragments) == 1
