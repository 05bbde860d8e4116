"""The one place that binds a dataclass to construct.

A frame is a frozen dataclass whose fields are declared with `on_air`; their order is the order of the bytes::

    @dataclass(frozen=True, slots=True)
    class Hello:
        version: int = on_air(U8, "protocol version that the phone chose")

Decoding is total: any bytes give a value or `MalformedFrame`, trailing bytes included, and encoding the value again
gives the same bytes. Only interpreted construct is used: its compiled parsers accept truncated input. A class of
these integers alone is packed with one struct, put together from the same declaration, because credit is frequent.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import field, fields
from enum import IntEnum
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from construct import (
    Adapter,
    Bytes,
    Construct,
    ConstructError,
    FormatField,
    GreedyBytes,
    Int8ub,
    Int16ub,
    Int32ub,
    Int64ub,
    Prefixed,
    PrefixedArray,
    Struct,
)

from blechannel.errors import LocalProtocolError, MalformedFrame
from blechannel.limits import MAX_NAME_BYTES
from blechannel.values import dataclass

if TYPE_CHECKING:
    _Adapter = Adapter[Any, Any, Any, Any]
else:
    _Adapter = Adapter

T = TypeVar("T")


class ValueOutOfRange(LocalProtocolError, ValueError):
    """A value that its format has no place for, and why; what `decode` meets becomes MalformedFrame, by that name."""


U8: FormatField[int, int] = Int8ub
U16: FormatField[int, int] = Int16ub
U32: FormatField[int, int] = Int32ub
U64: FormatField[int, int] = Int64ub
_INTEGERS = frozenset({U8, U16, U32, U64})
REST = GreedyBytes
"""All bytes up to the end of the frame."""


def octets(count: int) -> Construct[bytes, bytes]:
    """Exactly `count` bytes."""
    return Bytes(count)


class _Text(_Adapter):
    """UTF-8 behind a length byte; decoding refuses what encoding would not have written."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__(Prefixed(Int8ub, GreedyBytes))
        self.max_bytes = max_bytes

    def _decode(self, obj: Any, _context: Any, _path: Any) -> str:
        if len(obj) > self.max_bytes:
            raise ValueError(f"a text over {self.max_bytes} bytes")
        return bytes(obj).decode("utf-8")

    def _encode(self, obj: Any, _context: Any, _path: Any) -> bytes:
        raw = str(obj).encode("utf-8")
        if len(raw) > self.max_bytes:
            raise ValueError(f"a text over {self.max_bytes} bytes")
        return raw


class _Blobs(_Adapter):
    """Byte strings, each behind two bytes of length, all behind one byte that counts them."""

    def __init__(self, max_count: int, max_bytes: int) -> None:
        super().__init__(PrefixedArray(Int8ub, Prefixed(Int16ub, GreedyBytes)))
        self.max_count = max_count
        self.max_bytes = max_bytes

    def _decode(self, obj: Any, _context: Any, _path: Any) -> tuple[bytes, ...]:
        return self._bounded(tuple(bytes(blob) for blob in obj))

    def _encode(self, obj: Any, _context: Any, _path: Any) -> list[bytes]:
        return list(self._bounded(tuple(obj)))

    def _bounded(self, blobs: tuple[bytes, ...]) -> tuple[bytes, ...]:
        if len(blobs) > self.max_count or any(len(blob) > self.max_bytes for blob in blobs):
            raise ValueError(f"more than {self.max_count} byte strings, or one over {self.max_bytes} bytes")
        return blobs


class _Choice(_Adapter):
    """One byte that must be a member of the enumeration."""

    def __init__(self, members: type[IntEnum]) -> None:
        super().__init__(Int8ub)
        self.members = members

    def _decode(self, obj: Any, _context: Any, _path: Any) -> IntEnum:
        return self.members(obj)

    def _encode(self, obj: Any, _context: Any, _path: Any) -> int:
        return int(self.members(obj))


