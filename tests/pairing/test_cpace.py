"""CPace: the draft's numbers, two live sides, and everything that must keep them apart."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blechannel.errors import AuthenticationFailed, BlechannelError, LocalProtocolError, MalformedFrame
from blechannel.pairing.cpace import CPace, calculate_generator
from blechannel.pairing.elligator import P, elligator2
from blechannel.pairing.lv import lv_cat


class Vector(NamedTuple):
    """One run of the draft, under its own names."""

    prs: bytes
    ci: bytes
    sid: bytes
    g: bytes
    ya: bytes
    ad_a: bytes
    share_a: bytes
    yb: bytes
    ad_b: bytes
    share_b: bytes
    k: bytes
    isk: bytes


# draft-irtf-cfrg-cpace-21, appendix B.1.
DRAFT = Vector(
    prs=b"Password",
    ci=bytes.fromhex("0b415f696e69746961746f720b425f726573706f6e646572"),
    sid=bytes.fromhex("7e4b4791d6a8ef019b936c79fb7f2c57"),
    g=bytes.fromhex("d04bf6d41f6a289632a2e929fa29bebd51092512a7829fdde7d314b62f05a73f"),
    ya=bytes.fromhex("21b4f4bd9e64ed355c3eb676a28ebedaf6d8f17bdc365995b319097153044080"),
    ad_a=b"ADa",
    share_a=bytes.fromhex("1d13c89278cdadd826f6d8d7f887701430f8380ddc17611cdd6dc989ce0c9f32"),
    yb=bytes.fromhex("848b0779ff415f0af4ea14df9dd1d3c29ac41d836c7808896c4eba19c51ac40a"),
    ad_b=b"ADb",
    share_b=bytes.fromhex("248cccf6d5cdc3646f0ad593f9e6cef4e69d4945f8372e623512ecea32185623"),
    k=bytes.fromhex("5b067effbdc0b2a0e1d907b21ebb25cfedb96a852179a847c37e43ee71322c6b"),
    isk=bytes.fromhex(
        "6e19b875f7a561d6b3ca3dbb9ef42ac55de3e717881018204b8922b4d5e53bb2"
        "aa82c300bea7b65d2b671da71922ddf6472301b79bc270adfa8bf413285f2263"
    ),
)
JSON_NAMES = ("PRS", "CI", "sid", "g", "ya", "ADa", "Ya", "yb", "ADb", "Yb", "K", "ISK_IR")

# Appendix B.1.10: points of low order.
LOW_ORDER = {
    "Invalid Y0": "0000000000000000000000000000000000000000000000000000000000000000",
    "Invalid Y1": "0100000000000000000000000000000000000000000000000000000000000000",
    "Invalid Y2": "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "Invalid Y3": "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "Invalid Y4": "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "Invalid Y5": "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "Invalid Y7": "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
}
# Of low order only where bit 255 is not masked; with it masked, their product with this scalar is the second.
ODD_SCALAR = bytes.fromhex("af46e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449aff")
WITH_BIT_255 = {
    "Invalid Y6": (
        "daffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "d8e2c776bbacd510d09fd9278b7edcd25fc5ae9adfba3b6e040e8d3b71b21806",
    ),
    "Invalid Y8": (
        "dbffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "c85c655ebe8be44ba9c0ffde69f2fe10194458d137f09bbff725ce58803cdb38",
    ),
    "Invalid Y9": (
        "d9ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "db64dafa9b8fdd136914e61461935fe92aa372cb056314e1231bc4ec12417456",
    ),
    "Invalid Y10": (
        "cdeb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b880",
        "e062dcd5376d58297be2618c7498f55baa07d7e03184e8aada20bca28888bf7a",
    ),
    "Invalid Y11": (
        "4c9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f11d7",
        "993c6ad11c4c29da9a56f7691fd0ff8d732e49de6250b6c2e80003ff4629a175",
    ),
}


class Inputs(NamedTuple):
    """What one side believes the run to be about."""

    prs: bytes = b"123456"
    ci: bytes = b"channel"
    sid: bytes = b"session"
    ad_a: bytes = b"a"
    ad_b: bytes = b"b"


def party(inputs: Inputs, random: Callable[[int], bytes] = os.urandom) -> CPace:
    return CPace(prs=inputs.prs, ci=inputs.ci, sid=inputs.sid, random=random)


def isk(side: CPace, peer_share: bytes, inputs: Inputs, *, initiator: bool) -> bytes:
    return side.derive(peer_share, initiator=initiator, ad_a=inputs.ad_a, ad_b=inputs.ad_b)


def scripted(scalar: bytes) -> Callable[[int], bytes]:
    """A source of randomness that gives this scalar and nothing of another length."""
    return {len(scalar): scalar}.__getitem__


def check(vector: Vector) -> None:
    """Both sides of a published run give the published shares and key."""
    assert calculate_generator(prs=vector.prs, ci=vector.ci, sid=vector.sid) == vector.g
    inputs = Inputs(vector.prs, vector.ci, vector.sid, vector.ad_a, vector.ad_b)
    side_a, side_b = party(inputs, scripted(vector.ya)), party(inputs, scripted(vector.yb))
    assert (side_a.share, side_b.share) == (vector.share_a, vector.share_b)
    expected = isk_of(vector.k, vector.sid, lv_cat(vector.share_a, vector.ad_a, vector.share_b, vector.ad_b))
    assert expected == vector.isk
    assert isk(side_a, side_b.share, inputs, initiator=True) == vector.isk
    assert isk(side_b, side_a.share, inputs, initiator=False) == vector.isk


def isk_of(k: bytes, sid: bytes, transcript: bytes) -> bytes:
    """The draft's last line, written out once more for runs of which only K is published."""
    return hashlib.sha512(b"\x0cCPace255_ISK" + lv_cat(sid, k) + transcript).digest()


