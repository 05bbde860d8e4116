"""The whole channel over bumble's virtual link, against bumble's own notifications of the same bytes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import thread_time

import pytest

from blechannel.aio.link import LinkReceiver
from blechannel.errors import TransportError
from blechannel.noise.functions import TAG_BYTES
from blechannel.transports.bumble import VirtualRadio
from blechannel.wire.fragments import FRAGMENT_HEADER_BYTES
from blechannel.wire.header import FRAME_HEADER_BYTES
from tests.bench.bare_bumble import MTU_BYTES, notifications_s
from tests.bench.ratio import Figures
from tests.bench.talking import paired
from tests.transports.bumble.live import on_air, sighted

pytestmark = pytest.mark.bench

MESSAGES = 1000
BATCHES = 7
ATT_BYTES, PORT_BYTES, TYPE_BYTES = 3, 2, 1
VALUE_BYTES = MTU_BYTES - ATT_BYTES
MESSAGE_BYTES = VALUE_BYTES - FRAGMENT_HEADER_BYTES - FRAME_HEADER_BYTES - TAG_BYTES - PORT_BYTES - TYPE_BYTES
"""As much as fits into one notification of `VALUE_BYTES`."""


async def channel_s() -> list[float]:
    """Processor seconds a message, both sides, a batch: each is one notification as long as the bare ones."""
    radio = VirtualRadio()
    phone, watch = await radio.phone(att_mtu_bytes=MTU_BYTES), await radio.watch(att_mtu_bytes=MTU_BYTES)
    async with paired(phone, watch) as both:
        taken = [await both.stream_s(MESSAGES, MESSAGE_BYTES) for _ in range(BATCHES + 1)]
    return taken[1:]


class _Counted(LinkReceiver):
    """A receiver that counts, on the phone; on the watch one that says when there is room."""

    def __init__(self) -> None:
        self.left = 0
        self.news = asyncio.Event()

    def fragment_received(self, _: bytes) -> None:
        self.left -= 1
        if not self.left:
            self.news.set()

    def resume_sending(self) -> None:
        self.news.set()

    def link_lost(self, _: TransportError) -> None:
        self.news.set()


async def link_s() -> list[float]:
    """The same of our link alone, with nothing of the channel in it."""
    radio, on_phone, on_watch, taken = VirtualRadio(), _Counted(), _Counted(), []
    async with on_air(radio, phone_mtu=MTU_BYTES, watch_mtu=MTU_BYTES) as (phone, watch):
        at_phone = await phone.connect((await sighted(phone)).address)
        at_watch = await watch.accept()
        at_phone.start(on_phone)
        at_watch.start(on_watch)
        for _ in range(BATCHES + 1):
            on_phone.left = MESSAGES
            on_phone.news.clear()
            began = thread_time()
            for _ in range(MESSAGES):
                while not at_watch.room:
                    on_watch.news.clear()
                    await on_watch.news.wait()
                at_watch.send(bytes(VALUE_BYTES))
            await on_phone.news.wait()
            taken.append((thread_time() - began) / MESSAGES)
    return taken[1:]


def test_a_stream_over_the_virtual_link(report: Callable[[Figures], None]) -> None:
    bare = asyncio.run(notifications_s(MESSAGES, VALUE_BYTES, BATCHES + 1))[1:]
    link, whole = asyncio.run(link_s()), asyncio.run(channel_s())
    names = ("bare bumble", "our link alone", "whole channel")
    batches = tuple(dict(zip(names, each, strict=True)) for each in zip(bare, link, whole, strict=True))
    report(Figures("notification on a virtual radio", batches, {"whole channel": 1.25}, floor="bare bumble"))
