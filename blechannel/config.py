"""What a person may choose, as frozen values; everything else follows from the protocol."""

from __future__ import annotations

from dataclasses import field

from blechannel.errors import LocalProtocolError
from blechannel.limits import (
    HYBRID_FRAME_BYTES,
    MAX_FRAME_BYTES,
    MAX_NAME_BYTES,
    MAX_PORT_NAME_BYTES,
    Limits,
    Patience,
    is_name,
)
from blechannel.methods import Assurance, Method, Suite
from blechannel.values import dataclass


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What this side insists on, when it pairs and whenever a bond is used.

    Raises:
        LocalProtocolError: it allows nothing, or asks for hybrid keys and switches them off.
    """

    methods: frozenset[Method] = frozenset(Method)
    """Ways to pair that this side takes part in."""
    min_assurance: Assurance = Assurance.LISTED
    """What the pairing must have proved."""
    hybrid: bool = True
    """Whether ML-KEM-768 is offered and used beside X25519."""
    require_hybrid: bool = False
    """Whether nothing else will do."""
    require_attestation: bool = False
    """Whether the peer must show a certificate, whichever the method."""

    def __post_init__(self) -> None:
        if not any(map(self.allows, Method)):
            raise LocalProtocolError("this policy allows no way to pair")
        if self.require_hybrid and not self.hybrid:
            raise LocalProtocolError("hybrid keys are required and switched off")

    def allows(self, method: Method) -> bool:
        """Whether a bond may come from a pairing by this method. Words carry no certificates."""
        attests = method is not Method.WORDS or not self.require_attestation
        return method in self.methods and method.assurance >= self.min_assurance and attests

    def suites(self, limits: Limits) -> frozenset[Suite]:
        """What this side speaks; hybrid keys need longer frames than a small device may take."""
        if self.require_hybrid:
            return frozenset({Suite.HYBRID})
        if self.hybrid and limits.max_frame_bytes >= HYBRID_FRAME_BYTES:
            return frozenset(Suite)
        return frozenset({Suite.CLASSICAL})


@dataclass(frozen=True, slots=True)
class Config:
    """One side's choices.

    Raises:
        LocalProtocolError: a name is empty, too long or no text, or frames are too short for the keys required.
    """

    name: str
    """What this side calls itself; shown to the peer's person once both are bonded, never before."""
    limits: Limits = field(default_factory=Limits)
    patience: Patience = field(default_factory=Patience)
    padding: Padding = field(default_factory=Padding)
    policy: Policy = field(default_factory=Policy)
    guest_ports: frozenset[str] = frozenset()
    """Watch: the ports that a phone which is not the owner's may use, where nobody chose for that phone."""
    key_log: bool = False
    """Whether sessions hand out their secrets for capture analysis."""

    def __post_init__(self) -> None:
        if not is_name(self.name, MAX_NAME_BYTES):
            raise LocalProtocolError(f"a name has 1 to {MAX_NAME_BYTES} bytes of UTF-8")
        if not all(is_name(port, MAX_PORT_NAME_BYTES) for port in self.guest_ports):
            raise LocalProtocolError(f"a port name has 1 to {MAX_PORT_NAME_BYTES} bytes of UTF-8")
        if self.policy.require_hybrid and self.limits.max_frame_bytes < HYBRID_FRAME_BYTES:
            raise LocalProtocolError(f"hybrid keys need frames of {HYBRID_FRAME_BYTES} bytes")

    @property
    def suites(self) -> frozenset[Suite]:
        """What this side speaks."""
        return self.policy.suites(self.limits)
