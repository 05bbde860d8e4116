"""The DH, cipher and hash functions of the specification (section 12), over `cryptography` and hashlib."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import field
from struct import Struct
from typing import Final, Protocol, cast

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x448 import X448PrivateKey, X448PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from blechannel.errors import AuthenticationFailed, LocalProtocolError
from blechannel.values import dataclass

Random = Callable[[int], bytes]
"""Returns that many bytes, fit for keys."""

KEY_BYTES: Final = 32
TAG_BYTES: Final = 16


class PublicKey(Protocol):
    """A loaded public key of `cryptography`."""

    def public_bytes_raw(self) -> bytes: ...


class PrivateKey(Protocol):
    """A loaded private key of `cryptography`."""

    def exchange(self, peer_public_key: PublicKey, /) -> bytes: ...

    def public_key(self) -> PublicKey: ...


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A DH key pair; build it with `DH.key_pair` or `DH.generate`. Only the public key is ever printed.

    It keeps the loaded key, because loading one costs as much as an exchange.
    """

    public: bytes
    private: bytes = field(repr=False)
    loaded: PrivateKey = field(repr=False, compare=False)

    def exchange(self, public: PublicKey) -> bytes:
        """DH(key_pair, public_key) with a key of the same function.

        Raises:
            AuthenticationFailed: `public` is of low order; the result would be all zero.
        """
        try:
            return self.loaded.exchange(public)
        except ValueError as error:
            raise AuthenticationFailed from error


@dataclass(frozen=True, slots=True)
class DH:
    """A Diffie-Hellman function (12.1, 12.2); public and private keys both have `length_bytes`."""

    name: str
    length_bytes: int
    load_private: Callable[[bytes], PrivateKey] = field(repr=False)
    load_public: Callable[[bytes], PublicKey] = field(repr=False)

    def key_pair(self, private: bytes) -> KeyPair:
        """The key pair of these private bytes.

        Raises:
            LocalProtocolError: not `length_bytes` of them.
        """
        if len(private) != self.length_bytes:
            raise LocalProtocolError(f"a private key of {self.name} has {self.length_bytes} bytes")
        loaded = self.load_private(private)
        return KeyPair(loaded.public_key().public_bytes_raw(), private, loaded)

    def generate(self, random: Random) -> KeyPair:
        """A fresh key pair (GENERATE_KEYPAIR) of `length_bytes` from `random`."""
        return self.key_pair(random(self.length_bytes))


@dataclass(frozen=True, slots=True)
class Cipher:
    """An AEAD (12.3, 12.4): `load` takes a 32-byte key, `nonce` writes a counter as 96 bits."""

    name: str
    load: Callable[[bytes], ChaCha20Poly1305 | AESGCM]
    nonce: Callable[[int], bytes]


class Digest(Protocol):
    """A hash object of hashlib."""

    def digest(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Hash:
    """A hash (12.5 to 12.8) of `length_bytes`, and HKDF over it."""

    name: str
    length_bytes: int
    new: Callable[[bytes], Digest]
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


# A key meets only keys of its own function (HandshakeState compares lengths), which the types cannot say.
_PrivateLoader = Callable[[bytes], PrivateKey]
DH_25519: Final = DH(
    "25519",
    32,
    cast(_PrivateLoader, X25519PrivateKey.from_private_bytes),
    X25519PublicKey.from_public_bytes,
)
DH_448: Final = DH(
    "448",
    56,
    cast(_PrivateLoader, X448PrivateKey.from_private_bytes),
    X448PublicKey.from_public_bytes,
)

CHACHAPOLY: Final = Cipher("ChaChaPoly", ChaCha20Poly1305, Struct("<4xQ").pack)
AES_GCM: Final = Cipher("AESGCM", AESGCM, Struct(">4xQ").pack)

SHA256: Final = Hash("SHA256", 32, hashlib.sha256, hashes.SHA256())
SHA512: Final = Hash("SHA512", 64, hashlib.sha512, hashes.SHA512())
BLAKE2S: Final = Hash("BLAKE2s", 32, hashlib.blake2s, hashes.BLAKE2s(32))
BLAKE2B: Final = Hash("BLAKE2b", 64, hashlib.blake2b, hashes.BLAKE2b(64))

DHS: Final = {dh.name: dh for dh in (DH_25519, DH_448)}
CIPHERS: Final = {cipher.name: cipher for cipher in (CHACHAPOLY, AES_GCM)}
HASHES: Final = {hash_.name: hash_ for hash_ in (SHA256, SHA512, BLAKE2S, BLAKE2B)}
