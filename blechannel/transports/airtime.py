"""How long Bluetooth LE takes to carry bytes: packets, exchanges and connection events, as pure arithmetic.

Core Specification, volume 6, part B: packet formats 2.1 and 2.2, inter-frame space 4.1, connection events 4.5. Figures
for 244-byte values on an encrypted link, one way: 97.6 kB/s on the 1M PHY; 162.7 (interval 7.5 or 15 ms) and
170.8 kB/s (30 or 50 ms) on the 2M PHY.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from blechannel.errors import LocalProtocolError
from blechannel.gatt import ATT_HEADER_BYTES
from blechannel.values import dataclass

Phy = Literal["1M", "2M", "coded-S2", "coded-S8"]

MIN_INTERVAL_S, MAX_INTERVAL_S = 0.0075, 4.0
MAX_PACKET_BYTES = 251
"""The longest link-layer payload, with the data length extension."""
MIN_PACKET_BYTES = 27
"""What every controller carries in one packet."""
L2CAP_HEADER_BYTES = 4
VALUE_HEADER_BYTES = ATT_HEADER_BYTES + L2CAP_HEADER_BYTES
"""What a write or a notification costs beside its value."""
INTER_FRAME_US = 150.0

MTU_REQUESTS = 1
DISCOVERY_REQUESTS = 6
"""The service, its characteristics and their descriptors."""
SUBSCRIBE_REQUESTS = 2
"""The outbox's configuration is found, then written; where it is known, one less."""

_HEADER_BYTES = 2
_CRC_BYTES = 3
_MIC_BYTES = 4


@dataclass(frozen=True, slots=True)
class _Coding:
    """What a packet of `n` bytes costs on a PHY: `around_us + n * byte_us`."""

    around_us: float
    """Preamble and access address; on the coded PHY also the coding indicator and both terminators."""
    byte_us: float


_CODING: dict[str, _Coding] = {
    "1M": _Coding(8.0 * (1 + 4), 8.0),
    "2M": _Coding(4.0 * (2 + 4), 4.0),
    "coded-S2": _Coding(80.0 + 256.0 + 16.0 + 24.0 + 3 * 2.0, 16.0),
    "coded-S8": _Coding(80.0 + 256.0 + 16.0 + 24.0 + 3 * 8.0, 64.0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AirTime:
    """The terms of one connection.

    Raises:
        LocalProtocolError: a number is outside what Bluetooth LE allows.
    """

    interval_s: float = 0.03
    """Connection interval: 7.5 ms to 4 s."""
    phy: Phy = "1M"
    encrypted: bool = False
    """Whether the link layer adds its 4-byte check to each packet."""
    loss: float = 0.0
    """Chance that an exchange fails. It is repeated by the link layer: loss is delay, never a gap."""
    supervision_timeout_s: float = 4.0
    """Of failed exchanges alone, after which the connection is given up."""
    reserve_s: float = 0.0
    """Unused end of each interval: 0 is the physical limit, 0.6 ms + 1.5 % of the interval a common stack."""
    handles_known: bool = False
    """Whether the phone remembers the service's handles, as phones do of devices that they have seen."""

    def __post_init__(self) -> None:
        if self.phy not in _CODING:
            raise LocalProtocolError(f"no such PHY: {self.phy!r} (there are {', '.join(_CODING)})")
        if not MIN_INTERVAL_S <= self.interval_s <= MAX_INTERVAL_S:
            raise LocalProtocolError("a connection interval is 7.5 ms to 4 s")
        if not 0.0 <= self.loss <= 1.0:
            raise LocalProtocolError("loss is a chance, from 0 to 1")
        if not 0.1 <= self.supervision_timeout_s <= 32.0:
            raise LocalProtocolError("a supervision time-out is 100 ms to 32 s")
        if self.reserve_s < 0.0 or exchange_us(self, MIN_PACKET_BYTES, MIN_PACKET_BYTES) > self.budget_us:
            raise LocalProtocolError("the reserve leaves room for one exchange in each interval")

    @property
    def budget_us(self) -> float:
        """What one connection event may take, in µs."""
        # A hair more, so that 0.03 s is 30,000 µs whatever its binary fraction says.
        return (self.interval_s - self.reserve_s) * 1e6 + 1e-3

    @property
    def max_packet_bytes(self) -> int:
        """The longest payload of which one each way fits an event: slow PHYs at short intervals carry less than 251."""
        coding = _CODING[self.phy]
        empty_us = exchange_us(self, 0) + 2 * coding.byte_us * (_MIC_BYTES if self.encrypted else 0)
        return min(MAX_PACKET_BYTES, int((self.budget_us - empty_us) / (2 * coding.byte_us)))

    @property
    def set_up_requests(self) -> int:
        """Questions that a phone asks on a new connection: MTU exchange, discovery, subscription."""
        return MTU_REQUESTS + (1 if self.handles_known else DISCOVERY_REQUESTS + SUBSCRIBE_REQUESTS)


def packet_us(air_time: AirTime, payload_bytes: int) -> float:
    """Time on the air of one link-layer packet, in µs; 0 bytes is the empty packet that acknowledges."""
    coding = _CODING[air_time.phy]
    check_bytes = _MIC_BYTES if air_time.encrypted and payload_bytes else 0
    return coding.around_us + coding.byte_us * (_HEADER_BYTES + payload_bytes + check_bytes + _CRC_BYTES)


def exchange_us(air_time: AirTime, central_bytes: int, peripheral_bytes: int = 0) -> float:
    """One packet each way with the pauses after them, in µs."""
    both = packet_us(air_time, central_bytes) + packet_us(air_time, peripheral_bytes)
    return both + 2 * INTER_FRAME_US


def packets(length_bytes: int, max_packet_bytes: int = MAX_PACKET_BYTES) -> Iterator[int]:
    """The link-layer payloads that carry `length_bytes`, headers of L2CAP and above included, in order."""
    left_bytes = length_bytes
    while left_bytes > max_packet_bytes:
        yield max_packet_bytes
        left_bytes -= max_packet_bytes
    yield left_bytes


def goodput_bytes_per_s(air_time: AirTime, value_bytes: int, *, both_ways: bool = False) -> float:
    """The physical limit: what back-to-back values of this length carry in each direction on a link that loses nothing.

    With `both_ways` the two directions share the events evenly; otherwise one of them sends empty packets alone.
    """
    lengths = list(packets(value_bytes + VALUE_HEADER_BYTES, air_time.max_packet_bytes))
    events = carried = 0
    # An event may end within a value. Once one begins where an earlier one began, everything repeats.
    began: dict[int, tuple[int, int]] = {}
    while (place := carried % len(lengths)) not in began:
        began[place] = (events, carried)
        carried += _packets_in_event(air_time, [*lengths[place:], *lengths[:place]], both_ways)
        events += 1
    first_event, first_packet = began[place]
    values = (carried - first_packet) / len(lengths)
    return values * value_bytes / ((events - first_event) * air_time.interval_s)


def _packets_in_event(air_time: AirTime, lengths: Sequence[int], both_ways: bool) -> int:
    """How many packets of these lengths, over and over, one event carries in a direction."""
    each_us = [exchange_us(air_time, length, length if both_ways else 0) for length in lengths]
    count, used_us = 0, each_us[0]
    while used_us <= air_time.budget_us:
        count += 1
        used_us += each_us[count % len(each_us)]
    return count
