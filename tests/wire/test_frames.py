"""The wire format is frozen, decoding is total, and the fast paths agree with the declarations."""

from __future__ import annotations

from enum import IntEnum
from typing import get_type_hints

import pytest
from construct import Int16ub
from hypothesis import given
from hypothesis import strategies as st

from blechannel.codec import decode, dissect, encode
from blechannel.errors import LocalProtocolError, MalformedFrame
from blechannel.wire.frames import (
    HELLO_BYTES,
    KIND_OF,
    KINDS,
    PORT_BYTES,
    RECORD_TYPE_OF,
    RECORD_TYPES,
    Bonded,
    Confirm,
    Data,
    Frame,
    Hello,
    Info,
    Mode,
    Open,
    Pair2,
    Record,
    Refuse,
    decode_frame,
    encode_frame,
    pack_port,
    unpack_port,
)
from blechannel.wire.header import FRAME_HEADER_BYTES, MAX_BODY_BYTES, frame_length, pack_header
from tests.wire import frozen, strategies
from tests.wire.frozen import Written

each_written = pytest.mark.parametrize("written", frozen.ALL, ids=str)
each_frame = pytest.mark.parametrize("written", frozen.FRAMES, ids=str)
each_class = pytest.mark.parametrize("cls", strategies.DECLARED, ids=lambda cls: cls.__name__)


def with_header(written: Written) -> bytes:
    assert written.number is not None
    return bytes((written.number, 0, len(written.body))) + written.body


# --- frozen -----------------------------------------------------------------------------------------------------


def test_every_declared_class_has_its_bytes_written_down() -> None:
    assert [type(written.value) for written in frozen.ALL] == list(strategies.DECLARED)


@each_written
def test_the_bytes_are_those_written_down(written: Written) -> None:
    assert encode(written.value) == written.body
    assert decode(type(written.value), written.body) == written.value


@each_frame
def test_a_frame_opens_with_its_kind_and_length(written: Written) -> None:
    value = written.value
    assert isinstance(value, Frame)
    assert encode_frame(value) == with_header(written)
    assert decode_frame(with_header(written)) == value


def test_kinds_and_record_types_are_those_written_down() -> None:
    assert {number: type(value) for value, number in _numbers(frozen.FRAMES)} == KINDS
    assert {number: type(value) for value, number in _numbers(frozen.RECORDS)} == RECORD_TYPES


def _numbers(written: list[Written]) -> list[tuple[object, int | None]]:
    return [(each.value, each.number) for each in written]


def test_kinds_and_record_types_are_bijections() -> None:
    assert {cls: kind for kind, cls in KINDS.items()} == KIND_OF
    assert {cls: number for number, cls in RECORD_TYPES.items()} == RECORD_TYPE_OF
    assert len(KIND_OF) == len(KINDS)
    assert len(RECORD_TYPE_OF) == len(RECORD_TYPES)


def test_zero_is_padding_and_no_record_type() -> None:
    assert 0 not in RECORD_TYPES
    assert all(0 < number < 256 for number in RECORD_TYPES)


def test_the_framing_version_is_in_every_kind() -> None:
    assert {kind >> 4 for kind in KINDS} == {1}


@pytest.mark.parametrize("members", frozen.ENUMERATIONS, ids=lambda members: members.__name__)
def test_numbers_of_enumerations_are_those_written_down(members: type[IntEnum]) -> None:
    assert {member.name: member.value for member in members} == frozen.ENUMERATIONS[members]


def test_info_fits_in_64_bytes() -> None:
    largest = encode_frame(Info(255, 255, 255, 255, Mode.PAIRING_OPEN, 255, 65535, 65535, bytes(16)))
    assert len(largest) == FRAME_HEADER_BYTES + 26 <= 64


def test_hello_has_one_length() -> None:
    assert len(encode(Hello(255, 255, 255, 255, 65535))) == HELLO_BYTES


# --- there and back ---------------------------------------------------------------------------------------------


