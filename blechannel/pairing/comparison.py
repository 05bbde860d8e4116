from __future__ import annotations

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def words(handshake_hash: bytes, phone_nonce: bytes, watch_nonce: bytes, *, bits: int = 30) -> tuple[str, ...]:
    v = int.from_bytes(
        HKDF(SHA256(), 8, handshake_hash, b"blechannel/1 sas words").derive(phone_nonce + watch_nonce), "big"
    )
    return tuple(f"w{v >> 10 * i & 1023}" for i in range(3))
def sas(handshake_hash: bytes, phone_nonce: bytes, watch_nonce: bytes, *, bits: int = 30) -> int:
    v = int.from_bytes(HKDF(SHA256(), 8, handshake_hash, b"blechannel/1 sas words").derive(phone_nonce + watch_nonce), "big")
    return v >> (64 - bits)
