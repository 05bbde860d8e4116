"""Two live fragment streams, and the frames that they carry."""

from __future__ import annotations

from collections.abc import Iterable

from blechannel.limits import MAX_FRAME_BYTES, Limits, Patience
from blechannel.wire.fragments import FragmentStream
from blechannel.wire.header import FRAME_HEADER_BYTES, pack_header

KIND = 0x17
PATIENCE = Patience()


def frame(size: int, fill: int = 0x61) -> bytes:
    """A frame of `size` bytes, header included."""
    return pack_header(KIND, size - FRAME_HEADER_BYTES) + bytes((fill % 256,)) * (size - FRAME_HEADER_BYTES)


def data(number: int, payload: bytes, *, starts: bool = True, ack: int = 0) -> bytes:
    """A data fragment as on the air."""
    return bytes((number % 128 | (0x80 if starts else 0), ack % 128)) + payload


def control(following: int, *, ack: int = 0, probe: bool = False) -> bytes:
    """A control fragment as on the air."""
    return bytes((following % 128 | (0x80 if probe else 0), 0x80 | ack % 128))


def end(
    *, fragment_bytes: int = 244, window: int = 64, max_frame_bytes: int = 8192, patience: Patience = PATIENCE
) -> FragmentStream:
    """A stream that knows nothing of its peer yet."""
    limits = Limits(max_frame_bytes=max_frame_bytes, window=window)
    return FragmentStream(max_fragment_bytes=fragment_bytes, receive=limits, patience=patience)


def met(*windows: int, fragment_bytes: int = 244) -> tuple[FragmentStream, FragmentStream]:
    """Two streams that have exchanged their limits, the large frame size included, and are idle."""
    ends = [end(fragment_bytes=fragment_bytes, window=window, max_frame_bytes=MAX_FRAME_BYTES) for window in windows]
    first, second = ends
    first.send(frame(5))
    assert carry(first, second, 0.0) == [frame(5)]
    second.peer_limits(window=windows[0], max_frame_bytes=MAX_FRAME_BYTES)
    second.send(frame(6))
    assert carry(second, first, 0.0) == [frame(6)]
    first.peer_limits(window=windows[1], max_frame_bytes=MAX_FRAME_BYTES)
    settle([first, second], 0.0)
    return first, second


def carry(source: FragmentStream, target: FragmentStream, now: float) -> list[bytes]:
    """Take everything that may go over to the other side; the frames that it completes there."""
    return take(target, source.fragments_to_send(now), now)


def take(target: FragmentStream, fragments: Iterable[bytes], now: float) -> list[bytes]:
    return [whole for fragment in fragments if (whole := target.receive(fragment, now)) is not None]


def settle(ends: list[FragmentStream], now: float) -> tuple[list[bytes], list[bytes], float]:
    """Carry both ways, through delayed acknowledgements, until nothing is in flight; frames and the time then."""
    first, second = ends
    to_first: list[bytes] = []
    to_second: list[bytes] = []
    for _ in range(20_000):
        to_second += carry(first, second, now)
        to_first += carry(second, first, now)
        if not any(e.has_unacknowledged() or e.queued_bytes for e in ends):
            return to_first, to_second, now
        now += 0.01
        for e in ends:
            e.expire(now)
    raise AssertionError("the two sides wait for each other")
