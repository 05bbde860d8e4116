"""When things happened: round trips a layer, intervals declared and observed, goodput.

On HCI the clock is the host's, on the air the sniffer's; what a host's queue adds cannot be told from the air.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from typing import Final

from blechannel.roles import Role
from blechannel.wire.frames import Data
from blechannel_capture import att
from blechannel_capture.channel.events import ChannelFrame, HandshakeVerified
from blechannel_capture.events import AttPdu, Connection, Event, Side

KEPT: Final = 100_000
"""Samples of each kind and connection; the oldest go first."""
_RESPONSE_OF: Final = {
    att.EXCHANGE_MTU_REQUEST: att.EXCHANGE_MTU_RESPONSE,
    att.FIND_INFORMATION_REQUEST: att.FIND_INFORMATION_RESPONSE,
    att.FIND_BY_TYPE_VALUE_REQUEST: att.FIND_BY_TYPE_VALUE_RESPONSE,
    att.READ_BY_TYPE_REQUEST: att.READ_BY_TYPE_RESPONSE,
    att.READ_REQUEST: att.READ_RESPONSE,
    att.READ_BLOB_REQUEST: att.READ_BLOB_RESPONSE,
    att.READ_MULTIPLE_REQUEST: att.READ_MULTIPLE_RESPONSE,
    att.READ_BY_GROUP_TYPE_REQUEST: att.READ_BY_GROUP_TYPE_RESPONSE,
    att.WRITE_REQUEST: att.WRITE_RESPONSE,
    att.PREPARE_WRITE_REQUEST: att.PREPARE_WRITE_RESPONSE,
    att.EXECUTE_WRITE_REQUEST: att.EXECUTE_WRITE_RESPONSE,
    att.INDICATION: att.CONFIRMATION,
}


def _samples() -> deque[int]:
    return deque(maxlen=KEPT)


@dataclass(slots=True)
class Stretch:
    """Bytes over a time."""

    count: int = 0
    bytes: int = 0
    first_ns: int = 0
    last_ns: int = 0

    def add(self, length: int, time_ns: int) -> None:
        """One more."""
        if not self.count:
            self.first_ns = time_ns
        self.count += 1
        self.bytes += length
        self.last_ns = time_ns

    @property
    def bytes_per_s(self) -> float:
        """0 where there are fewer than two."""
        took_ns = self.last_ns - self.first_ns
        return self.bytes * 1e9 / took_ns if took_ns > 0 else 0.0


@dataclass(slots=True)
class LinkTiming:
    """One connection's times, in nanoseconds."""

    connection: Connection
    att_round_trips_ns: deque[int] = field(default_factory=_samples)
    handshake_ns: int | None = None
    """From INFO to the last handshake message."""
    handshake_round_trips: int = 0
    """How often the turn went to the watch and came back, from the phone's first message to the verified end."""
    values: dict[Side, Stretch] = field(default_factory=lambda: {side: Stretch() for side in Side})
    """What ATT carried in writes and notifications, each way."""
    messages: dict[Role, Stretch] = field(default_factory=lambda: {role: Stretch() for role in Role})
    """What the channel carried, each way; only with the keys."""
    observed_ns: deque[int] = field(default_factory=_samples)
    """From one packet of the central to its next in another connection event, as far as the capture shows."""

    @property
    def observed_interval_ms(self) -> float | None:
        """The smallest step in which packets come, where there are enough to tell."""
        steps = [each for each in self.observed_ns if each > 2_000_000]
        return median(sorted(steps)[: max(1, len(steps) // 4)]) / 1e6 if len(steps) >= 8 else None


class Timing:
    """Feed every event."""

    def __init__(self) -> None:
        self.links: dict[int, LinkTiming] = {}
        self._requests: dict[tuple[int, Side], AttPdu] = {}
        self._info_ns: dict[int, int] = {}
        self._turns: dict[int, list[Role]] = {}
        self._last_ns: dict[int, int] = {}

    def look(self, event: Event) -> None:
        """Take its time."""
        if type(event) is AttPdu:
            self._att(event)
        elif isinstance(event, ChannelFrame):
            self._frame(event)
        elif isinstance(event, HandshakeVerified):
            link, number = self._link(event.connection), event.connection.number
            link.handshake_ns = event.time_ns - self._info_ns.get(number, event.time_ns)
            turns = self._turns.get(number, [])
            link.handshake_round_trips = sum(
                1 for one, two in pairwise(turns) if (one, two) == (Role.PHONE, Role.WATCH)
            )

    def _link(self, connection: Connection) -> LinkTiming:
        return self.links.setdefault(connection.number, LinkTiming(connection))

    def _att(self, pdu: AttPdu) -> None:
        link, number = self._link(pdu.connection), pdu.connection.number
        if pdu.sender is not Side.PERIPHERAL:
            if number in self._last_ns:
                link.observed_ns.append(pdu.time_ns - self._last_ns[number])
            self._last_ns[number] = pdu.time_ns
        if pdu.opcode in _RESPONSE_OF:
            self._requests[number, pdu.sender] = pdu
        elif (asked := self._requests.get((number, pdu.sender.other))) is not None and (
            pdu.opcode in (_RESPONSE_OF[asked.opcode], att.ERROR_RESPONSE)
        ):
            del self._requests[number, pdu.sender.other]
            link.att_round_trips_ns.append(pdu.time_ns - asked.time_ns)
        if pdu.opcode in (att.NOTIFICATION, att.WRITE_COMMAND, att.WRITE_REQUEST, att.INDICATION):
            link.values[pdu.sender].add(len(pdu.value), pdu.time_ns)

    def _frame(self, event: ChannelFrame) -> None:
        number = event.connection.number
        turns = self._turns.setdefault(number, [])
        if event.name == "Info":
            self._info_ns[number] = event.time_ns
        elif len(turns) < 16 and (not turns or turns[-1] is not event.sender):
            turns.append(event.sender)
        if isinstance(event.body, Data):
            self._link(event.connection).messages[event.sender].add(len(event.body.message), event.time_ns)
