"""The words that both directions share: lanes, ids, and a message at rest."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from blechannel_gateway.errors import GatewayError

LANES_IN_ALL: Final = 16
"""A file holds at most so many times what one lane may keep."""


class Lane(NamedTuple):
    """One port of one watch, in one direction: what keeps its order."""

    watch: str
    """The pseudonym of the bond, 32 hexadecimal digits."""
    port: str


class MessageId(NamedTuple):
    """Unique for ever, and the same from the first store to the last."""

    stream: bytes
    sequence: int

    def __str__(self) -> str:
        return f"{self.stream.hex()[:8]}:{self.sequence}"


@dataclass(frozen=True, slots=True)
class Message:
    """What somebody sends, and what arrives."""

    message_id: MessageId
    body: bytes = field(repr=False)
    schema: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is kept, before whoever brings more has to wait."""

    messages: int = 10_000
    """A lane, and sixteen times as many in all."""
    lane_bytes: int = 16 * 1024 * 1024
    """A lane, and sixteen times as many in all."""
    message_bytes: int = 1024 * 1024

    def check(self, body: bytes) -> None:
        """Raises GatewayError where the body alone is too much."""
        if len(body) > min(self.message_bytes, self.lane_bytes):
            raise GatewayError(f"a message of {len(body)} bytes is over the limit of {self.message_bytes}")


@dataclass(slots=True)
class _Load:
    messages: int = 0
    size_bytes: int = 0


class Loads:
    """How much each lane of a file keeps, and the file in all."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._of: defaultdict[Lane, _Load] = defaultdict(_Load)
        self._whole = _Load()

    @property
    def lanes(self) -> list[Lane]:
        """Those that keep something."""
        return list(self._of)

    def messages(self, lane: Lane) -> int:
        """How many the lane keeps."""
        return self._of[lane].messages if lane in self._of else 0

    def fits(self, lane: Lane, size_bytes: int) -> bool:
        """Whether one more of that size has room."""
        of = self._of[lane] if lane in self._of else _Load()
        limits, whole = self._limits, self._whole
        return (
            of.messages < limits.messages
            and of.size_bytes + size_bytes <= limits.lane_bytes
            and whole.messages < limits.messages * LANES_IN_ALL
            and whole.size_bytes + size_bytes <= limits.lane_bytes * LANES_IN_ALL
        )

    def count(self, lane: Lane, messages: int, size_bytes: int) -> None:
        """So many more, or less."""
        for load in (self._of[lane], self._whole):
            load.messages += messages
            load.size_bytes += size_bytes
        if not self._of[lane].messages:
            del self._of[lane]
