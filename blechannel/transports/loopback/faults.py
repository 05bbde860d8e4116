"""What can go wrong with fragments on their way, as data. Each direction of a link has its own script.

A fragment's index counts what was sent in that direction, from 0.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from random import Random
from typing import Protocol

from blechannel.values import dataclass


@dataclass(frozen=True, slots=True)
class Drop:
    """Fragment `n` never arrives, as when an operating system discards a notification."""

    n: int


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Fragment `n` arrives twice."""

    n: int


@dataclass(frozen=True, slots=True)
class Recut:
    """Fragment `n` arrives as two values, the second from byte `at` on; either may be empty."""

    n: int
    at: int


@dataclass(frozen=True, slots=True)
class Corrupt:
    """Bit `bit` of fragment `n` is flipped; bit 0 is the lowest of the first byte. Counts round the end."""

    n: int
    bit: int


@dataclass(frozen=True, slots=True)
class Stall:
    """Fragment `n`, and all after it, come `for_s` seconds later."""

    n: int
    for_s: float


@dataclass(frozen=True, slots=True)
class Swap:
    """Fragment `n` arrives after the next one, or in its place if that is held back too; never, if there is none."""

    n: int


@dataclass(frozen=True, slots=True)
class Inject:
    """`value`, which nobody sent, arrives just before fragment `n`."""

    n: int
    value: bytes


@dataclass(frozen=True, slots=True)
class DisconnectAtByte:
    """The link ends when `total_bytes` have been sent; a fragment that goes beyond them does not arrive."""

    total_bytes: int


Fault = Drop | Duplicate | Recut | Corrupt | Stall | Swap | Inject


@dataclass(frozen=True, slots=True)
class Passage:
    """What becomes of one sent fragment: what arrives, after which wait, and perhaps the end of the link."""

    arrivals: tuple[bytes, ...]
    stall_s: float = 0.0
    disconnects: bool = False


class FaultScript(Protocol):
    """Anything that stands between two ends; an attack may be one."""

    def pass_on(self, fragment: bytes) -> Passage:
        """Called once for each fragment, in the order in which they were sent."""


def flip_bit(value: bytes, bit: int) -> bytes:
    """`value` with one bit flipped, counted as in `Corrupt`; an empty value stays empty."""
    if not value:
        return value
    byte, shift = divmod(bit % (8 * len(value)), 8)
    return value[:byte] + bytes((value[byte] ^ 1 << shift,)) + value[byte + 1 :]


class _Way:
    """One direction, with the fragments that are held back."""

    def __init__(self) -> None:
        self._held: list[bytes] = []

    def pass_on(self, fragment: bytes, due: Iterable[Fault]) -> Passage:
        released, self._held = self._held, []
        arrivals, stall_s = [fragment], 0.0
        for fault in due:
            match fault:
                case Stall():
                    stall_s += fault.for_s
                case Swap():
                    self._held, arrivals = arrivals, []
                case _:
                    arrivals = list(_changed(arrivals, fault))
        return Passage((*arrivals, *released), stall_s)


def _changed(arrivals: Sequence[bytes], fault: Drop | Duplicate | Recut | Corrupt | Inject) -> Iterable[bytes]:
    match fault:
        case Drop():
            return ()
        case Duplicate():
            return (*arrivals, *arrivals)
        case Recut(at=at):
            return (piece for value in arrivals for piece in (value[:at], value[at:]))
        case Corrupt(bit=bit):
            return (flip_bit(value, bit) for value in arrivals)
        case Inject(value=value):
            return (value, *arrivals)


class Faults:
    """A script for one direction. Several faults of one fragment apply in the order given."""

    def __init__(self, faults: Iterable[Fault | DisconnectAtByte]) -> None:
        self._due: defaultdict[int, list[Fault]] = defaultdict(list)
        self._last_byte: int | None = None
        for fault in faults:
            if isinstance(fault, DisconnectAtByte):
                self._last_byte = fault.total_bytes
            else:
                self._due[fault.n].append(fault)
        self._way = _Way()
        self._index = 0
        self._sent_bytes = 0

    def pass_on(self, fragment: bytes) -> Passage:
        """What becomes of the next fragment."""
        index, self._index = self._index, self._index + 1
        self._sent_bytes += len(fragment)
        passage = self._way.pass_on(fragment, self._due.pop(index, ()))
        if self._last_byte is None or self._sent_bytes < self._last_byte:
            return passage
        arrivals = passage.arrivals if self._sent_bytes == self._last_byte else ()
        return Passage(arrivals, passage.stall_s, disconnects=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """The chance of each fault for each fragment; `stall` waits `stall_s` seconds."""

    drop: float = 0.0
    duplicate: float = 0.0
    recut: float = 0.0
    corrupt: float = 0.0
    swap: float = 0.0
    stall: float = 0.0
    stall_s: float = 1.0


class RandomFaults:
    """Faults by chance; the same seed and the same fragments give the same faults."""

    def __init__(self, random: Random, rates: Rates) -> None:
        self._random = random
        self._rates = rates
        self._way = _Way()

    def pass_on(self, fragment: bytes) -> Passage:
        """What becomes of the next fragment."""
        return self._way.pass_on(fragment, list(self._due(len(fragment))))

    def _due(self, length_bytes: int) -> Iterable[Fault]:
        rates, draw = self._rates, self._random.random
        cut_at, bit = int(draw() * length_bytes), int(draw() * length_bytes * 8)
        chances: tuple[tuple[float, Fault], ...] = (
            (rates.corrupt, Corrupt(0, bit)),
            (rates.recut, Recut(0, cut_at)),
            (rates.duplicate, Duplicate(0)),
            (rates.drop, Drop(0)),
            (rates.swap, Swap(0)),
            (rates.stall, Stall(0, rates.stall_s)),
        )
        return (fault for chance, fault in chances if draw() < chance)
