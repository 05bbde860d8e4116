"""CPace-X25519-SHA512, initiator and responder (draft-irtf-cfrg-cpace-21): a key from a short code.

Whoever does not know the code learns from a run whether one guess was right, and nothing to try others on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from blechannel.errors import AuthenticationFailed, LocalProtocolError, MalformedFrame
from blechannel.pairing.elligator import COORDINATE_BYTES, decode_u, elligator2
from blechannel.pairing.lv import lv_cat, prepend_len

SHARE_BYTES: Final = COORDINATE_BYTES
SCALAR_BYTES: Final = 32
_DSI: Final = b"CPace255"
_DSI_ISK: Final = b"CPace255_ISK"
_HASH_BLOCK_BYTES: Final = 128


def calculate_generator(*, prs: bytes, ci: bytes, sid: bytes) -> bytes:
    """Return the generator of one run: a u coordinate, 32 bytes (the draft's `calculate_generator`).

    `prs` is the code, `ci` names the channel and its two sides, `sid` is fresh for each run.
    """
    return elligator2(hashlib.sha512(_generator_string(prs, ci, sid)).digest()[:COORDINATE_BYTES])


def _generator_string(prs: bytes, ci: bytes, sid: bytes) -> bytes:
    # The padding ends the hash's first block after the code: what follows takes a time without it.
    padding_bytes = max(0, _HASH_BLOCK_BYTES - 1 - len(prepend_len(prs)) - len(prepend_len(_DSI)))
    return lv_cat(_DSI, prs, bytes(padding_bytes), ci, sid)


class CPace:
    """One side of one run.

    `random` gives that many secret uniform bytes; 32 are drawn, once. `share` (Ya or Yb, 32 bytes) is for the
    peer. The scalar serves one `derive` and is dropped, whatever came of it.
    """

    __slots__ = ("_scalar", "_sid", "share")

    def __init__(self, *, prs: bytes, ci: bytes, sid: bytes, random: Callable[[int], bytes]) -> None:
        scalar = X25519PrivateKey.from_private_bytes(random(SCALAR_BYTES))
        self.share: Final = _scalar_mult_vfy(scalar, calculate_generator(prs=prs, ci=ci, sid=sid))
        self._sid: Final = sid
        self._scalar: X25519PrivateKey | None = scalar

    def __repr__(self) -> str:
        state = "used" if self._scalar is None else "fresh"
        return f"<CPace {state}, share {self.share.hex()}>"

    def derive(self, peer_share: bytes, *, initiator: bool, ad_a: bytes = b"", ad_b: bytes = b"") -> bytes:
        """Return the intermediate session key ISK, 64 bytes; `initiator` says whether this side sent Ya.

        Two sides with another code, channel, session or transcript get unrelated keys, without an error.
        Raises LocalProtocolError on a second call, MalformedFrame for a share that is not 32 bytes, and
        AuthenticationFailed for a share of low order or this side's own share.
        """
        scalar, self._scalar = self._scalar, None
        if scalar is None:
            raise LocalProtocolError("this CPace run has already been used")
        if len(peer_share) != SHARE_BYTES:
            raise MalformedFrame(f"a CPace share has {SHARE_BYTES} bytes, not {len(peer_share)}")
        # As points, not as bytes: bit 255 does not make a reflected share a new one.
        if decode_u(peer_share) == decode_u(self.share):
            raise AuthenticationFailed
        key = _scalar_mult_vfy(scalar, peer_share)
        first, second = (self.share, peer_share) if initiator else (peer_share, self.share)
        transcript = lv_cat(first, ad_a) + lv_cat(second, ad_b)
        return hashlib.sha512(lv_cat(_DSI_ISK, self._sid, key) + transcript).digest()


def _scalar_mult_vfy(scalar: X25519PrivateKey, u: bytes) -> bytes:
    """X25519 that refuses the all-zero result of a low-order point (the draft's `scalar_mult_vfy`)."""
    try:
        return scalar.exchange(X25519PublicKey.from_public_bytes(u))
    except ValueError as error:
        raise AuthenticationFailed from error
