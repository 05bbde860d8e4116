"""How long Bluetooth LE takes to carry bytes: packets, exchanges and connection events, as pure arithmetic.

Core Specification, volume 6, part B: packet format 2.1, inter-frame space 4.1, connection events 4.5. Figures
for 244-byte values on an encrypted link, one way: 97.6 kB/s on the 1M PHY; 162.7 (interval 7.5 or 15 ms) and
170.8 kB/s (30 or 50 ms) on the 2M PHY.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from blechannel.errors import LocalProtocolError
from blechannel.gatt import ATT_HEADER_BYTES

MAX_PACKET_BYTES = 251
"""The longest link-layer payload, with the data length extension."""
L2CAP_HEADER_BYTES = 4
INTER_FRAME_US = 150.0

MTU_EXCHANGE_INTERVALS = 2
DISCOVERY_INTERVALS = 12
SUBSCRIBE_INTERVALS = 4

_ACCESS_ADDRESS_AND_HEADER_BYTES = 6
_CRC_BYTES = 3
_MIC_BYTES = 4
_RATE_MBIT_S = {"1M": 1, "2M": 2}
_PREAMBLE_BYTES = {"1M": 1, "2M": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class AirTime:
    """The terms of one connection.

    Raises:
        LocalProtocolError: a number is outside what Bluetooth LE allows.
    """

    interval_s: float = 0.03
    """Connection interval: 7.5 ms to 4 s."""
    phy: Literal["1M", "2M"] = "1M"
    encrypted: bool = False
    """Whether the link layer adds its 4-byte check to each packet."""
    loss: float = 0.0
    """Chance that an exchange fails. It is repeated by the link layer: loss is delay, never a gap."""
    supervision_timeout_s: float = 4.0
    """Of failed exchanges alone, after which the connection is given up."""
    reserve_s: float = 0.0
    """Unused end of each interval: 0 is the physical limit, 0.6 ms + 1.5 % of the interval a common stack."""

    def __post_init__(self) -> None:
        if self.phy not in _RATE_MBIT_S:
            raise LocalProtocolError(f"no such PHY: {self.phy!r}")
        if not 0.0075 <= self.interval_s <= 4.0:
            raise LocalProtocolError("a connection interval is 7.5 ms to 4 s")
        if not 0.0 <= self.loss <= 1.0:
            raise LocalProtocolError("loss is a chance, from 0 to 1")
        if not 0.1 <= self.supervision_timeout_s <= 32.0:
            raise LocalProtocolError("a supervision time-out is 100 ms to 32 s")
        if not 0.0 <= self.reserve_s < self.interval_s:
            raise LocalProtocolError("the reserve is a part of the interval")

    @property
    def budget_us(self) -> float:
        """What one connection event may take, in µs."""
        # A hair more, so that 0.03 s is 30,000 µs whatever its binary fraction says.
        return (self.interval_s - self.reserve_s) * 1e6 + 1e-3

    @property
    def setup_s(self) -> float:
        """From a new connection to a subscribed outbox: MTU exchange, full discovery, subscription."""
        return (MTU_EXCHANGE_INTERVALS + DISCOVERY_INTERVALS + SUBSCRIBE_INTERVALS) * self.interval_s


def packet_us(air_time: AirTime, payload_bytes: int) -> float:
    """Time on the air of one link-layer packet, in µs; 0 bytes is the empty packet that acknowledges."""
    check_bytes = _MIC_BYTES if air_time.encrypted and payload_bytes else 0
    around_bytes = _PREAMBLE_BYTES[air_time.phy] + _ACCESS_ADDRESS_AND_HEADER_BYTES + _CRC_BYTES
    return 8 / _RATE_MBIT_S[air_time.phy] * (around_bytes + payload_bytes + check_bytes)


def exchange_us(air_time: AirTime, central_bytes: int, peripheral_bytes: int = 0) -> float:
    """One packet each way with the pauses after them, in µs."""
    both = packet_us(air_time, central_bytes) + packet_us(air_time, peripheral_bytes)
    return both + 2 * INTER_FRAME_US


def packets(value_bytes: int) -> Iterator[int]:
    """The link-layer payloads that carry one GATT value with its ATT and L2CAP headers, in order."""
    left_bytes = value_bytes + ATT_HEADER_BYTES + L2CAP_HEADER_BYTES
    while left_bytes > MAX_PACKET_BYTES:
        yield MAX_PACKET_BYTES
        left_bytes -= MAX_PACKET_BYTES
    yield left_bytes


def exchanges_per_interval(air_time: AirTime, value_bytes: int) -> int:
    """How many values of one packet fit a connection event, one way."""
    (packet_bytes,) = packets(value_bytes)
    return int(air_time.budget_us // exchange_us(air_time, packet_bytes))


def goodput_bytes_per_s(air_time: AirTime, value_bytes: int) -> float:
    """What values of one packet carry one way on a link that loses nothing."""
    return exchanges_per_interval(air_time, value_bytes) * value_bytes / air_time.interval_s
