"""What is decoded by hand is what the declarations say, for any bytes."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import example, given
from hypothesis import strategies as st

from blechannel.codec import decode
from blechannel.errors import MalformedFrame
from blechannel.wire.frames import DATA_TYPE, RECORD_KIND, RECORD_TYPES, decode_frame
from blechannel.wire.header import pack_header
from blechannel_capture.channel.decoding import body_of, frame_of

KINDS = st.one_of(st.just(RECORD_KIND), st.integers(0, 255))
TYPES = st.one_of(st.just(DATA_TYPE), st.integers(0, 255))


def outcome(decoded: Callable[[], object]) -> object:
    try:
        return decoded()
    except MalformedFrame:
        return MalformedFrame


@given(kind=KINDS, body=st.binary(max_size=40), lie=st.sampled_from([0, 0, 1, 5]))
@example(kind=RECORD_KIND, body=b"", lie=0)
def test_frames(kind: int, body: bytes, lie: int) -> None:
    data = pack_header(kind, len(body) + lie) + body
    assert outcome(lambda: frame_of(data)) == outcome(lambda: decode_frame(data))


@given(data=st.binary(max_size=3))
def test_frames_that_are_too_short(data: bytes) -> None:
    assert outcome(lambda: frame_of(data)) == outcome(lambda: decode_frame(data))


@given(body=st.binary(max_size=40), kind=TYPES)
@example(body=b"", kind=DATA_TYPE)
@example(body=b"\0", kind=DATA_TYPE)
@example(body=b"\1\2", kind=DATA_TYPE)
def test_bodies(body: bytes, kind: int) -> None:
    declared = RECORD_TYPES.get(kind)
    expected = MalformedFrame if declared is None else outcome(lambda: decode(declared, body))
    assert outcome(lambda: body_of(body + bytes([kind]))) == expected


def test_nothing_at_all_is_no_body() -> None:
    assert outcome(lambda: body_of(b"")) is MalformedFrame