@each_class
@given(data=st.data())
def test_decoding_gives_back_what_was_encoded(cls: type[object], data: st.DataObject) -> None:
    value = data.draw(strategies.values(cls))
    assert decode(cls, encode(value)) == value


@given(frame=strategies.frames())
def test_a_whole_frame_comes_back(frame: Frame) -> None:
    assert decode_frame(encode_frame(frame)) == frame


@each_class
@given(data=st.binary(max_size=100))
def test_any_bytes_are_a_value_or_malformed(cls: type[object], data: bytes) -> None:
    try:
        value = decode(cls, data)
    except MalformedFrame:
        return
    assert encode(value) == data


@given(kind=st.sampled_from(list(KINDS)) | st.integers(0, 255), body=st.binary(max_size=100))
def test_any_body_is_a_frame_or_malformed(kind: int, body: bytes) -> None:
    data = pack_header(kind, len(body)) + body
    try:
        frame = decode_frame(data)
    except MalformedFrame:
        return
    assert encode_frame(frame) == data


@given(data=st.binary(max_size=100))
def test_any_bytes_are_a_frame_or_malformed(data: bytes) -> None:
    try:
        frame = decode_frame(data)
    except MalformedFrame:
        return
    assert encode_frame(frame) == data


# --- refused ----------------------------------------------------------------------------------------------------


@each_frame
def test_no_truncated_and_no_longer_frame_is_read(written: Written) -> None:
    whole = with_header(written)
    for wrong in (*(whole[:size] for size in range(len(whole))), whole + b"\0"):
        with pytest.raises(MalformedFrame, match="length lies"):
            decode_frame(wrong)


@each_written
def test_a_body_is_whole_and_has_no_trailing_byte(written: Written) -> None:
    cls = type(written.value)
    least = _least_bytes(cls)
    for size in range(least):
        with pytest.raises(MalformedFrame):
            decode(cls, written.body[:size])
    if strategies.takes_rest(cls):
        # Whatever follows the fixed part is the last field: no such length is wrong.
        whole_from = len(written.body) - len(_last_field(written.value))
        for body in (*(written.body[:size] for size in range(whole_from, len(written.body))), written.body + b"\0"):
            assert encode(decode(cls, body)) == body
        return
    assert least == len(written.body) or str in get_type_hints(cls).values()
    for body in (*(written.body[:size] for size in range(least, len(written.body))), written.body + b"\0"):
        with pytest.raises(MalformedFrame):
            decode(cls, body)


def _last_field(value: object) -> bytes:
    *_, (_, raw) = dissect(value)
    return raw


def _least_bytes(cls: type[object]) -> int:
    """Bytes of the fields of one size alone."""
    types = get_type_hints(cls)
    fixed = [layout for name, layout in strategies.layouts(cls).items() if types[name] is not str]
    return sum(layout.sizeof() for layout in fixed[: -1 if strategies.takes_rest(cls) else None])


@each_frame
@pytest.mark.parametrize("told", [0, 1, 255, 256, 65535])
def test_a_length_that_lies_is_refused(written: Written, told: int) -> None:
    if told == len(written.body):
        return
    assert written.number is not None
    with pytest.raises(MalformedFrame, match="length lies"):
        decode_frame(pack_header(written.number, told) + written.body)


@pytest.mark.parametrize("kind", sorted(set(range(256)) - set(KINDS)))
def test_an_unknown_kind_is_refused(kind: int) -> None:
    with pytest.raises(MalformedFrame, match=f"unknown kind 0x{kind:02x}"):
        decode_frame(bytes((kind, 0, 0)))


def test_bytes_beyond_any_length_are_refused() -> None:
    longest = Pair2(bytes(MAX_BODY_BYTES))
    assert decode_frame(encode_frame(longest)) == longest
    with pytest.raises(MalformedFrame, match="length lies"):
        decode_frame(encode_frame(longest) + b"\0")
    with pytest.raises(LocalProtocolError, match="at most 65535"):
        encode_frame(Pair2(bytes(MAX_BODY_BYTES + 1)))


