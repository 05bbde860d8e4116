"""What the two sides of a delivering port say. A frame is one message of that port: a type byte, then its fields.

Both say Hello, then Welcome. From then on each side's sender says Begin and messages, whole or in parts, and each
side's receiver answers Begin with Resume and what it has stored with Stored (docs/outbox.md, "On the air").
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import Final

from blechannel.codec import REST, U8, U16, U32, U64, decode, encode, octets, on_air, one_of
from blechannel.delivery.policies import STREAM_BYTES, Kind
from blechannel.errors import MalformedFrame
from blechannel.values import dataclass

VERSION: Final = 1
TOKEN_BYTES: Final = 16
NO_TOKEN: Final = bytes(TOKEN_BYTES)


class Recognition(IntEnum):
    """What a side says of the token that its peer remembers of it."""

    NEW = 0
    KNOWN = 1
    RESET = 2


class Fault(IntEnum):
    """Why a receiver does not store what it was sent."""

    NO_ROOM = 1
    TOO_LARGE = 2
    POLICY = 3


@dataclass(frozen=True, slots=True)
class Hello:
    """First in both directions: whose store this is, as the peer of this port alone is told."""

    version: int = on_air(U8, "of delivery: 1")
    kind: Kind = on_air(one_of(Kind), "the port's policy: 1 ordered, 2 latest, 3 best effort")
    token: bytes = on_air(octets(TOKEN_BYTES), "random, secret, new whenever the sender's store is opened")
    remembered: bytes = on_air(octets(TOKEN_BYTES), "the token that the peer said last; zeros where none is remembered")


@dataclass(frozen=True, slots=True)
class Welcome:
    """The answer to Hello, once its token is remembered."""

    recognition: Recognition = on_air(
        one_of(Recognition), "of `remembered`: 0 none, 1 known here, 2 not in this store, which is another or older"
    )


@dataclass(frozen=True, slots=True)
class Begin:
    """Sender → receiver: messages of this stream follow, from where Resume says."""

    stream: bytes = on_air(octets(STREAM_BYTES), "MessageId.stream")


@dataclass(frozen=True, slots=True)
class Resume:
    """Receiver → sender: all up to here is stored."""

    stored: int = on_air(U64, "sequence of the last message that is stored; 0 for none")
    partial: int = on_air(U64, "sequence of the message that is stored in part; 0 for none")
    partial_bytes: int = on_air(U32, "so many of its bytes are stored")
    room_messages: int = on_air(U16, "messages that may follow `stored`, the one in part among them")
    room_bytes: int = on_air(U32, "bytes that may follow what is stored")


@dataclass(frozen=True, slots=True)
class Part:
    """Sender → receiver: a message, or a piece of one."""

    sequence: int = on_air(U64, "MessageId.sequence")
    skipped: int = on_air(U32, "so many numbers right before it are not coming: expired, or replaced")
    size: int = on_air(U32, "bytes of the whole message")
    offset: int = on_air(U32, "where this piece begins")
    body: bytes = on_air(REST, "the piece")


@dataclass(frozen=True, slots=True)
class Stored:
    """Receiver → sender: all up to here is durable; counts up."""

    stored: int = on_air(U64, "as in Resume")
    partial: int = on_air(U64, "as in Resume")
    partial_bytes: int = on_air(U32, "as in Resume")
    room_messages: int = on_air(U16, "as in Resume")
    room_bytes: int = on_air(U32, "as in Resume")


@dataclass(frozen=True, slots=True)
class Refused:
    """Receiver → sender: nothing after what was said to be stored is; what is on the way will be thrown away."""

    fault: Fault = on_air(one_of(Fault), "1 no room: begin again later, 2 too large: skip it, 3 the policies differ")
    sequence: int = on_air(U64, "the message; 0 in 3")


Frame = Hello | Welcome | Begin | Resume | Part | Stored | Refused

TYPES: Final[dict[int, type[Frame]]] = {1: Hello, 2: Welcome, 3: Begin, 4: Resume, 5: Part, 6: Stored, 7: Refused}
_TYPE_OF: Final = {cls: bytes((number,)) for number, cls in TYPES.items()}
_PART_TYPE: Final = 5
_STORED_TYPE: Final = 6
# The data path; tests hold these to the declarations.
_PART: Final = struct.Struct(">BQIII")
_STORED: Final = struct.Struct(">BQQIHI")
PART_OVERHEAD_BYTES: Final = _PART.size


def encode_frame(frame: Frame) -> bytes:
    """The message of the port."""
    if isinstance(frame, Part):
        return _PART.pack(_PART_TYPE, frame.sequence, frame.skipped, frame.size, frame.offset) + frame.body
    return _TYPE_OF[type(frame)] + encode(frame)


def decode_frame(message: bytes) -> Frame:
    """The frame again.

    Raises:
        MalformedFrame: no such type, truncated, trailing or out of range.
    """
    number = message[0] if message else 0
    if number == _PART_TYPE and len(message) >= PART_OVERHEAD_BYTES:
        _, sequence, skipped, size, offset = _PART.unpack_from(message)
        return Part(sequence, skipped, size, offset, message[PART_OVERHEAD_BYTES:])
    if number == _STORED_TYPE and len(message) == _STORED.size:
        return Stored(*_STORED.unpack(message)[1:])
    cls = TYPES.get(number)
    if cls is None:
        raise MalformedFrame("no delivery frame: its type is unknown")
    return decode(cls, message[1:])
