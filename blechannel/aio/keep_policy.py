"""How long a kept watch waits between tries, and which errors end the keeping."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from blechannel.errors import (
    BlechannelError,
    BondSuperseded,
    LocalProtocolError,
    PairingRefused,
    RemoteProtocolError,
    ReplayDetected,
    StoreError,
    TransportError,
    TransportGone,
)
from blechannel.values import dataclass

_RANDOM_BYTES: Final = 7
_RANDOM_VALUES: Final = 1 << (8 * _RANDOM_BYTES)

_PASSING: Final = (TransportError, RemoteProtocolError, PairingRefused, BondSuperseded, StoreError)
_FINAL: Final = (TransportGone, ReplayDetected)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepPolicy:
    """Back-off between tries, in seconds of the loop's clock.

    Before try n of those that failed in a row (from 0) the wait is at most min(most_s, first_s · factorⁿ), of which
    the share `jitter` is drawn at random: 1 is "full jitter", so that watches lost together do not come back together.

    Raises:
        LocalProtocolError: numbers that make no sense.
    """

    first_s: float = 0.5
    most_s: float = 60.0
    factor: float = 2.0
    jitter: float = 1.0
    """The share of each wait that is random, 0 to 1."""
    steady_s: float = 10.0
    """A channel that stood for so long makes the next wait a first one again."""
    give_up_after_s: float | None = None
    """Since there was a channel last, or since the beginning; None for never."""

    def __post_init__(self) -> None:
        waits = (self.first_s, self.most_s, self.steady_s, self.factor, self.give_up_after_s or 0.0)
        if not all(map(math.isfinite, waits)) or not 0 < self.first_s <= self.most_s or self.factor < 1:
            raise LocalProtocolError("waits grow from first_s, above 0, to most_s, by a factor of 1 or more")
        if not 0 <= self.jitter <= 1:
            raise LocalProtocolError("jitter is a share, 0 to 1")
        if self.steady_s < 0 or (self.give_up_after_s is not None and self.give_up_after_s <= 0):
            raise LocalProtocolError("steady_s is 0 or more, and give_up_after_s more than 0")

    def wait_s(self, failed: int, random: Callable[[int], bytes]) -> float:
        """How long to wait after `failed` tries in a row, with uniform bytes from `random`."""
        try:
            most_s = min(self.most_s, self.first_s * self.factor**failed)
        except OverflowError:
            most_s = self.most_s
        share = int.from_bytes(random(_RANDOM_BYTES)) / _RANDOM_VALUES
        return most_s * (1 - self.jitter * share)


def may_pass(error: BlechannelError) -> bool:
    """Whether another try may mend it.

    =========================================  =====  ==========================================================
    error                                      again  because
    =========================================  =====  ==========================================================
    TransportError, LinkLost, WatchNotFound    yes    radios come and go
    PairingRefused, "not-recognised" above all yes    nobody signed it: whoever is near can say it; the bond stays
    RemoteProtocolError: AuthenticationFailed, yes    before the channel stands, whoever is near can cause them
    MalformedFrame, UnsupportedVersion, ...
    PeerTimedOut                               yes    the watch may be busy
    BondSuperseded, while the bond is there    yes    another session of this phone took over, and may end
    StoreError                                 yes    a full disk may get room
    TransportGone                              no     this adapter will never work again: open another transport
    ReplayDetected, or the bond's mark         no     signed evidence of a copy: forget the bond and pair again
    "copied"
    BondNotFound                               no     there is nothing to connect with: pair
    LocalProtocolError and all others          no     this program's mistake
    =========================================  =====  ==========================================================
    """
    return isinstance(error, _PASSING) and not isinstance(error, _FINAL)


def check_usable(bond_id: bytes, *, copied_s: float | None) -> None:
    """Raises:
    ReplayDetected: the bond was copied, its watch said.
    """
    if copied_s is not None:
        advice = "forget it on both sides and pair again"
        raise ReplayDetected(f"bond {bond_id.hex()[:8]} was copied, its watch says: {advice}", bond_id=bond_id)
