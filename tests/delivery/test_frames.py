"""The frames of delivery: total, bounded, and the short ways of the data path the same as their declarations."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blechannel.codec import encode
from blechannel.delivery.frames import (
    PART_OVERHEAD_BYTES,
    TYPES,
    Begin,
    Fault,
    Frame,
    Hello,
    Part,
    Recognition,
    Refused,
    Resume,
    Stored,
    Welcome,
    decode_frame,
    encode_frame,
)
from blechannel.delivery.policies import Kind
from blechannel.errors import MalformedFrame

FROZEN: dict[str, Frame] = {
    "010102" + "11" * 16 + "22" * 16: Hello(1, Kind.LATEST, b"\x11" * 16, b"\x22" * 16),
    "0201": Welcome(Recognition.KNOWN),
    "03" + "33" * 16: Begin(b"\x33" * 16),
    "040000000000000007000000000000000800000009000a0000000b": Resume(7, 8, 9, 10, 11),
    "050000000000000001000000020000000300000000616263": Part(1, 2, 3, 0, b"abc"),
    "060000000000000007000000000000000800000009000a0000000b": Stored(7, 8, 9, 10, 11),
    "07020000000000000005": Refused(Fault.TOO_LARGE, 5),
}
numbers = {bits: st.integers(0, (1 << bits) - 1) for bits in (16, 32, 64)}


@pytest.mark.parametrize("record", FROZEN)
def test_the_bytes_stay(record: str) -> None:
    frame = FROZEN[record]
    assert encode_frame(frame).hex() == record
    assert decode_frame(bytes.fromhex(record)) == frame
    assert {type(frame) for frame in FROZEN.values()} == set(TYPES.values())


@given(st.builds(Part, numbers[64], numbers[32], numbers[32], numbers[32], st.binary(max_size=300)))
def test_a_part_is_what_its_declaration_says(part: Part) -> None:
    assert encode_frame(part) == b"\x05" + encode(part)
    assert decode_frame(b"\x05" + encode(part)) == part


@given(st.builds(Stored, numbers[64], numbers[64], numbers[32], numbers[16], numbers[32]))
def test_stored_is_what_its_declaration_says(stored: Stored) -> None:
    assert decode_frame(b"\x06" + encode(stored)) == stored
    assert encode_frame(stored) == b"\x06" + encode(stored)


@given(st.binary(max_size=80))
def test_any_bytes_are_a_frame_or_malformed(data: bytes) -> None:
    try:
        frame = decode_frame(data)
    except MalformedFrame:
        return
    assert encode_frame(frame) == data


@pytest.mark.parametrize("record", FROZEN)
def test_a_frame_that_is_cut_off_is_malformed(record: str) -> None:
    whole = bytes.fromhex(record)
    shortest = PART_OVERHEAD_BYTES if whole[0] == 5 else len(whole)
    for length in range(shortest):
        with pytest.raises(MalformedFrame):
            decode_frame(whole[:length])


def test_bytes_behind_a_frame_are_malformed() -> None:
    for record, frame in FROZEN.items():
        if not isinstance(frame, Part):
            with pytest.raises(MalformedFrame):
                decode_frame(bytes.fromhex(record) + b"\0")
