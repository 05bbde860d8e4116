"""The DH, cipher and hash functions of the specification (section 12), over `cryptography` and hashlib."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from struct import Struct
from typing import Final, Protocol, TypeVar

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x448 import X448PrivateKey, X448PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from blechannel.errors import AuthenticationFailed, LocalProtocolError

Random = Callable[[int], bytes]
"""Returns that many bytes, fit for keys."""

KEY_BYTES: Final = 32
TAG_BYTES: Final = 16

Public = TypeVar("Public")
Peer = TypeVar("Peer", contravariant=True)


class _Private(Protocol[Peer]):
    """What X25519 and X448 private keys of `cryptography` have in common."""

    def exchange(self, peer_public_key: Peer, /) -> bytes: ...


def _exchange(private: _Private[Public], load: Callable[[bytes], Public], public: bytes) -> bytes:
    try:
        return private.exchange(load(public))
    except ValueError as error:  # a wrong length, or a low-order point: the result would be all zero
        raise AuthenticationFailed from error


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A DH key pair; build it with `DH.key_pair` or `DH.generate`. Only the public key is ever printed."""

    public: bytes
    private: bytes = field(repr=False)
    exchange: Callable[[bytes], bytes] = field(repr=False, compare=False)
    """Takes the other side's public key, returns the shared secret; raises AuthenticationFailed when it is
    malformed or of low order. Bound to a loaded key, because loading one costs as much as an exchange."""


@dataclass(frozen=True, slots=True)
class DH:
    """A Diffie-Hellman function (12.1, 12.2); public and private keys both have `length_bytes`."""

    name: str
    length_bytes: int
    load: Callable[[bytes], KeyPair] = field(repr=False)

    def key_pair(self, private: bytes) -> KeyPair:
        """The key pair of these private bytes.

        Raises:
            LocalProtocolError: not `length_bytes` of them.
        """
        if len(private) != self.length_bytes:
            raise LocalProtocolError(f"a private key of {self.name} has {self.length_bytes} bytes")
        return self.load(private)

    def generate(self, random: Random) -> KeyPair:
        """A fresh key pair (GENERATE_KEYPAIR) of `length_bytes` from `random`."""
        return self.key_pair(random(self.length_bytes))


def _load_25519(private: bytes) -> KeyPair:
    key = X25519PrivateKey.from_private_bytes(private)
    public = key.public_key().public_bytes_raw()
    return KeyPair(public, private, partial(_exchange, key, X25519PublicKey.from_public_bytes))


def _load_448(private: bytes) -> KeyPair:
    key = X448PrivateKey.from_private_bytes(private)
    public = key.public_key().public_bytes_raw()
    return KeyPair(public, private, partial(_exchange, key, X448PublicKey.from_public_bytes))


@dataclass(frozen=True, slots=True)
class Cipher:
    """An AEAD (12.3, 12.4): `load` takes a 32-byte key, `nonce` writes a counter as 96 bits."""

    name: str
    load: Callable[[bytes], ChaCha20Poly1305 | AESGCM]
    nonce: Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Hash:
    """A hash (12.5 to 12.8) of `length_bytes`, and HKDF over it."""

    name: str
    length_bytes: int
    digest: Callable[[bytes], bytes]
    algorithm: hashes.HashAlgorithm

    def hkdf2(self, chaining_key: bytes, input_key_material: bytes) -> tuple[bytes, bytes]:
        """HKDF(chaining_key, input_key_material, 2) of section 4.3."""
        n = self.length_bytes
        output = HKDF(self.algorithm, 2 * n, chaining_key, b"").derive(input_key_material)
        return output[:n], output[n:]

    def hkdf3(self, chaining_key: bytes, input_key_material: bytes) -> tuple[bytes, bytes, bytes]:
        """HKDF(chaining_key, input_key_material, 3); its first two outputs are those of `hkdf2`."""
        n = self.length_bytes
        output = HKDF(self.algorithm, 3 * n, chaining_key, b"").derive(input_key_material)
        return output[:n], output[n : 2 * n], output[2 * n :]


DH_25519: Final = DH("25519", 32, _load_25519)
DH_448: Final = DH("448", 56, _load_448)

CHACHAPOLY: Final = Cipher("ChaChaPoly", ChaCha20Poly1305, Struct("<4xQ").pack)
AES_GCM: Final = Cipher("AESGCM", AESGCM, Struct(">4xQ").pack)

SHA256: Final = Hash("SHA256", 32, lambda data: hashlib.sha256(data).digest(), hashes.SHA256())
SHA512: Final = Hash("SHA512", 64, lambda data: hashlib.sha512(data).digest(), hashes.SHA512())
BLAKE2S: Final = Hash("BLAKE2s", 32, lambda data: hashlib.blake2s(data).digest(), hashes.BLAKE2s(32))
BLAKE2B: Final = Hash("BLAKE2b", 64, lambda data: hashlib.blake2b(data).digest(), hashes.BLAKE2b(64))

DHS: Final = {dh.name: dh for dh in (DH_25519, DH_448)}
CIPHERS: Final = {cipher.name: cipher for cipher in (CHACHAPOLY, AES_GCM)}
HASHES: Final = {hash_.name: hash_ for hash_ in (SHA256, SHA512, BLAKE2S, BLAKE2B)}