def published(vectors: Path, name: str) -> dict[str, bytes]:
    table = json.loads((vectors / "cpace.json").read_text())[name]
    return {key: bytes.fromhex(value) for key, value in table.items()}


def test_numbers_of_the_draft() -> None:
    check(DRAFT)


def test_published_run(vectors: Path) -> None:
    run = published(vectors, "G_25519")
    check(Vector(*(run[name] for name in JSON_NAMES)))


def test_published_points(vectors: Path) -> None:
    """The points typed here are all that are published."""
    typed = LOW_ORDER | {name: point for name, (point, _) in WITH_BIT_255.items()}
    assert published(vectors, "X25519_points") == {name: bytes.fromhex(point) for name, point in typed.items()}


@pytest.mark.parametrize(("point", "product"), WITH_BIT_255.values(), ids=WITH_BIT_255.keys())
def test_bit_255_is_masked(point: str, product: str) -> None:
    share, side = bytes.fromhex(point), party(Inputs(), scripted(ODD_SCALAR))
    expected = isk_of(bytes.fromhex(product), Inputs().sid, lv_cat(side.share, b"", share, b""))
    assert side.derive(share, initiator=True) == expected


@pytest.mark.parametrize("initiator", [True, False])
@pytest.mark.parametrize("bit_255", [0, 0x80])
@pytest.mark.parametrize("point", LOW_ORDER.values(), ids=LOW_ORDER.keys())
def test_point_of_low_order_is_refused(point: str, bit_255: int, initiator: bool) -> None:
    share = bytearray.fromhex(point)
    share[-1] |= bit_255
    with pytest.raises(AuthenticationFailed):
        party(Inputs()).derive(bytes(share), initiator=initiator)


def test_other_non_canonical_share_is_not_refused() -> None:
    """u = 2 and u = p + 2 are one point in two encodings; the transcript still tells them apart."""
    plain, shifted = (u.to_bytes(32, "little") for u in (2, P + 2))
    keys = {party(Inputs(), scripted(DRAFT.ya)).derive(share, initiator=True) for share in (plain, shifted)}
    assert len(keys) == 2


@given(
    inputs=st.builds(Inputs, *[st.binary(max_size=200)] * 5),
    scalars=st.lists(st.binary(min_size=32, max_size=32), min_size=2, max_size=2, unique_by=lambda y: y[1:31]),
)
def test_two_sides_agree(inputs: Inputs, scalars: list[bytes]) -> None:
    phone, watch = (party(inputs, scripted(scalar)) for scalar in scalars)
    key = isk(phone, watch.share, inputs, initiator=True)
    assert len(key) == 64
    assert key == isk(watch, phone.share, inputs, initiator=False)


@pytest.mark.parametrize("field", Inputs._fields)
def test_one_other_input_gives_another_key(field: str) -> None:
    here, there = Inputs(), Inputs()._replace(**{field: b"something else"})
    phone, watch = party(here), party(there)
    assert isk(phone, watch.share, here, initiator=True) != isk(watch, phone.share, there, initiator=False)


@pytest.mark.parametrize("fields", [("prs", "ci"), ("ci", "sid"), ("ad_a", "ad_b")])
def test_a_boundary_moved_between_inputs_gives_another_key(fields: tuple[str, str]) -> None:
    here = Inputs()._replace(**dict(zip(fields, (b"12", b"34"), strict=True)))
    there = Inputs()._replace(**dict(zip(fields, (b"123", b"4"), strict=True)))
    phone, watch = party(here), party(there)
    assert isk(phone, watch.share, here, initiator=True) != isk(watch, phone.share, there, initiator=False)


