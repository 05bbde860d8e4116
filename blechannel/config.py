"""What a person may choose, as frozen values; everything else follows from the protocol."""

from __future__ import annotations

from dataclasses import dataclass, field

from blechannel.errors import LocalProtocolError
from blechannel.limits import MAX_FRAME_BYTES, MAX_NAME_BYTES, MAX_PORT_NAME_BYTES, Limits, Patience, is_name


@dataclass(frozen=True, slots=True)
class Padding:
    """Plaintexts grow to a multiple of `block_bytes`, so that lengths on the air tell classes only; 1 switches it off.

    Raises:
        LocalProtocolError: the block is outside 1 to the longest frame.
    """

    block_bytes: int = 16

    def __post_init__(self) -> None:
        if not 1 <= self.block_bytes <= MAX_FRAME_BYTES:
            raise LocalProtocolError(f"block_bytes must be 1 to {MAX_FRAME_BYTES}")

    def extra_bytes(self, length_bytes: int, limit_bytes: int) -> int:
        """Zeros to add to `length_bytes` of plaintext; never beyond `limit_bytes`."""
        return min(-length_bytes % self.block_bytes, max(0, limit_bytes - length_bytes))


@dataclass(frozen=True, slots=True)
class Config:
    """One side's choices.

    Raises:
        LocalProtocolError: a name is empty, too long or no text.
    """

    name: str
    """What this side calls itself; shown to the peer's person once both are bonded, never before."""
    limits: Limits = field(default_factory=Limits)
    patience: Patience = field(default_factory=Patience)
    padding: Padding = field(default_factory=Padding)
    guest_ports: frozenset[str] = frozenset()
    """Watch: the ports that a phone which is not the owner's may use, where nobody chose for that phone."""
    key_log: bool = False
    """Whether sessions hand out their secrets for capture analysis."""

    def __post_init__(self) -> None:
        if not is_name(self.name, MAX_NAME_BYTES):
            raise LocalProtocolError(f"a name has 1 to {MAX_NAME_BYTES} bytes of UTF-8")
        if not all(is_name(port, MAX_PORT_NAME_BYTES) for port in self.guest_ports):
            raise LocalProtocolError(f"a port name has 1 to {MAX_PORT_NAME_BYTES} bytes of UTF-8")
