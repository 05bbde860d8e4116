"""Binding a dataclass to its bytes: what fits, what is refused, and what the documentation is told."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import pytest
from construct import Int32ul
from hypothesis import given
from hypothesis import strategies as st

from blechannel.codec import (
    REST,
    U8,
    U16,
    U32,
    U64,
    FieldRow,
    ValueOutOfRange,
    blobs,
    decode,
    describe,
    dissect,
    encode,
    octets,
    on_air,
    one_of,
    text,
)
from blechannel.errors import LocalProtocolError, MalformedFrame


class Colour(IntEnum):
    RED = 1
    BLUE = 200


@dataclass(frozen=True, slots=True)
class Every:
    """One field of each sort."""

    small: int = on_air(U8, "a byte")
    medium: int = on_air(U16, "two bytes")
    large: int = on_air(U32, "four bytes")
    huge: int = on_air(U64, "eight bytes")
    fixed: bytes = on_air(octets(3), "three bytes")
    colour: Colour = on_air(one_of(Colour), "a choice")
    name: str = on_air(text(5), "a name")
    rest: bytes = on_air(REST, "what is left")


@dataclass(frozen=True, slots=True)
class Ended:
    """Nothing may follow."""

    name: str = on_air(text(), "a name of the usual length")
    small: int = on_air(U8, "a byte")


EVERY = Every(1, 0x0203, 0x04050607, 0x08090A0B0C0D0E0F, b"abc", Colour.BLUE, "né", b"rest")
EVERY_BYTES = bytes.fromhex("01 0203 04050607 08090a0b0c0d0e0f 616263 c8 03 6ec3a9 72657374")


def test_fields_stand_in_order_and_big_endian() -> None:
    assert encode(EVERY) == EVERY_BYTES
    assert decode(Every, EVERY_BYTES) == EVERY


def test_what_was_decoded_has_the_declared_types() -> None:
    read = decode(Every, EVERY_BYTES)
    assert isinstance(read.colour, Colour)
    assert isinstance(read.name, str)
    assert type(read.rest) is bytes


def test_every_field_is_described_in_order() -> None:
    assert list(describe(Every)) == [
        FieldRow("small", 1, 1, "a byte"),
        FieldRow("medium", 2, 2, "two bytes"),
        FieldRow("large", 4, 4, "four bytes"),
        FieldRow("huge", 8, 8, "eight bytes"),
        FieldRow("fixed", 3, 3, "three bytes"),
        FieldRow("colour", 1, 1, "a choice"),
        FieldRow("name", 1, 6, "a name"),
        FieldRow("rest", 0, None, "what is left"),
    ]


def test_a_value_is_taken_apart_field_by_field() -> None:
    parts = dict(dissect(EVERY))
    assert list(parts) == [row.name for row in describe(Every)]
    assert b"".join(parts.values()) == EVERY_BYTES
    assert parts["name"] == b"\x03n\xc3\xa9"


@given(small=st.integers(0, 255), name=st.text(st.characters(codec="utf-8"), max_size=12))
def test_there_and_back(small: int, name: str) -> None:
    assert decode(Ended, encode(Ended(name, small))) == Ended(name, small)


@given(data=st.binary(max_size=60))
def test_any_bytes_are_a_value_or_malformed(data: bytes) -> None:
    for cls in (Every, Ended):
        try:
            value = decode(cls, data)
        except MalformedFrame:
            continue
        assert encode(value) == data


@pytest.mark.parametrize("size", range(len(EVERY_BYTES) - len(EVERY.rest)))
def test_a_truncated_value_is_refused(size: int) -> None:
    with pytest.raises(MalformedFrame, match="no Every"):
        decode(Every, EVERY_BYTES[:size])


@pytest.mark.parametrize("rest", [b"", b"r", b"rest and more"])
def test_what_is_left_may_be_nothing(rest: bytes) -> None:
    before = EVERY_BYTES[: -len(EVERY.rest)]
    assert decode(Every, before + rest).rest == rest


@pytest.mark.parametrize("data", [b"\x01n\x07\x00", b"\x00\x07\x00"])
def test_a_trailing_byte_is_refused(data: bytes) -> None:
    assert decode(Ended, data[:-1]).small == 7
    with pytest.raises(MalformedFrame, match="trailing bytes"):
        decode(Ended, data)


@pytest.mark.parametrize("data", [b"\x01\xff\x00", b"\x31" + b"n" * 49 + b"\x00", b"\x03n\x00", b"\xff", b""])
def test_a_bad_text_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedFrame, match="no Ended"):
        decode(Ended, data)


@pytest.mark.parametrize("number", [0, 2, 199, 255])
def test_an_unknown_choice_is_refused(number: int) -> None:
    wrong = EVERY_BYTES[:18] + bytes((number,)) + EVERY_BYTES[19:]
    with pytest.raises(MalformedFrame, match="no Every"):
        decode(Every, wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"small": 256},
        {"small": -1},
        {"medium": 1 << 16},
        {"large": 1 << 32},
        {"huge": 1 << 64},
        {"small": "1"},
        {"fixed": b"ab"},
        {"fixed": b"abcd"},
        {"fixed": None},
        {"colour": 3},
        {"name": "sixsix"},
        {"name": "\ud800"},
        {"rest": None},
    ],
    ids=repr,
)
def test_a_value_that_does_not_fit_is_refused(wrong: dict[str, object]) -> None:
    fitting = {row.name: getattr(EVERY, row.name) for row in describe(Every)}
    with pytest.raises(LocalProtocolError, match="Every cannot be encoded"):
        encode(Every(**{**fitting, **wrong}))


def test_what_is_not_declared_is_refused() -> None:
    with pytest.raises(LocalProtocolError, match="int cannot be encoded"):
        encode(1)


@dataclass(frozen=True, slots=True)
class Listed:
    """Byte strings, counted and each with its length."""

    items: tuple[bytes, ...] = on_air(blobs(3, 4), "up to three of up to four bytes")


def test_counted_byte_strings_stand_behind_their_lengths() -> None:
    assert encode(Listed((b"ab", b"", b"cdef"))) == bytes.fromhex("03 0002 6162 0000 0004 63646566")
    assert decode(Listed, encode(Listed(()))) == Listed(())
    assert list(describe(Listed)) == [FieldRow("items", 1, 19, "up to three of up to four bytes")]


@given(data=st.binary(max_size=24))
def test_any_bytes_are_counted_byte_strings_or_malformed(data: bytes) -> None:
    try:
        read = decode(Listed, data)
    except MalformedFrame:
        return
    assert encode(read) == data
    assert len(read.items) <= 3
    assert all(type(item) is bytes and len(item) <= 4 for item in read.items)


@pytest.mark.parametrize("items", [(b"",) * 4, (b"12345",)])
def test_byte_strings_over_their_bounds_are_refused_both_ways(items: tuple[bytes, ...]) -> None:
    with pytest.raises(LocalProtocolError):
        encode(Listed(items))
    raw = bytes([len(items)]) + b"".join(len(item).to_bytes(2) + item for item in items)
    with pytest.raises(MalformedFrame):
        decode(Listed, raw)


@dataclass(frozen=True, slots=True)
class Even:
    """A number that its class looks at."""

    number: int = on_air(U8, "even")

    def __post_init__(self) -> None:
        if self.number % 2:
            raise ValueOutOfRange(f"{self.number} is odd")


def test_a_value_out_of_range_is_named_on_both_sides() -> None:
    assert decode(Even, b"\2") == Even(2)
    with pytest.raises(MalformedFrame, match="no Even: 3 is odd"):
        decode(Even, b"\3")
    with pytest.raises(LocalProtocolError, match="3 is odd"):
        Even(3)


@dataclass(frozen=True, slots=True)
class Numbers:
    """Integers and nothing else."""

    a: int = on_air(U8, "one byte")
    b: int = on_air(U16, "two bytes")
    c: int = on_air(U32, "four bytes")
    d: int = on_air(U64, "eight bytes")


@given(
    a=st.integers(0, 2**8 - 1), b=st.integers(0, 2**16 - 1), c=st.integers(0, 2**32 - 1), d=st.integers(0, 2**64 - 1)
)
def test_integers_alone_are_written_as_they_are_declared(a: int, b: int, c: int, d: int) -> None:
    value = Numbers(a, b, c, d)
    assert encode(value) == b"".join(layout for _, layout in dissect(value))
    assert decode(Numbers, encode(value)) == value


@dataclass(frozen=True, slots=True)
class Steps:
    """As GATT has it."""

    count: int = on_air(Int32ul, "little-endian")


def test_integers_of_another_order_keep_it() -> None:
    assert encode(Steps(1)) == b"\1\0\0\0"
    assert decode(Steps, b"\1\0\0\0") == Steps(1)


@given(data=st.binary(max_size=20))
def test_any_bytes_are_integers_or_malformed(data: bytes) -> None:
    try:
        value = decode(Numbers, data)
    except MalformedFrame:
        assert len(data) != 15
    else:
        assert encode(value) == data


@pytest.mark.parametrize("value", [Numbers(256, 0, 0, 0), Numbers(0, -1, 0, 0), Numbers(0, 0, 0, 2**64)])
def test_integers_that_do_not_fit_are_refused(value: Numbers) -> None:
    with pytest.raises(LocalProtocolError):
        encode(value)
