"""Every bound of the protocol, in one place. Both sides enforce the same numbers.

`Limits` is what a side may choose within these bounds; it travels in INFO (watch) and HELLO (phone).
"""

from __future__ import annotations

from blechannel.errors import LocalProtocolError
from blechannel.values import dataclass

MIN_FRAGMENT_BYTES = 20
"""The smallest value that any BLE link carries: ATT_MTU 23 less its 3-byte header."""
MAX_FRAGMENT_BYTES = 512
"""The largest attribute value."""

MIN_WINDOW = 2
MAX_WINDOW = 64
"""Fragments in flight; half of the sequence numbers, so that old and new never look alike."""
INITIAL_WINDOW = 4
"""Assumed for the peer until its INFO or HELLO has said otherwise."""

MIN_FRAME_BYTES = 512
"""Room for the longest handshake frame of the classical suite."""
MAX_FRAME_BYTES = 16384
HYBRID_FRAME_BYTES = 1280
"""Least that a side must take for the hybrid suite: its first two frames have 1273 and 1251 bytes."""

MAX_LINKS = 4
"""Links that a watch serves at once, and therefore candidates that a bond keeps (protocol, "Reconnect")."""
RETIRED_HINT_KEYS = 4 * MAX_LINKS
"""Those of the last 4 epochs that a watch left, and of all candidates that it may have dropped with each."""
MAX_BONDS = 16
"""Of a watch."""
MAX_PHONE_BONDS = 4096
"""Of a phone, or of the host that is the phone of many watches."""
MAX_PENDING = 4
"""Bonds that a phone keeps though no watch has confirmed them: what pairings leave that were cut off."""
MAX_NAME_BYTES = 48

PORT_WINDOW_BYTES = 65536
"""Unread bytes that a port holds before its sender waits."""
MAX_PORTS = 16
MAX_PORT_NAME_BYTES = 32
MAX_PERMITTED_PORTS = 64
"""Ports that a guest can be allowed by name."""


def is_name(name: str, max_bytes: int) -> bool:
    """Whether `name` has 1 to `max_bytes` bytes of UTF-8; lone surrogates have none."""
    try:
        return 0 < len(name.encode()) <= max_bytes
    except UnicodeEncodeError:
        return False


@dataclass(frozen=True, slots=True)
class Limits:
    """What this side is willing to receive.

    Raises:
        LocalProtocolError: a number is outside the bounds above.
    """

    max_frame_bytes: int = 8192
    window: int = MAX_WINDOW

    def __post_init__(self) -> None:
        if not MIN_FRAME_BYTES <= self.max_frame_bytes <= MAX_FRAME_BYTES:
            raise LocalProtocolError(f"max_frame_bytes must be {MIN_FRAME_BYTES} to {MAX_FRAME_BYTES}")
        if not MIN_WINDOW <= self.window <= MAX_WINDOW:
            raise LocalProtocolError(f"window must be {MIN_WINDOW} to {MAX_WINDOW}")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long this side waits, in seconds of the injected monotonic clock."""

    handshake_s: float = 10.0
    """For the peer's next handshake frame."""
    person_s: float = 60.0
    """For a person to type a code, and for a phone that has not said what it wants."""
    frame_s: float = 10.0
    """From a frame's first fragment to its last."""
    stall_s: float = 12.0
    """For an acknowledgement while something is in flight."""
    keepalive_s: float = 20.0
    """Of silence before the peer is asked whether it is there."""
    close_s: float = 3.0
    """For the peer's CLOSE after ours."""
    park_s: float = 10.0
    """Without a message or other record before a channel comes down to its keys, which nobody notices; inf: never."""
