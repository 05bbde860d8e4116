"""What can be seen to be wrong with packets one after another: kept in part only, or out of time."""

from __future__ import annotations

from typing import Final

from blechannel_capture.containers.reading import Packets
from blechannel_capture.ledger import Damage, Ledger
from blechannel_capture.packet import Packet

BACKWARD_NS: Final = 1_000_000_000
"""Several interfaces, or a controller and its host, may be that much out of order."""
FORWARD_NS: Final = 24 * 3600 * 1_000_000_000
"""A silence that long is likelier to be a clock that was set."""

MAX_TIME_NS: Final = (1 << 63) - 1
"""In the year 2262, up to which every format that is written can say a time."""


def checked(packets: Packets, ledger: Ledger) -> Packets:
    """The same packets; what is wrong with them is entered."""
    before_ns = 0
    for packet in packets:
        if packet.missing_bytes:
            detail = f"{packet.missing_bytes:,} bytes were not kept"
            ledger.note(Damage.SNAPPED, detail, packet=packet.number, offset=packet.offset)
        time_ns = packet.time_ns
        if not 0 <= time_ns <= MAX_TIME_NS:
            detail = f"{time_ns / 1e9:,.0f} s since 1970 are no time"
            ledger.note(Damage.TIME_JUMP, detail, packet=packet.number, offset=packet.offset)
            packet.time_ns = time_ns = min(max(time_ns, 0), MAX_TIME_NS)
        if not -BACKWARD_NS <= time_ns - before_ns <= FORWARD_NS and before_ns and time_ns:
            _jump(packet, time_ns - before_ns, ledger)
        before_ns = time_ns
        yield packet


def _jump(packet: Packet, by_ns: int, ledger: Ledger) -> None:
    detail = f"{abs(by_ns) / 1e9:,.1f} s {'backward' if by_ns < 0 else 'forward'}"
    ledger.note(Damage.TIME_JUMP, detail, packet=packet.number, offset=packet.offset)
