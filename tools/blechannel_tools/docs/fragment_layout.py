"""The fragment format as tables, read from its construct declaration."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar, cast

from construct import Construct, SizeofError, Struct, Subconstruct

from blechannel.limits import Limits, Patience
from blechannel.wire.fragments import FRAGMENT, FRAGMENT_HEADER_BYTES, FragmentStream
from blechannel.wire.frames import Refusal, Refuse, encode_frame

Parsed = TypeVar("Parsed")
Built = TypeVar("Built")


def rows() -> Iterator[tuple[str, str, str]]:
    """Name, size and meaning of each field, in the order of the bits on the air, the highest bit first."""
    for field in _leaves(FRAGMENT):
        yield f"`{field.name}`", _size(field), field.docs


def example() -> list[tuple[bytes, str]]:
    """A frame in one fragment, and the control fragment that acknowledges it, from two live streams."""
    sender, receiver = (FragmentStream(max_fragment_bytes=244, receive=Limits(), patience=Patience()) for _ in range(2))
    sender.send(encode_frame(Refuse(Refusal.BUSY)))
    (data,) = sender.fragments_to_send(0.0)
    receiver.receive(data, 0.0)
    receiver.expire(receiver.deadline() or 0.0)
    (control,) = receiver.fragments_to_send(1.0)
    return [
        (data[:FRAGMENT_HEADER_BYTES], "data: mark = 1, number = 0; acknowledgement = 0"),
        (data[FRAGMENT_HEADER_BYTES:], "      the frame"),
        (control, "control: mark = 0, next number = 0; acknowledgement = 1"),
    ]


def _leaves(layout: Construct[Parsed, Built]) -> Iterator[Construct[object, object]]:
    inner: object = layout
    while isinstance(inner, Subconstruct):
        inner = inner.subcon
    if isinstance(inner, Struct):
        for part in inner.subcons:
            yield from _leaves(part)
    elif layout.name:
        yield cast("Construct[object, object]", layout)


def _size(field: Construct[object, object]) -> str:
    try:
        bits = field.sizeof()
    except SizeofError:
        return "the rest"
    return f"{bits} bit{'s' * (bits > 1)}"
