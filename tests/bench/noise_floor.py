"""The least that a handshake costs: the calls into `cryptography` and hashlib that nobody can leave out.

Both sides of one handshake together; the inputs have the sizes of the real ones, their values do not matter.
Keys are loaded once and ciphers made once where an implementation may do so.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SHA256 = hashes.SHA256()
BLOCK = bytes(32)
NONCE = bytes(12)


@dataclass(frozen=True, kw_only=True)
class Count:
    """How often each primitive is needed, both sides together."""

    keygens: int
    loads: int
    exchanges: int
    hkdf2: int
    hkdf3: int
    hashes: int
    ciphers: int
    sealed_bytes: tuple[int, ...]


# Two ephemerals; rs and re at each side; ee, es, se. HKDF: two e, three DHs; psk and split with exporter.
# Hashed: prologue; e, payload | e, s, payload | s, temp_h, payload. Keys that seal: after e, ee, es, psk.
XXPSK3 = Count(keygens=2, loads=4, exchanges=6, hkdf2=10, hkdf3=4, hashes=18, ciphers=8, sealed_bytes=(0, 32, 0, 32, 0))
# Two ephemerals; rs and re at each side; es, ss, ee, se. Hashed: prologue, s, s; psk, e, payload | e, payload.
# Keys that seal: after ss and se. Transport keys are not counted: the first record loads them.
KKPSK0 = Count(keygens=2, loads=4, exchanges=8, hkdf2=12, hkdf3=4, hashes=16, ciphers=4, sealed_bytes=(0, 0))


def floor(count: Count) -> Callable[[], None]:
    """The primitives of `count`, ready to run."""
    own = X25519PrivateKey.generate()
    remote_bytes = X25519PrivateKey.generate().public_key().public_bytes_raw()
    remote = X25519PublicKey.from_public_bytes(remote_bytes)

    def run() -> None:
        for _ in range(count.keygens):
            X25519PrivateKey.from_private_bytes(os.urandom(32)).public_key().public_bytes_raw()
        for _ in range(count.loads):
            X25519PublicKey.from_public_bytes(remote_bytes)
        for _ in range(count.exchanges):
            own.exchange(remote)
        for _ in range(count.hkdf2):
            HKDF(SHA256, 64, BLOCK, b"").derive(BLOCK)
        for _ in range(count.hkdf3):
            HKDF(SHA256, 96, BLOCK, b"").derive(BLOCK)
        for _ in range(count.hashes):
            sha256(BLOCK + BLOCK).digest()
        for _ in range(count.ciphers):
            cipher = ChaCha20Poly1305(BLOCK)
        for size in count.sealed_bytes:
            cipher.decrypt(NONCE, cipher.encrypt(NONCE, BLOCK[:size], BLOCK), BLOCK)

    return run
