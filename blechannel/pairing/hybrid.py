"""ML-KEM-768 (FIPS 203) beside X25519: what is recorded today stays closed to a later quantum computer.

The keys of a run are made from a seed, and so can be replayed. An encapsulation cannot: `cryptography` draws its
randomness itself. It needs an OpenSSL that has ML-KEM, as the wheels of `cryptography` have.
"""

from __future__ import annotations

from dataclasses import field
from typing import Final

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey

from blechannel.errors import AuthenticationFailed, LocalProtocolError
from blechannel.values import dataclass

SEED_BYTES: Final = 64
"""d ‖ z (FIPS 203, 7.1)."""
ENCAPSULATION_KEY_BYTES: Final = 1184
CIPHERTEXT_BYTES: Final = 1088
SHARED_SECRET_BYTES: Final = 32


class KemKey:
    """The key pair of one run; `encapsulation_key` (1,184 bytes) is for the peer.

    `seed` is 64 secret uniform bytes, fresh in every run. The private key serves one `decapsulate` and is dropped,
    whatever came of it.

    Raises:
        LocalProtocolError: not 64 bytes.
    """

    __slots__ = ("_private", "encapsulation_key")

    def __init__(self, seed: bytes) -> None:
        if len(seed) != SEED_BYTES:
            raise LocalProtocolError(f"a seed of ML-KEM has {SEED_BYTES} bytes, not {len(seed)}")
        private = MLKEM768PrivateKey.from_seed_bytes(seed)
        self.encapsulation_key: Final = private.public_key().public_bytes_raw()
        self._private: MLKEM768PrivateKey | None = private

    def __repr__(self) -> str:
        return f"<KemKey {'used' if self._private is None else 'fresh'}>"

    def decapsulate(self, ciphertext: bytes) -> bytes:
        """The 32-byte shared secret of this 1,088-byte ciphertext.

        A ciphertext that was changed gives another secret, and no error (implicit rejection, FIPS 203, 6.3): the
        handshake then fails where a wrong code makes it fail.

        Raises:
            AuthenticationFailed: not 1,088 bytes.
            LocalProtocolError: the key has been used.
        """
        private, self._private = self._private, None
        if private is None:
            raise LocalProtocolError("this key has already been used")
        if len(ciphertext) != CIPHERTEXT_BYTES:
            raise AuthenticationFailed
        return private.decapsulate(ciphertext)


@dataclass(frozen=True, slots=True)
class Encapsulation:
    """A shared secret (32 bytes), and the ciphertext (1,088 bytes) from which the key's holder learns it."""

    shared_secret: bytes = field(repr=False)
    ciphertext: bytes


def encapsulate(encapsulation_key: bytes) -> Encapsulation:
    """A fresh secret for the holder of this key.

    Raises:
        AuthenticationFailed: not 1,184 bytes, or coefficients out of range (FIPS 203, 7.2: the modulus check).
    """
    try:
        public = MLKEM768PublicKey.from_public_bytes(encapsulation_key)
    except ValueError as error:
        raise AuthenticationFailed from error
    return Encapsulation(*public.encapsulate())
