"""How a side proves who it is beside the pairing's own secret, and whom it believes (protocol, "Certificates")."""

from __future__ import annotations

from collections.abc import Callable

from blechannel.errors import LocalProtocolError
from blechannel.pairing.attestation import Attestation, Identity, Verifier, attest, check
from blechannel.roles import Role
from blechannel.values import dataclass


def _no_clock() -> float | None:
    return None


@dataclass(frozen=True, slots=True)
class Credentials:
    """This side's certificate, and its list of the peers that it takes; either may be missing."""

    identity: Identity | None = None
    verifier: Verifier | None = None
    unix_time: Callable[[], float | None] = _no_clock
    """Seconds since 1970; None where there is no clock."""

    def require_both(self) -> None:
        """Raises LocalProtocolError when this side could not take part in a pairing by certificates alone."""
        if self.identity is None or self.verifier is None:
            raise LocalProtocolError("pairing by certificate needs an identity and a list of those to believe")

    def present(self, role: Role, handshake_hash: bytes) -> bytes:
        """This side's Attestation, encoded; nothing where it has no certificate."""
        if self.identity is None:
            return b""
        return attest(self.identity, role=role, handshake_hash=handshake_hash).encode()

    def verify(self, peer: Role, handshake_hash: bytes, shown: bytes, *, floor_s: float) -> bytes:
        """SHA-256 of the peer's leaf certificate, empty where none was shown or there is nobody to ask.

        `floor_s` is the latest moment that this side is sure to be past, for a device without a clock.

        Raises:
            MalformedFrame: no Attestation.
            AuthenticationFailed: one that is not to be believed.
        """
        if not shown:
            return b""
        attestation = Attestation.decode(shown)
        if self.verifier is None:
            return b""
        now_s = self.unix_time()
        at_s = floor_s if now_s is None else max(now_s, floor_s)
        subject = check(attestation, self.verifier, role=peer, handshake_hash=handshake_hash, at_s=at_s)
        return subject.leaf_sha256
