"""Two captures of one session, matched by what was said."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from blechannel_capture.aligning import aligned
from blechannel_capture.events import AttPdu, Event, Side
from blechannel_capture.words import in_words


@dataclass(frozen=True, slots=True)
class Compared:
    """What both have, and what only one has."""

    common: int
    offset_ns: int
    """How much later the second clock shows the same thing: the median."""
    spread_ns: int
    """The median distance from that."""
    only_first: list[tuple[int, str]]
    """Packet and words."""
    only_second: list[tuple[int, str]]

    @property
    def is_same(self) -> bool:
        """Whether nothing is in one of them only."""
        return not self.only_first and not self.only_second


def compare(first: Iterable[Event], second: Iterable[Event]) -> Compared:
    """Match the ATT PDUs of two captures by sender, opcode, handle and value, each sender's in order.

    How two senders' PDUs interleave depends on where one listens, and is no difference.
    """
    ones, twos = _by_sender(first), _by_sender(second)
    offsets, only_first, only_second = list[int](), list[AttPdu](), list[AttPdu]()
    for sender in ones.keys() | twos.keys():
        one, two = ones.get(sender, []), twos.get(sender, [])
        pairs = list(aligned([_key(pdu) for pdu in one], [_key(pdu) for pdu in two]))
        offsets += [two[b].time_ns - one[a].time_ns for a, b in pairs]
        matched, counterparts = {a for a, _ in pairs}, {b for _, b in pairs}
        only_first += [pdu for at, pdu in enumerate(one) if at not in matched]
        only_second += [pdu for at, pdu in enumerate(two) if at not in counterparts]
    offset_ns = int(median(offsets)) if offsets else 0
    spread_ns = int(median(abs(each - offset_ns) for each in offsets)) if offsets else 0
    return Compared(len(offsets), offset_ns, spread_ns, _shown(only_first), _shown(only_second))


def _by_sender(events: Iterable[Event]) -> dict[Side, list[AttPdu]]:
    found: dict[Side, list[AttPdu]] = {}
    for event in events:
        if type(event) is AttPdu:
            found.setdefault(event.sender, []).append(event)
    return found


def _key(pdu: AttPdu) -> tuple[int, int, bytes]:
    return pdu.opcode, pdu.handle, pdu.value


def _shown(pdus: list[AttPdu]) -> list[tuple[int, str]]:
    return [(pdu.packet, in_words(pdu)) for pdu in sorted(pdus, key=lambda pdu: pdu.packet)]
