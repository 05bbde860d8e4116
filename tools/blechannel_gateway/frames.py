"""What crosses the broker as the payload of a publication: a Post one way, an Ack the other.

The same bytes with MQTT 5 and 3.1.1. `after` chains the posts of a stream: a receiver that has everything up to `after`
has missed nothing. Numbers may be left out on purpose (a watch that sends only its latest value), so that a gap between
`after` and `sequence` is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from blechannel.codec import REST, U64, ValueOutOfRange, octets, on_air, one_of, text

STREAM_BYTES: Final = 16
MAX_SCHEMA_BYTES: Final = 64


class Version(IntEnum):
    """Of these frames."""

    ONE = 1


class Base(IntEnum):
    """What the sender still has of what stands before a post."""

    KEPT = 0
    GONE = 1


class Wish(IntEnum):
    """What an acknowledgement asks for."""

    NOTHING = 0
    SEND_AGAIN = 1


@dataclass(frozen=True, slots=True)
class Post:
    """One message of a stream.

    Raises:
        ValueOutOfRange: the sequence is not above `after`.
    """

    version: Version = on_air(one_of(Version), "1")
    base: Base = on_air(one_of(Base), "1: all up to `after` was acknowledged, and is kept no longer")
    stream: bytes = on_air(octets(STREAM_BYTES), "random name of the numbering that the sender began")
    sequence: int = on_air(U64, "the message's number, above that of the post before")
    after: int = on_air(U64, "the number of the post before this one; 0 with the first of a stream")
    schema: str = on_air(text(MAX_SCHEMA_BYTES), "what the body is, as the configuration names it; may be empty")
    body: bytes = on_air(REST, "the message")

    def __post_init__(self) -> None:
        if self.sequence <= self.after:
            raise ValueOutOfRange("a post's sequence is above that of the post before it")


@dataclass(frozen=True, slots=True)
class Ack:
    """Everything of the stream up to and with `upto` is stored, durably."""

    version: Version = on_air(one_of(Version), "1")
    wish: Wish = on_air(one_of(Wish), "1: send again all after `upto`")
    stream: bytes = on_air(octets(STREAM_BYTES), "the stream that is meant")
    upto: int = on_air(U64, "0: nothing yet")