def text(max_bytes: int = MAX_NAME_BYTES) -> Construct[str, str]:
    """A length byte and that many bytes of UTF-8, at most `max_bytes`."""
    return _Text(max_bytes)


def blobs(max_count: int, max_bytes: int) -> Construct[Any, Any]:
    """A count byte, then so many byte strings behind two bytes of length each; a tuple, bounded in both ways."""
    return _Blobs(max_count, max_bytes)


def one_of(members: type[IntEnum]) -> Construct[Any, Any]:
    """One byte, a member of `members`; any other value is malformed."""
    return _Choice(members)


def on_air(layout: Construct[Any, Any], meaning: str) -> Any:
    """Declare a dataclass field that travels: its bytes and what they mean."""
    return field(metadata={"layout": layout, "meaning": meaning})


@dataclass(frozen=True, slots=True)
class FieldRow:
    """A field as the generated documentation shows it."""

    name: str
    least_bytes: int
    most_bytes: int | None
    """None where the field takes all that is left."""
    meaning: str


@cache
def _struct(cls: Any) -> Construct[Any, Any]:
    return Struct(*(f.name / f.metadata["layout"] for f in fields(cls)))


@cache
def _integers(cls: Any) -> struct.Struct | None:
    """For a class of these integers alone, which have no two ways to be written."""
    layouts = [f.metadata["layout"] for f in fields(cls)]
    if not _INTEGERS.issuperset(layouts):
        return None
    return struct.Struct(">" + "".join(layout.fmtstr.removeprefix(">") for layout in layouts))


@cache
def _names(cls: Any) -> tuple[str, ...]:
    return tuple(f.name for f in fields(cls))


def encode(value: Any) -> bytes:
    """The bytes of a declared dataclass.

    Raises:
        LocalProtocolError: a field does not fit its declaration.
    """
    cls: Any = type(value)
    try:
        if (integers := _integers(cls)) is not None:
            return integers.pack(*(getattr(value, name) for name in _names(cls)))
        return bytes(_struct(cls).build({name: getattr(value, name) for name in _names(cls)}))
    except (ConstructError, ValueError, TypeError, struct.error) as error:
        raise LocalProtocolError(f"{cls.__name__} cannot be encoded: {error}") from error


def decode(cls: type[T], data: bytes) -> T:
    """The value of `cls` whose bytes are exactly `data`.

    Raises:
        MalformedFrame: truncated, trailing, or a value that its declaration does not allow.
    """
    declared: Any = cls
    try:
        if (integers := _integers(declared)) is not None:
            return cls(*integers.unpack(data))
        parsed = _struct(declared).parse(data)
        value = cls(**{name: parsed[name] for name in _names(declared)})
    except ValueOutOfRange as error:
        raise MalformedFrame(f"no {cls.__name__}: {error}") from error
    except (ConstructError, ValueError, struct.error) as error:
        raise MalformedFrame(f"no {cls.__name__}: {type(error).__name__}") from error
    if encode(value) != data:
        raise MalformedFrame(f"no {cls.__name__}: trailing bytes")
    return value


def describe(cls: type[Any]) -> Iterator[FieldRow]:
    """The rows of the generated documentation, in the order of the bytes."""
    for f in fields(cls):
        yield FieldRow(f.name, *_bounds_of(f.metadata["layout"]), f.metadata["meaning"])


def dissect(value: Any) -> Iterator[tuple[str, bytes]]:
    """Each field's name and bytes, in order: together what `encode` gives."""
    for f in fields(value):
        yield f.name, bytes(f.metadata["layout"].build(getattr(value, f.name)))


def _bounds_of(layout: Construct[Any, Any]) -> tuple[int, int | None]:
    if isinstance(layout, _Text):
        return 1, 1 + layout.max_bytes
    if isinstance(layout, _Blobs):
        return 1, 1 + layout.max_count * (2 + layout.max_bytes)
    if layout is REST:
        return 0, None
    return layout.sizeof(), layout.sizeof()
