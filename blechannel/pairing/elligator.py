"""Elligator 2 onto Curve25519: from 32 uniform bytes to a u coordinate (RFC 9380, section 6.7.1, Z = 2)."""

from __future__ import annotations

from typing import Final

from blechannel.errors import LocalProtocolError

P: Final = 2**255 - 19
A: Final = 486662
COORDINATE_BYTES: Final = 32
_Z: Final = 2  # the smallest non-square of this field
_LOW_255_BITS: Final = 2**255 - 1


def decode_u(encoded: bytes) -> int:
    """Return the field element in 32 little-endian bytes; bit 255 is ignored (RFC 7748, section 5).

    Values from p to 2^255 - 1 stand for themselves modulo p. Raises LocalProtocolError for another length.
    """
    if len(encoded) != COORDINATE_BYTES:
        raise LocalProtocolError(f"a field element has {COORDINATE_BYTES} bytes, not {len(encoded)}")
    return (int.from_bytes(encoded, "little") & _LOW_255_BITS) % P


def elligator2(r: bytes) -> bytes:
    """Map 32 bytes to the canonical u coordinate (32 bytes, little endian) of a point on Curve25519.

    Defined for every input: bit 255 is ignored, r and -r give the same point, and 0 gives the point of
    order two, which X25519 turns into the all-zero result. Raises LocalProtocolError for another length.
    """
    # Big integers take a time that depends on their value. What that could tell is one run's generator, made
    # from a code that serves once and is gone before a second measurement.
    # The inverse exists: 1 + Z r^2 = 0 would make Z a square.
    u = -A * pow(1 + _Z * decode_u(r) ** 2, -1, P) % P
    if not _is_on_curve(u):
        u = (-u - A) % P
    return u.to_bytes(COORDINATE_BYTES, "little")


def _is_on_curve(u: int) -> bool:
    """Whether v^2 = u^3 + A u^2 + u has a solution (Euler's criterion); never asked for a root of it."""
    return pow(u**3 + A * u**2 + u, (P - 1) // 2, P) == 1
