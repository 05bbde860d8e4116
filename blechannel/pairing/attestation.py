"""Who a side is: a certificate chain, and a signature that ties it to one handshake and one role.

The signature covers the final handshake hash, never the chaining key, so that it is worth nothing in any other run,
and the role, so that it is worth nothing when it is sent back.
"""

from __future__ import annotations

import hashlib
from typing import Final, Protocol

from blechannel import codec
from blechannel.codec import REST, blobs, on_air
from blechannel.errors import LocalProtocolError, MalformedFrame
from blechannel.pairing.certificates import (
    MAX_CERTIFICATE_BYTES,
    MAX_CHAIN,
    Subject,
    check_signature,
    p256_certificate,
    p256_key,
)
from blechannel.roles import Role
from blechannel.values import dataclass

ATTEST_LABEL: Final = b"blechannel/1 attest"
HASH_BYTES: Final = 32
MAX_SIGNATURE_BYTES: Final = 72
"""Two 32-byte integers in DER, each with a sign byte."""
MAX_ATTESTATION_BYTES: Final = 6144

_ROLE_NUMBERS: Final = {Role.PHONE: 1, Role.WATCH: 2}


class Identity(Protocol):
    """A private key and the certificates that speak for it."""

    @property
    def chain(self) -> tuple[bytes, ...]:
        """Certificates in DER, the own one (leaf) first, each signed by the next."""
        ...

    def sign(self, statement: bytes) -> bytes:
        """ECDSA P-256 with SHA-256 over `statement`, in DER, by the leaf's key."""
        ...


class Verifier(Protocol):
    """Decides whom a chain names, and whether that one is expected."""

    def verify(self, chain: tuple[bytes, ...], *, at_s: float) -> Subject:
        """The subject of `chain` at `at_s`, in seconds of Unix time.

        Raises:
            AuthenticationFailed: for every reason alike.
        """
        ...


@dataclass(frozen=True, slots=True)
class Attestation:
    """A chain and a signature, as they travel inside a record; at most `MAX_ATTESTATION_BYTES`."""

    chain: tuple[bytes, ...] = on_air(blobs(MAX_CHAIN, MAX_CERTIFICATE_BYTES), "certificates in DER, the own one first")
    signature: bytes = on_air(REST, "ECDSA in DER over label ‖ role ‖ h ‖ SHA-256(own certificate)")

    def encode(self) -> bytes:
        """The bytes.

        Raises:
            LocalProtocolError: over a limit.
        """
        data = codec.encode(self)
        if len(data) > MAX_ATTESTATION_BYTES:
            raise LocalProtocolError(f"this chain takes {len(data)} bytes of {MAX_ATTESTATION_BYTES}; shorten it")
        return data

    @classmethod
    def decode(cls, data: bytes) -> Attestation:
        """Read what a peer sent; nothing is verified yet.

        Raises:
            MalformedFrame: these bytes are no attestation, or over a limit.
        """
        if len(data) > MAX_ATTESTATION_BYTES:
            raise MalformedFrame(f"an attestation over {MAX_ATTESTATION_BYTES} bytes")
        read = codec.decode(cls, data)
        if not read.chain or not 0 < len(read.signature) <= MAX_SIGNATURE_BYTES:
            raise MalformedFrame("an attestation without a certificate, or whose signature has no possible length")
        return read


def statement(role: Role, handshake_hash: bytes, leaf: bytes) -> bytes:
    """What the side that plays `role` signs: label ‖ u8 role (phone 1, watch 2) ‖ h (32) ‖ SHA-256(leaf).

    Raises:
        LocalProtocolError: `handshake_hash` has not 32 bytes.
    """
    if len(handshake_hash) != HASH_BYTES:
        raise LocalProtocolError(f"a handshake hash has {HASH_BYTES} bytes, not {len(handshake_hash)}")
    return ATTEST_LABEL + bytes([_ROLE_NUMBERS[role]]) + handshake_hash + hashlib.sha256(leaf).digest()


def attest(identity: Identity, *, role: Role, handshake_hash: bytes) -> Attestation:
    """Speak for this side of the handshake whose final hash this is.

    Raises:
        LocalProtocolError: the hash has not 32 bytes, or the identity has no certificate.
    """
    if not identity.chain:
        raise LocalProtocolError("an identity has at least its own certificate")
    signature = identity.sign(statement(role, handshake_hash, identity.chain[0]))
    return Attestation(identity.chain, signature)


def check(attestation: Attestation, verifier: Verifier, *, role: Role, handshake_hash: bytes, at_s: float) -> Subject:
    """Whom the peer, which plays `role`, has shown to be in this handshake.

    `at_s` is Unix time in seconds, or on a side without a clock a moment that has certainly passed.

    Raises:
        AuthenticationFailed: the verifier refused the chain, or the signature is not the leaf's over this statement.
        LocalProtocolError: the hash has not 32 bytes.
    """
    subject = verifier.verify(attestation.chain, at_s=at_s)
    leaf = attestation.chain[0]
    key = p256_key(p256_certificate(leaf))
    check_signature(key, attestation.signature, statement(role, handshake_hash, leaf))
    return subject
