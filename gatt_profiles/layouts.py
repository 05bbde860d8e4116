"""The formats of GATT values that the channel's own frames do not have: little-endian, to the end, or there by a flag.

Source: GATT Specification Supplement, section 2 (numbers are little-endian, text is UTF-8 without an end mark).
Each is for `blechannel.codec.on_air`. What one of them refuses, it names.
"""

from __future__ import annotations

from enum import IntFlag
from typing import TYPE_CHECKING, Any

from construct import Adapter, Construct, FormatField, GreedyBytes, GreedyRange, IfThenElse, Int8sl, Int16ul, Pass

from blechannel.codec import U8, ValueOutOfRange

if TYPE_CHECKING:
    _Adapter = Adapter[Any, Any, Any, Any]
else:
    _Adapter = Adapter

I8: FormatField[int, int] = Int8sl
U16_LE: FormatField[int, int] = Int16ul


class _Within(_Adapter):
    """A number between two others."""

    def __init__(self, layout: Construct[Any, Any], least: int, most: int) -> None:
        super().__init__(layout)
        self.least = least
        self.most = most

    def _decode(self, obj: Any, _context: Any, path: Any) -> int:
        return self._checked(obj, path)

    def _encode(self, obj: Any, _context: Any, path: Any) -> int:
        return self._checked(obj, path)

    def _checked(self, number: int, path: str) -> int:
        if not self.least <= number <= self.most:
            field = path.rpartition(" -> ")[2]
            raise ValueOutOfRange(f"{field} is {self.least} to {self.most}, not {number}")
        return number


class _Utf8(_Adapter):
    """All bytes to the end, as text."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__(GreedyBytes)
        self.max_bytes = max_bytes

    def _decode(self, obj: Any, _context: Any, _path: Any) -> str:
        return self._bounded(bytes(obj)).decode("utf-8")

    def _encode(self, obj: Any, _context: Any, _path: Any) -> bytes:
        return self._bounded(str(obj).encode("utf-8"))

    def _bounded(self, raw: bytes) -> bytes:
        if len(raw) > self.max_bytes:
            raise ValueOutOfRange(f"the text has at most {self.max_bytes} bytes, not {len(raw)}")
        return raw


class _Flags(_Adapter):
    """A byte of flags; reserved ones are kept as they are, for a client has to ignore them."""

    def __init__(self, flags: type[IntFlag]) -> None:
        super().__init__(U8)
        self.flags = flags

    def _decode(self, obj: Any, _context: Any, _path: Any) -> IntFlag:
        return self.flags(obj)

    def _encode(self, obj: Any, _context: Any, _path: Any) -> int:
        return int(obj)


class _Each(_Adapter):
    """As many of one layout as there are up to the end."""

    def __init__(self, layout: Construct[Any, Any]) -> None:
        super().__init__(GreedyRange(layout))

    def _decode(self, obj: Any, _context: Any, _path: Any) -> tuple[Any, ...]:
        return tuple(obj)

    def _encode(self, obj: Any, _context: Any, _path: Any) -> list[Any]:
        return list(obj)


def within(layout: Construct[Any, Any], least: int, most: int) -> Construct[Any, Any]:
    """A number of that layout from `least` to `most`; others are reserved."""
    return _Within(layout, least, most)


def utf8(max_bytes: int) -> Construct[Any, Any]:
    """Text to the end of the value, of at most `max_bytes` bytes."""
    return _Utf8(max_bytes)


def flags(members: type[IntFlag]) -> Construct[Any, Any]:
    """One byte, a sum of `members`."""
    return _Flags(members)


def each(layout: Construct[Any, Any]) -> Construct[Any, Any]:
    """A tuple of all that is left, each of that layout."""
    return _Each(layout)


def where(flag: IntFlag, layout: Construct[Any, Any], otherwise: Construct[Any, Any] = Pass) -> Construct[Any, Any]:
    """`layout` where the field `flags` before it has `flag`; else `otherwise`, by default nothing, which is None."""
    return IfThenElse(lambda context: bool(context.flags & flag), layout, otherwise)
