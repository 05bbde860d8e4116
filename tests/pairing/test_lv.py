"""Length prefixes: the draft's numbers, and no two lists that come out alike."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blechannel.pairing.lv import lv, lv_cat, prepend_len


@pytest.mark.parametrize(
    ("data", "prefix"),
    [
        (b"", b"\x00"),
        (b"1234", b"\x04"),
        (bytes(range(127)), b"\x7f"),
        (bytes(range(128)), b"\x80\x01"),
        (bytes(16383), b"\xff\x7f"),
        (bytes(16384), b"\x80\x80\x01"),
    ],
)
def test_length_in_leb128_goes_first(data: bytes, prefix: bytes) -> None:
    assert prepend_len(data) == prefix + data
    assert lv(data) == prefix + data


def test_lists_of_the_draft() -> None:
    assert lv_cat(b"1234", b"5", b"", b"6789").hex() == "04313233340135000436373839"
    transcript = lv_cat(b"123", b"PartyA") + lv_cat(b"234", b"PartyB")
    assert transcript.hex() == "03313233065061727479410332333406506172747942"
    assert lv_cat() == b""


@given(first=st.lists(st.binary()), second=st.lists(st.binary()))
def test_two_lists_never_come_out_alike(first: list[bytes], second: list[bytes]) -> None:
    assert (lv_cat(*first) == lv_cat(*second)) == (first == second)


@given(data=st.binary(min_size=2), cut=st.data())
def test_a_moved_boundary_changes_the_bytes(data: bytes, cut: st.DataObject) -> None:
    one, other = cut.draw(st.lists(st.integers(0, len(data)), min_size=2, max_size=2, unique=True))
    assert lv_cat(data[:one], data[one:]) != lv_cat(data[:other], data[other:])
