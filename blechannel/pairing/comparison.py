"""Words that two people's screens show alike: a short authentication string (protocol, "Pairing").

Only a commitment makes it safe: the watch promises its nonce in m2, before it sees the phone's, and opens it in m4.
A man in the middle then has one try, at odds of 2^-bits. Without the promise he would search for a match offline.
"""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from blechannel.errors import LocalProtocolError
from blechannel.pairing.word_list import WORD_BITS, WORDS

SAS_WORDS_LABEL: Final = b"blechannel/1 sas words"
SAS_BITS: Final = 30
"""Three words."""
MAX_SAS_BITS: Final = 256
NONCE_BYTES: Final = 32
HASH_BYTES: Final = 32


def sas(handshake_hash: bytes, phone_nonce: bytes, watch_nonce: bytes, *, bits: int = SAS_BITS) -> int:
    """The short authentication string as a number below 2^`bits`.

    It is the first `bits` bits of HKDF-SHA256(salt = the final h, ikm = n_I ‖ n_R, info = "blechannel/1 sas words").
    The hash and both nonces have 32 bytes.

    Raises:
        LocalProtocolError: an input of another length, or `bits` is not 1 to 256.
    """
    if len(handshake_hash) != HASH_BYTES or len(phone_nonce) != NONCE_BYTES or len(watch_nonce) != NONCE_BYTES:
        raise LocalProtocolError("the handshake hash and both nonces have 32 bytes each")
    if not 1 <= bits <= MAX_SAS_BITS:
        raise LocalProtocolError(f"a short authentication string has 1 to {MAX_SAS_BITS} bits, not {bits}")
    length_bytes = (bits + 7) // 8
    okm = HKDF(SHA256(), length_bytes, handshake_hash, SAS_WORDS_LABEL).derive(phone_nonce + watch_nonce)
    return int.from_bytes(okm, "big") >> (8 * length_bytes - bits)


def words(handshake_hash: bytes, phone_nonce: bytes, watch_nonce: bytes, *, bits: int = SAS_BITS) -> tuple[str, ...]:
    """The same as words, ten bits each, the most significant first; `bits` is a multiple of ten.

    Raises:
        LocalProtocolError: as `sas`, or `bits` is no whole number of words.
    """
    if bits % WORD_BITS:
        raise LocalProtocolError(f"{bits} bits are no whole number of words of {WORD_BITS} bits")
    number = sas(handshake_hash, phone_nonce, watch_nonce, bits=bits)
    return tuple(WORDS[number >> shift & len(WORDS) - 1] for shift in range(bits - WORD_BITS, -1, -WORD_BITS))
