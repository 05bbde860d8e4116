"""Sequences matched: always in order, always equal, complete where that is easy, and quick where it is not."""

from __future__ import annotations

import time
from itertools import pairwise
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from blechannel_capture.aligning import PIECE, aligned

ITEMS = st.lists(st.integers(0, 9), max_size=40)


@settings(max_examples=150, deadline=None)
@given(ITEMS, ITEMS)
def test_pairs_are_equal_and_in_order(one: list[int], two: list[int]) -> None:
    pairs = list(aligned(one, two))
    assert all(one[a] == two[b] for a, b in pairs)
    assert all(before[0] < after[0] and before[1] < after[1] for before, after in pairwise(pairs))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(), max_size=60))
def test_the_same_is_matched_wholly(items: list[int]) -> None:
    assert list(aligned(items, items)) == [(at, at) for at in range(len(items))]


@settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(0, 10**9), max_size=60, unique=True), st.data())
def test_what_was_taken_out_is_all_that_is_missing(items: list[int], data: st.DataObject) -> None:
    kept = [item for item in items if data.draw(st.booleans())]
    assert len(list(aligned(items, kept))) == len(kept)
    assert len(list(aligned(kept, items))) == len(kept)


def test_items_without_anchors_are_matched_piece_by_piece() -> None:
    random = Random(3)
    one = [random.randrange(40) for _ in range(4 * PIECE)]
    two = one[:700] + one[720:1500] + [99] * 30 + one[1500:]
    assert len(list(aligned(one, two))) >= len(one) - 40


def test_sequences_that_have_nothing_in_common_end_quickly() -> None:
    began = time.process_time()
    assert list(aligned([1] * 20_000, [2] * 20_000)) == []
    assert list(aligned(list(range(20_000)), list(range(20_000, 0, -1)))) != []
    assert time.process_time() - began < 5
