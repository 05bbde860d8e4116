"""How the messages of a port are delivered, and the name that each of them has for ever."""

from __future__ import annotations

import dataclasses
from enum import IntEnum
from typing import Final

from blechannel.errors import LocalProtocolError
from blechannel.values import dataclass

STREAM_BYTES: Final = 16
MAX_MESSAGE_BYTES: Final = 1 << 26
"""Of one message, whatever a policy says: 64 MiB."""
MAX_MESSAGES: Final = 1 << 20
MAX_TTL_S: Final = 10 * 366 * 86400.0


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class MessageId:
    """What a message is called on both sides, for ever; who acts outside the store dedupes by it."""

    stream: bytes
    """16 random bytes: a queue of the sender's, from one opening of its store to the next."""
    sequence: int
    """From 1; numbers may be missing, none comes twice."""

    def __str__(self) -> str:
        return f"{self.stream.hex()}-{self.sequence}"


class Kind(IntEnum):
    """The policy as it is said to the peer: both sides of a port need the same one."""

    ORDERED = 1
    LATEST = 2
    BEST_EFFORT = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bounds:
    """What the policies have in common."""

    ttl_s: float | None = None
    """How long a message waits for the peer to store it; None for ever."""
    max_messages: int = 1000
    """That wait in one queue; the receiving side keeps as many that nobody took."""
    max_bytes: int = 1 << 20
    """Of the messages that wait in one queue, and so of the longest message; the receiving side keeps as much."""

    def __post_init__(self) -> None:
        if self.ttl_s is not None and not 0 < self.ttl_s <= MAX_TTL_S:
            raise LocalProtocolError("a message's time to live is more than 0 s and at most ten years")
        if not 1 <= self.max_messages <= MAX_MESSAGES or not 1 <= self.max_bytes <= MAX_MESSAGE_BYTES:
            raise LocalProtocolError(f"a queue takes 1 to {MAX_MESSAGES} messages and 1 to {MAX_MESSAGE_BYTES} bytes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered(_Bounds):
    """Each message once and in order; whoever sends too much waits."""

    kind = Kind.ORDERED


@dataclass(frozen=True, slots=True, kw_only=True)
class Latest(_Bounds):
    """Only the newest message counts: it takes the place of what waits, on both sides."""

    kind = Kind.LATEST


@dataclass(frozen=True, slots=True, kw_only=True)
class BestEffort(_Bounds):
    """In memory, never twice, in order, and lost when a link breaks under it; the oldest make room for new ones."""

    ttl_s: float | None = 10.0
    max_messages: int = 64
    kind = Kind.BEST_EFFORT


Policy = Ordered | Latest | BestEffort
