"""The first message each way.

::

    phone → watch   "blechannel-tcp/1" ‖ purpose (1 byte: 0 look, 1 link) ‖ longest fragment it takes (2 bytes)
    watch → phone   "blechannel-tcp/1" ‖ answer (1 byte: 0 welcome, 1 busy) ‖ longest fragment (2) ‖ service data

A phone that only looks is answered and left: that is what scanning is here. Neither side sends fragments longer than
the other takes, nor than it was told to send itself.
"""

from __future__ import annotations

import struct
from enum import IntEnum

from blechannel.errors import TransportError
from blechannel.limits import MAX_FRAGMENT_BYTES, MIN_FRAGMENT_BYTES
from blechannel.transports.adverts import MAX_SERVICE_DATA_BYTES
from blechannel.values import dataclass

MAGIC = b"blechannel-tcp/1"
_HEAD = struct.Struct(f">{len(MAGIC)}sBH")


class Purpose(IntEnum):
    """What a phone wants."""

    LOOK = 0
    LINK = 1


class Answer(IntEnum):
    """What a watch says to it."""

    WELCOME = 0
    BUSY = 1


@dataclass(frozen=True, slots=True)
class PhoneGreeting:
    """See above."""

    purpose: Purpose
    max_fragment_bytes: int

    def encode(self) -> bytes:
        """The message."""
        return _HEAD.pack(MAGIC, self.purpose, self.max_fragment_bytes)

    @classmethod
    def decode(cls, message: bytes) -> PhoneGreeting:
        """Raises:
        TransportError: not such a message.
        """
        word, max_fragment_bytes, rest = _decode(message)
        if rest or word not in list(Purpose):
            raise TransportError("a greeting that no phone of this kind sends")
        return cls(Purpose(word), max_fragment_bytes)


@dataclass(frozen=True, slots=True)
class WatchGreeting:
    """See above."""

    answer: Answer
    max_fragment_bytes: int
    service_data: bytes

    def encode(self) -> bytes:
        """The message."""
        return _HEAD.pack(MAGIC, self.answer, self.max_fragment_bytes) + self.service_data

    @classmethod
    def decode(cls, message: bytes) -> WatchGreeting:
        """Raises:
        TransportError: not such a message.
        """
        word, max_fragment_bytes, service_data = _decode(message)
        if len(service_data) > MAX_SERVICE_DATA_BYTES or word not in list(Answer):
            raise TransportError("a greeting that no watch of this kind sends")
        return cls(Answer(word), max_fragment_bytes, service_data)


def _decode(message: bytes) -> tuple[int, int, bytes]:
    if len(message) < _HEAD.size or not message.startswith(MAGIC):
        raise TransportError("another service: it does not greet as a simulated radio does")
    _, word, max_fragment_bytes = _HEAD.unpack_from(message)
    if not MIN_FRAGMENT_BYTES <= max_fragment_bytes <= MAX_FRAGMENT_BYTES:
        raise TransportError(f"a greeting with fragments of {max_fragment_bytes} bytes")
    return word, max_fragment_bytes, message[_HEAD.size :]
