"""What a simulated connection is like."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from blechannel.gatt import ATT_HEADER_BYTES, MAX_ATTRIBUTE_BYTES
from blechannel.transports.airtime import AirTime, Phy
from blechannel.transports.loopback import LoopbackLink, loopback_pair
from blechannel.transports.loopback.link import DEFAULT_CAPACITY


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """One row of the table. The link layer encrypts, as it mostly does; the channel does not depend on it."""

    phy: Phy = "2M"
    interval_ms: float = 30.0
    loss_percent: float = 0.0
    mtu_bytes: int = 247
    handles_known: bool = False

    @property
    def air_time(self) -> AirTime:
        """The terms as the link layer has them."""
        interval_s = self.interval_ms / 1000
        return AirTime(
            phy=self.phy,
            interval_s=interval_s,
            loss=self.loss_percent / 100,
            encrypted=True,
            # Some events must fit in, even where they are seconds apart.
            supervision_timeout_s=min(32.0, max(4.0, 6 * interval_s)),
            handles_known=self.handles_known,
        )

    @property
    def interval_s(self) -> float:
        """The connection interval."""
        return self.interval_ms / 1000

    @property
    def value_bytes(self) -> int:
        """The longest GATT value."""
        return min(self.mtu_bytes - ATT_HEADER_BYTES, MAX_ATTRIBUTE_BYTES)

    def link(self, random: Random, *, capacity: int = DEFAULT_CAPACITY) -> tuple[LoopbackLink, LoopbackLink]:
        """A new connection on these terms, phone's end first."""
        return loopback_pair(
            phone_max_fragment_bytes=self.value_bytes,
            watch_max_fragment_bytes=self.value_bytes,
            capacity=capacity,
            air_time=self.air_time,
            random=random,
        )
