"""Messages that only the cloud reads: sealed on the watch, opened by whoever holds the cloud's key.

HPKE (RFC 9180) in base mode with X25519, HKDF-SHA-256 and ChaCha20-Poly1305; the port is part of what is authenticated.
It says who may read, not who wrote: that a message comes from the watch follows from the channel, the gateway and the
broker's access rules. A relay can still drop messages, or repeat one under a number of its own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from blechannel_gateway.errors import ConfigError, SealBroken

SEAL_VERSION: Final = b"\x01"
OVERHEAD_BYTES: Final = 1 + 32 + 16
"""Version, encapsulated key, tag."""
_SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


class Seal:
    """The watch's half: the cloud's public key. `Seal.load` reads it from a PEM file."""

    def __init__(self, public_key: X25519PublicKey) -> None:
        self._public_key = public_key

    @classmethod
    def load(cls, pem: bytes) -> Seal:
        """Raises ConfigError unless it is an X25519 public key in PEM."""
        try:
            key = load_pem_public_key(pem)
        except ValueError as error:
            raise ConfigError(f"this is no public key in PEM ({error})") from error
        if not isinstance(key, X25519PublicKey):
            raise ConfigError("the cloud's key for sealing must be an X25519 key")
        return cls(key)

    def seal(self, message: bytes, *, port: str) -> bytes:
        """`OVERHEAD_BYTES` more than the message."""
        return SEAL_VERSION + _SUITE.encrypt(message, self._public_key, info=_info(port))


class CloudKey:
    """The cloud's half, which opens what was sealed."""

    def __init__(self, private_key: X25519PrivateKey) -> None:
        self._private_key = private_key

    def __repr__(self) -> str:
        return "CloudKey(…)"

    @classmethod
    def generate(cls) -> CloudKey:
        """A new one."""
        return cls(X25519PrivateKey.generate())

    @classmethod
    def load(cls, path: Path) -> CloudKey:
        """From a PEM file without a passphrase. Raises ConfigError, OSError."""
        try:
            key = load_pem_private_key(path.read_bytes(), None)
        except (ValueError, TypeError) as error:
            raise ConfigError(f"{path} is no private key in PEM without a passphrase ({error})") from error
        if not isinstance(key, X25519PrivateKey):
            raise ConfigError(f"{path} must hold an X25519 key")
        return cls(key)

    @property
    def seal(self) -> Seal:
        """What the watches are given."""
        return Seal(self._private_key.public_key())

    def private_pem(self) -> bytes:
        """To be kept where only the cloud reads it."""
        return self._private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def public_pem(self) -> bytes:
        """For `Seal.load`."""
        return self._private_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def open(self, sealed: bytes, *, port: str) -> bytes:
        """The message.

        Raises:
            SealBroken: for another key or port, changed on the way, or not sealed at all.
        """
        if not sealed.startswith(SEAL_VERSION) or len(sealed) < OVERHEAD_BYTES:
            raise SealBroken(f"a message of port {port} is not sealed, or by a newer version")
        try:
            return _SUITE.decrypt(sealed[1:], self._private_key, info=_info(port))
        except (InvalidTag, ValueError) as error:
            raise SealBroken(f"a sealed message of port {port} does not open with this key") from error


def _info(port: str) -> bytes:
    return b"blechannel sealed for the cloud\0" + port.encode()
