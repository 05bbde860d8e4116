"""Bonds as bytes: the same again, and any other bytes are refused."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blechannel.errors import BondError
from blechannel.limits import MAX_PHONE_BONDS
from blechannel.pairing.bonds import Bond
from blechannel.roles import Role
from blechannel.stores.packed_bonds import pack_bonds, unpack_bonds
from tests.pairing.made_bonds import bond
from tests.stores.made_stores import full_watch_bond

REFUSED = (ValueError, struct.error, BondError)


def full_phone_bond(seed: int) -> Bond:
    return replace(full_watch_bond(seed), role=Role.PHONE)


@pytest.mark.parametrize("count", [0, 1, 16])
def test_packed_bonds_are_the_same_again(count: int) -> None:
    bonds = tuple(full_phone_bond(seed) if seed % 2 else bond(seed) for seed in range(count))
    assert unpack_bonds(pack_bonds(bonds)) == bonds


def test_more_bonds_than_a_phone_holds_are_refused() -> None:
    with pytest.raises(ValueError, match="more than 4096"):
        unpack_bonds(pack_bonds([bond()]) * (MAX_PHONE_BONDS + 1))


@given(cut=st.integers(0, len(pack_bonds([bond()])) - 1))
def test_what_is_cut_off_is_refused(cut: int) -> None:
    packed = pack_bonds([bond()])[:cut]
    if not packed:
        return
    with pytest.raises(REFUSED):
        unpack_bonds(packed)


def test_a_cell_that_is_cut_off_is_said_to_be() -> None:
    with pytest.raises(ValueError, match="cut off"):
        unpack_bonds(pack_bonds([full_phone_bond(1)])[:-1])


@given(at=st.integers(0, len(pack_bonds([full_phone_bond(1)])) - 1), value=st.integers(1, 255))
def test_what_is_altered_is_bonds_or_refused(at: int, value: int) -> None:
    packed = bytearray(pack_bonds([full_phone_bond(1)]))
    packed[at] ^= value
    try:
        bonds = unpack_bonds(bytes(packed))
    except REFUSED:
        return
    assert all(each.role is Role.PHONE for each in bonds)


@given(packed=st.binary(min_size=1, max_size=200))
def test_junk_is_refused(packed: bytes) -> None:
    with pytest.raises(REFUSED):
        unpack_bonds(packed)


def test_a_none_with_content_is_refused() -> None:
    with pytest.raises(ValueError, match="no kind"):
        unpack_bonds(b"\0\0\1x")
