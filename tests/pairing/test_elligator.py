"""Elligator 2 against RFC 9380's numbers, an independent implementation and the curve's equation."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blechannel.errors import LocalProtocolError
from blechannel.pairing.elligator import A, P, decode_u, elligator2

BIT_254 = 1 << 254
BIT_255 = 1 << 255
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
ORDER_TWO = 0  # the u coordinate of the point of order two

# RFC 9380, appendix J.4.2 (curve25519_XMD:SHA-512_ELL2_NU_): u[0] and Q.x of each message.
RFC_9380 = [
    (
        0x608D892B641F0328523802A6603427C26E55E6F27E71A91A478148D45B5093CD,
        0x51125222DA5E763D97F3C10FCC92EA6860B9CCBBD2EB1285728F566721C1E65B,
    ),
    (
        0x46F5B22494BFEAA7F232CC8D054BE68561AF50230234D7D1D63D1D9ABECA8DA5,
        0x7D56D1E08CB0CCB92BAF069C18C49BB5A0DCD927EFF8DCF75CA921EF7F3E6EEB,
    ),
    (
        0x235FE40C443766CE7E18111C33862D66C3B33267EFA50D50F9E8E5D252A40AAA,
        0x3FBE66B9C9883D79E8407150E7C2A1C8680BEE496C62FABE4619A72B3CABE90F,
    ),
    (
        0x001E92A544463BDA9BD04DDBE3D6EED248F82DE32F522669EFC5DDCE95F46F5B,
        0x227E0BB89DE700385D19EC40E857DB6E6A3E634B1C32962F370D26F84FF19683,
    ),
    (
        0x1A68A1AF9F663592291AF987203393F707305C7BAC9C8D63D6A729BDC553DC19,
        0x3BCD651EE54D5F7B6013898AAB251EE8ECC0688166FCE6E9548D38472F6BD196,
    ),
]
# Every place where an implementation could turn left: 0, signs, the modulus, the two bits that others mask.
EDGES = [0, 1, 2, P // 2, P // 2 + 1, P - 1, P, P + 1, 2**255 - 1, BIT_254, BIT_254 + 1, BIT_254 - 1]
FIELD_BYTES = st.binary(min_size=32, max_size=32)

Witness = Callable[[int], bytes]


def encode(value: int) -> bytes:
    return value.to_bytes(32, "little")


def mapped(r: int) -> int:
    return int.from_bytes(elligator2(encode(r)), "little")


def is_on_curve(u: int) -> bool:
    """By a root and not by Euler's criterion, so that the code is not its own witness."""
    square = (u**3 + A * u**2 + u) % P
    v = pow(square, (P + 3) // 8, P)
    return square in (v**2 % P, (v * ROOT_OF_MINUS_ONE) ** 2 % P)


@pytest.fixture(scope="module")
def witness() -> Witness:
    """Monocypher's map. It ignores the two top bits, so the smaller one of r and -r is asked for."""
    monocypher = pytest.importorskip("monocypher", reason="pymonocypher has no wheel for this interpreter")

    def elligator_map(r: int) -> bytes:
        return bytes(monocypher.elligator_map(encode(min(r, P - r))))

    return elligator_map


@pytest.mark.parametrize(("r", "u"), RFC_9380)
def test_numbers_of_rfc_9380(r: int, u: int) -> None:
    assert mapped(r) == u


def test_numbers_worked_out_by_hand() -> None:
    assert mapped(0) == ORDER_TWO
    assert mapped(1) * 3 % P == P - A  # u = -A / (1 + 2), which is on the curve


@pytest.mark.parametrize("r", EDGES)
def test_edges_are_on_the_curve_and_canonical(r: int) -> None:
    assert mapped(r) < P
    assert is_on_curve(mapped(r))


@pytest.mark.parametrize("r", EDGES)
def test_bit_255_is_ignored(r: int) -> None:
    assert mapped(r | BIT_255) == mapped(r)


@pytest.mark.parametrize("r", EDGES)
def test_edges_equal_the_witness(witness: Witness, r: int) -> None:
    assert elligator2(encode(r)) == witness(r % P)


@pytest.mark.parametrize("excess", range(19))
def test_values_from_the_modulus_on_stand_for_themselves_modulo_p(excess: int) -> None:
    assert mapped(P + excess) == mapped(excess)


def test_bit_254_counts() -> None:
    assert mapped(BIT_254 + 1) != mapped(1)


@given(r=FIELD_BYTES)
def test_equals_the_witness(witness: Witness, r: bytes) -> None:
    assert elligator2(r) == witness(decode_u(r))


@given(r=FIELD_BYTES)
def test_result_is_on_the_curve_and_canonical(r: bytes) -> None:
    u = int.from_bytes(elligator2(r), "little")
    assert u < P
    assert is_on_curve(u)


@given(r=st.integers(min_value=1, max_value=P - 1))
def test_sign_does_not_matter(r: int) -> None:
    assert mapped(r) == mapped(P - r)


@pytest.mark.parametrize("length_bytes", [0, 31, 33, 64])
def test_another_length_is_refused(length_bytes: int) -> None:
    with pytest.raises(LocalProtocolError, match="32 bytes"):
        elligator2(bytes(length_bytes))
