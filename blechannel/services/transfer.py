"""Transfer: one blob of bytes, resumed where a lost link left it.

The sender offers a size and a digest; the receiver answers with the offset from which it wants to go on; the sender
sends the rest in pieces; the receiver checks the digest and says so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from enum import IntEnum

from blechannel.aio.channel import Channel
from blechannel.aio.port import Port
from blechannel.codec import U32, decode, encode, octets, on_air, one_of
from blechannel.errors import MalformedFrame, RemoteProtocolError
from blechannel.values import dataclass

PORT = "transfer"
MAX_BYTES = 16 * 1024 * 1024

Progress = Callable[[int, int], None]
"""Called with the bytes that are through, and with all of them."""


class Verdict(IntEnum):
    """What the receiver says in the end."""

    COMPLETE = 1
    DAMAGED = 2
    TOO_LARGE = 3


@dataclass(frozen=True, slots=True)
class Offer:
    """Sender → receiver, first: what is to come."""

    size: int = on_air(U32, "bytes in all")
    digest: bytes = on_air(octets(32), "SHA-256 of all of them")


@dataclass(frozen=True, slots=True)
class Resume:
    """Receiver → sender: where to go on."""

    offset: int = on_air(U32, "bytes that the receiver has already")


@dataclass(frozen=True, slots=True)
class Result:
    """Receiver → sender, last."""

    verdict: Verdict = on_air(one_of(Verdict), "1 complete, 2 damaged, 3 too large")


async def send_blob(channel: Channel, blob: bytes, *, progress: Progress = lambda _done, _all: None) -> None:
    """Send `blob`, from where the peer's receiver says; returns once it has all of it and its digest is right.

    Raises:
        RemoteProtocolError: the receiver does not take it, or has received something else.
        BlechannelError: the channel was cut off: call again on the next channel.
    """
    async with channel.port(PORT) as port:
        await port.send(encode(Offer(len(blob), hashlib.sha256(blob).digest())))
        offset = decode(Resume, await port.receive()).offset
        if offset > len(blob):
            raise RemoteProtocolError("the receiver asks for what was never offered")
        piece_bytes = channel.max_message_bytes
        for begin in range(offset, len(blob), piece_bytes):
            piece = blob[begin : begin + piece_bytes]
            await port.send(piece)
            progress(begin + len(piece), len(blob))
        verdict = decode(Result, await port.receive()).verdict
        if verdict is not Verdict.COMPLETE:
            raise RemoteProtocolError(f"the receiver refused the transfer: {verdict.name.lower()}")


class Receiver:
    """Takes one blob at a time and keeps what it has across lost links."""

    def __init__(self, *, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._offer: Offer | None = None
        self._partial = bytearray()
        self.received: bytes | None = None
        """The last blob that is complete."""

    @property
    def offset(self) -> int:
        """Bytes of the blob under way."""
        return len(self._partial)

    async def serve(self, port: Port) -> None:
        """Serve one port.

        Raises:
            MalformedFrame: the peer sends more than it has offered.
        """
        offer = decode(Offer, await port.receive())
        if offer.size > self._max_bytes:
            await port.send(encode(Resume(0)))
            await port.send(encode(Result(Verdict.TOO_LARGE)))
            return
        if offer != self._offer:
            self._offer = offer
            self._partial.clear()
        await port.send(encode(Resume(self.offset)))
        while self.offset < offer.size:
            self._partial += await port.receive()
        if self.offset > offer.size:
            self._partial.clear()
            raise MalformedFrame("more than was offered")
        await port.send(encode(Result(self._take(offer))))

    def _take(self, offer: Offer) -> Verdict:
        blob = bytes(self._partial)
        self._partial.clear()
        self._offer = None
        if hashlib.sha256(blob).digest() != offer.digest:
            return Verdict.DAMAGED
        self.received = blob
        return Verdict.COMPLETE
