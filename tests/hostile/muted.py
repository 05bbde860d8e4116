"""Peers that speak perfectly up to a step and then say nothing, but stay: the whole stack on a link that swallows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from blechannel.aio.link import Link, LinkPosture, LinkReceiver, PhoneTransport, Sighting, WatchTransport
from blechannel.errors import TransportError
from blechannel.limits import Limits, Patience
from blechannel.wire.flow import ACK_DELAY_S
from blechannel.wire.fragments import FRAGMENT_HEADER_BYTES, FragmentStream
from blechannel.wire.header import frame_length

ENDLESS = Patience(*[1e7] * 6)
"""Of who means to stay: only the other side ends it."""
_STARTS, _CONTROL = 0x80, 0x80


class Deaf(LinkReceiver):
    """Who connects, and takes no notice of anything."""

    def fragment_received(self, fragment: bytes) -> None:
        pass

    def resume_sending(self) -> None:
        pass

    def link_lost(self, error: TransportError) -> None:
        pass


class Nodding(Deaf):
    """Who acknowledges all it hears, and says nothing."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._stream = FragmentStream(max_fragment_bytes=link.max_fragment_bytes, receive=Limits(), patience=ENDLESS)

    def fragment_received(self, fragment: bytes) -> None:
        now_s = asyncio.get_running_loop().time()
        self._stream.receive(fragment, now_s)
        for answer in self._stream.fragments_to_send(now_s + ACK_DELAY_S):
            self._link.send(answer)


class MutedLink:
    """Lets so many frames out, and nothing after them: no acknowledgement, and no end either."""

    def __init__(self, link: Link, frames: int) -> None:
        self._link = link
        self._left = frames
        self._rest_bytes = 0

    @property
    def peer(self) -> str:
        return self._link.peer

    @property
    def max_fragment_bytes(self) -> int:
        return self._link.max_fragment_bytes

    @property
    def posture(self) -> LinkPosture:
        return self._link.posture

    @property
    def room(self) -> int:
        return self._link.room if self._speaks() else 64

    def start(self, receiver: LinkReceiver) -> None:
        self._link.start(receiver)

    def send(self, fragment: bytes) -> None:
        if not self._speaks():
            return
        if not fragment[1] & _CONTROL:
            if fragment[0] & _STARTS:
                self._left -= 1
                self._rest_bytes = frame_length(fragment[FRAGMENT_HEADER_BYTES:])
            self._rest_bytes -= len(fragment) - FRAGMENT_HEADER_BYTES
        self._link.send(fragment)

    def _speaks(self) -> bool:
        return bool(self._left or self._rest_bytes)

    def publish_info(self, info: bytes) -> None:
        self._link.publish_info(info)

    async def close(self) -> None:
        """Never: it stays."""


class MutedPhone:
    """A phone's radio whose links fall silent after so many frames of the phone's."""

    def __init__(self, radio: PhoneTransport, frames: int) -> None:
        self._radio = radio
        self._frames = frames

    def scan(self) -> AsyncGenerator[Sighting, None]:
        return self._radio.scan()

    async def connect(self, address: str) -> Link:
        return MutedLink(await self._radio.connect(address), self._frames)

    async def close(self) -> None:
        await self._radio.close()


class MutedWatch:
    """A watch's radio whose links fall silent after so many frames of the watch's."""

    def __init__(self, radio: WatchTransport) -> None:
        self._radio = radio
        self.frames = 10**9

    async def advertise(self, service_data: bytes) -> None:
        await self._radio.advertise(service_data)

    async def accept(self) -> Link:
        return MutedLink(await self._radio.accept(), self.frames)

    async def close(self) -> None:
        await self._radio.close()