@pytest.mark.parametrize("initiator", [True, False])
def test_two_sides_in_the_same_role_get_different_keys(initiator: bool) -> None:
    phone, watch = party(Inputs()), party(Inputs())
    key = isk(phone, watch.share, Inputs(), initiator=initiator)
    assert key != isk(watch, phone.share, Inputs(), initiator=initiator)


def test_swapped_roles_give_another_key() -> None:
    def run(*, phone_starts: bool) -> bytes:
        phone = party(Inputs(), scripted(DRAFT.ya))
        return isk(phone, DRAFT.share_b, Inputs(), initiator=phone_starts)

    assert run(phone_starts=True) != run(phone_starts=False)


def test_a_share_exchanged_on_the_way_gives_another_key() -> None:
    phone, watch, stranger = party(Inputs()), party(Inputs()), party(Inputs(prs=b"654321"))
    key = isk(phone, stranger.share, Inputs(), initiator=True)
    assert key != isk(watch, phone.share, Inputs(), initiator=False)


def test_bit_255_of_a_share_is_part_of_the_transcript() -> None:
    phone, watch = party(Inputs()), party(Inputs())
    marked = watch.share[:-1] + bytes([watch.share[-1] | 0x80])
    key = isk(phone, marked, Inputs(), initiator=True)
    assert key != isk(watch, phone.share, Inputs(), initiator=False)


@pytest.mark.parametrize("initiator", [True, False])
@pytest.mark.parametrize("bit_255", [0, 0x80])
def test_own_share_reflected_is_refused(bit_255: int, initiator: bool) -> None:
    side = party(Inputs())
    with pytest.raises(AuthenticationFailed):
        side.derive(side.share[:-1] + bytes([side.share[-1] | bit_255]), initiator=initiator)


def test_every_refused_point_looks_the_same() -> None:
    def refusal(share: bytes) -> str:
        with pytest.raises(AuthenticationFailed) as caught:
            party(Inputs(), scripted(DRAFT.ya)).derive(share, initiator=True)
        return str(caught.value)

    assert refusal(bytes(32)) == refusal(party(Inputs(), scripted(DRAFT.ya)).share)


@pytest.mark.parametrize("length_bytes", [0, 31, 33, 64])
def test_share_of_another_length_is_malformed(length_bytes: int) -> None:
    with pytest.raises(MalformedFrame, match="32 bytes"):
        party(Inputs()).derive(bytes(length_bytes), initiator=True)


def test_a_run_serves_once() -> None:
    phone, watch = party(Inputs()), party(Inputs())
    isk(phone, watch.share, Inputs(), initiator=True)
    with pytest.raises(LocalProtocolError):
        isk(phone, watch.share, Inputs(), initiator=True)


@pytest.mark.parametrize("refused", [b"short", bytes(32)])
def test_a_refused_share_uses_the_run_up(refused: bytes) -> None:
    phone, watch = party(Inputs()), party(Inputs())
    with pytest.raises(BlechannelError):
        phone.derive(refused, initiator=True)
    with pytest.raises(LocalProtocolError):
        isk(phone, watch.share, Inputs(), initiator=True)


def test_every_run_draws_its_own_scalar() -> None:
    drawn: list[bytes] = []

    def random(length_bytes: int) -> bytes:
        drawn.append(os.urandom(length_bytes))
        return drawn[-1]

    shares = {party(Inputs(), random).share for _ in range(4)}
    assert [len(scalar) for scalar in drawn] == [32] * 4
    assert len(shares) == 4


def test_nothing_secret_is_shown() -> None:
    inputs = Inputs(prs=b"271828")
    side = party(inputs, scripted(DRAFT.ya))
    shown = repr(side) + str(side)
    for secret in (DRAFT.ya, inputs.prs, calculate_generator(prs=inputs.prs, ci=inputs.ci, sid=inputs.sid)):
        assert secret.hex() not in shown
        assert repr(secret) not in shown
        assert str(int.from_bytes(secret, "little")) not in shown
    assert side.share.hex() in shown
    assert "fresh" in shown


def test_a_used_run_says_so() -> None:
    side = party(Inputs())
    side.derive(DRAFT.share_b, initiator=True)
    assert "used" in repr(side)


@pytest.mark.parametrize(("code_bytes", "padding_bytes"), [(0, 117), (6, 111), (116, 1), (117, 0), (118, 0), (200, 0)])
def test_padding_fills_the_first_block_beside_the_code(code_bytes: int, padding_bytes: int) -> None:
    code = b"7" * code_bytes
    string = lv_cat(b"CPace255", code, bytes(padding_bytes), b"channel", b"session")
    expected = elligator2(hashlib.sha512(string).digest()[:32])
    assert calculate_generator(prs=code, ci=b"channel", sid=b"session") == expected