@pytest.mark.parametrize("number", sorted(set(range(256)) - set(range(1, 7))))
def test_an_unknown_reason_is_refused(number: int) -> None:
    with pytest.raises(MalformedFrame, match="no Refuse"):
        decode(Refuse, bytes((number,)))


def test_an_unknown_mode_is_refused() -> None:
    info = bytearray(frozen.FRAMES[0].body)
    info[4] = 2
    with pytest.raises(MalformedFrame, match="no Info"):
        decode(Info, bytes(info))


@pytest.mark.parametrize("bad", ["ff", "c0af", "eda080", "f4908080", "c3"])
def test_a_name_that_is_no_utf8_is_refused(bad: str) -> None:
    raw = bytes.fromhex(bad)
    with pytest.raises(MalformedFrame, match="no Confirm"):
        decode(Confirm, bytes((len(raw),)) + raw)


@pytest.mark.parametrize(("before", "cls", "most"), [(b"", Confirm, 48), (bytes(32), Bonded, 48), (b"\0\0", Open, 32)])
def test_a_name_over_its_limit_is_refused(before: bytes, cls: type[object], most: int) -> None:
    assert encode(decode(cls, before + bytes((most,)) + b"n" * most)) == before + bytes((most,)) + b"n" * most
    with pytest.raises(MalformedFrame):
        decode(cls, before + bytes((most + 1,)) + b"n" * (most + 1))


def test_a_refusal_never_shows_the_bytes() -> None:
    with pytest.raises(MalformedFrame) as caught:
        decode(Bonded, b"secret" * 4)
    assert "secret" not in str(caught.value)


# --- fast paths -------------------------------------------------------------------------------------------------


@given(port=st.integers(0, 65535), message=st.binary(max_size=50))
def test_the_short_way_to_a_port_is_the_declared_one(port: int, message: bytes) -> None:
    body = pack_port(port) + message
    assert body == encode(Data(port, message))
    assert unpack_port(body + b"\x06") == port
    assert decode(Data, body) == Data(port, message)


@given(body=st.binary(max_size=4))
def test_the_short_way_refuses_what_the_declaration_refuses(body: bytes) -> None:
    try:
        port = unpack_port(body + b"\x06")
    except MalformedFrame:
        with pytest.raises(MalformedFrame):
            decode(Data, body)
        assert len(body) < PORT_BYTES
    else:
        assert decode(Data, body) == Data(port, body[PORT_BYTES:])


@given(kind=st.integers(0, 255), length=st.integers(0, MAX_BODY_BYTES), after=st.binary(max_size=3))
def test_the_header_is_a_byte_and_a_big_endian_length(kind: int, length: int, after: bytes) -> None:
    header = pack_header(kind, length)
    assert header == bytes((kind,)) + Int16ub.build(length)
    assert frame_length(header + after) == FRAME_HEADER_BYTES + Int16ub.parse(header[1:])


@given(record=st.binary(max_size=300))
def test_a_record_s_header_is_that_of_its_frame(record: bytes) -> None:
    assert encode_frame(Record(record)) == pack_header(KIND_OF[Record], len(record)) + record


# --- what INFO offers -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "suite", "method", "offered"),
    [
        (2, 1, 1, True),
        (3, 2, 3, True),
        (1, 1, 1, False),
        (4, 1, 1, False),
        (2, 3, 1, False),
        (2, 1, 2, False),
        (2, 1, 8, True),
        (2, 1, 0, True),
        (2, 3, 0, False),
        (1, 1, 0, False),
        (2, 0, 1, False),
        (2, 255, 1, False),
        (2, 1, 255, False),
    ],
)
def test_all_three_must_be_offered(version: int, suite: int, method: int, offered: bool) -> None:
    info = Info(2, 3, 0b10000101, 0b011, Mode.PAIRING_OPEN, 8, 512, 0, bytes(16))
    assert info.offers(version, suite, method) is offered
