"""Sealed frames and messages, the most frequent by far, decoded by hand for speed; the rest as it is declared.

A test holds both to the declarations.
"""

from __future__ import annotations

from blechannel.codec import decode
from blechannel.errors import MalformedFrame
from blechannel.wire.frames import (
    DATA_TYPE,
    RECORD_KIND,
    RECORD_TYPES,
    Body,
    Data,
    Frame,
    Record,
    decode_frame,
)
from blechannel.wire.header import FRAME_HEADER_BYTES

_PORT_BYTES = 2


def frame_of(data: bytes) -> Frame:
    """A whole frame, header included.

    Raises:
        MalformedFrame: it is none.
    """
    body_bytes = len(data) - FRAME_HEADER_BYTES
    if body_bytes >= 0 and data[0] == RECORD_KIND and body_bytes == data[1] << 8 | data[2]:
        return Record(data[FRAME_HEADER_BYTES:])
    return decode_frame(data)


def body_of(content: bytes) -> Body:
    """What a record holds; `content` is `body ‖ type`, without padding.

    Raises:
        MalformedFrame: it is no body.
    """
    if not content:
        raise MalformedFrame("a record without a type")
    if content[-1] == DATA_TYPE and len(content) > _PORT_BYTES:
        return Data(content[0] << 8 | content[1], content[_PORT_BYTES:-1])
    declared = RECORD_TYPES.get(content[-1])
    if declared is None:
        raise MalformedFrame(f"a record of unknown type {content[-1]}")
    return decode(declared, content[:-1])
