"""A target that hears a peer's messages on a delivering port, with a store that is sometimes full."""

from __future__ import annotations

from contextlib import suppress

from blechannel.delivery.frames import decode_frame, encode_frame
from blechannel.delivery.policies import Ordered
from blechannel.errors import MalformedFrame, RemoteProtocolError
from tests.delivery.model import Pair, World
from tests.fuzz.reading import Reader

POLICY = Ordered(max_messages=8, max_bytes=512)


def delivery(script: bytes) -> None:
    """The script's steps let a side hear, write, read, send and take: it fails by a named error, and stays small."""
    with suppress(MalformedFrame):
        assert encode_frame(decode_frame(script)) == script
    pair = Pair(POLICY)
    pair.connect()
    pair.settle()
    side, steps = pair.left, Reader(script)
    with suppress(RemoteProtocolError):
        while steps:
            _step(side, steps)
    assert len(side.lane.untaken.entries) <= POLICY.max_messages
    assert side.lane.held_bytes <= POLICY.max_bytes


def _step(side: World, steps: Reader) -> None:
    match steps.u8() % 8:
        case 0:
            side.full = not side.full
        case 1:
            side.write_one()
        case 2:
            side.read_one()
        case 3:
            side.take()
        case 4:
            if len(side.lane.waiting.entries) < POLICY.max_messages:
                side.queue(bytes(steps.u8()))
        case 5:
            side.said.clear()
            side.pump()
        case _:
            side.hear(steps.take(steps.u8()))
