"""Two long sequences matched in order, in a time that grows with their length and not with its square.

What occurs once in both is an anchor (patience sorting); between anchors the pieces are short, or are cut to be.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import Final

PIECE: Final = 500
"""Pieces up to this length are compared each with each."""

Pair = tuple[int, int]
"""An index in the first sequence, and one in the second."""


def aligned(one: Sequence[Hashable], two: Sequence[Hashable]) -> Iterator[Pair]:
    """Pairs of equal items, ascending in both: as many as are found, which need not be as many as there could be."""
    at, end = (0, 0), (len(one), len(two))
    for anchor in [*_anchors(one, two), end]:
        while at[0] < anchor[0] and at[1] < anchor[1]:
            same = _same(one, two, start=at, end=anchor)
            yield from _run(at, same)
            at = at[0] + same, at[1] + same
            until = min(at[0] + PIECE, anchor[0]), min(at[1] + PIECE, anchor[1])
            piece = SequenceMatcher(None, one[at[0] : until[0]], two[at[1] : until[1]], autojunk=False)
            after = until
            for block in piece.get_matching_blocks()[:-1]:
                start = at[0] + block.a, at[1] + block.b
                yield from _run(start, block.size)
                if until != anchor:  # what is left over belongs to the next piece, too
                    after = start[0] + block.size, start[1] + block.size
            at = after
        if anchor != end:
            yield anchor
        at = anchor[0] + 1, anchor[1] + 1


def _run(start: Pair, length: int) -> Iterator[Pair]:
    return zip(range(start[0], start[0] + length), range(start[1], start[1] + length), strict=True)


def _same(one: Sequence[Hashable], two: Sequence[Hashable], *, start: Pair, end: Pair) -> int:
    """How many items are equal from there on."""
    at, other = start
    while at < end[0] and other < end[1] and one[at] == two[other]:
        at, other = at + 1, other + 1
    return at - start[0]


def _anchors(one: Sequence[Hashable], two: Sequence[Hashable]) -> list[Pair]:
    """What occurs once in both, and in the same order: the longest ascending run of it."""
    ones, twos = Counter(one), Counter(two)
    where = {item: at for at, item in enumerate(two) if twos[item] == 1}
    found = [(at, where[item]) for at, item in enumerate(one) if ones[item] == 1 and item in where]
    tails: list[int] = []
    tops: list[int] = []
    before: list[int] = []
    for number, (_, other) in enumerate(found):
        rank = bisect_left(tails, other)
        tails[rank : rank + 1] = [other]
        tops[rank : rank + 1] = [number]
        before.append(tops[rank - 1] if rank else -1)
    run, number = list[Pair](), tops[-1] if tops else -1
    while number >= 0:
        run.append(found[number])
        number = before[number]
    return run[::-1]
