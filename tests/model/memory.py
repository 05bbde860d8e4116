"""What both sides remember of one bond, as numbers, and how the real `bonds.apply` changes it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import NamedTuple

from blechannel.errors import BondSuperseded
from blechannel.pairing.apply import apply
from blechannel.pairing.bonds import Bond, Epoch
from blechannel.pairing.changes import AddCandidate, Advance, Change, Promote
from blechannel.roles import Role
from tests.pairing.made_bonds import bond, book

NUMBER = 10
"""Of the epoch that a side is in; that of the next is one more."""


class Watch(NamedTuple):
    """The watch's keys of one bond: the epoch's, those that may follow, those that were."""

    epoch: int
    candidates: tuple[int, ...] = ()
    retired: tuple[int, ...] = ()

    def knows(self, key: int) -> bool:
        """Whether an m1 under this key finds the bond."""
        return key == self.epoch or key in self.candidates


@cache
def add_candidate(watch: Watch, under: int, key: int, limit: int) -> Watch | None:
    """None when another reconnect came first."""
    return _watch_after(watch, AddCandidate(_ID, _key(under), _epoch(NUMBER + 1, key), limit))


@cache
def promote(watch: Watch, key: int) -> Watch | None:
    """None when another reconnect came first."""
    return _watch_after(watch, Promote(_ID, _key(key)))


@cache
def advance(stale: bool) -> bool:
    """Whether the phone may move, by a handshake that it began in this epoch or in the one before."""
    try:
        apply(book(bond(role=Role.PHONE)), Advance(_ID, _epoch(0 if stale else 1, 1)), at_s=0.0)
    except BondSuperseded:
        return False
    return True


_ID = bond().bond_id


def _key(number: int) -> bytes:
    return number.to_bytes(32, "big", signed=True)


def _number(key: bytes) -> int:
    return int.from_bytes(key, "big", signed=True)


def _epoch(number: int, key: int) -> Epoch:
    return Epoch(number, _key(key), _key(key))


def _watch_after(watch: Watch, change: Change) -> Watch | None:
    try:
        after = apply(book(_as_bond(watch)), change, at_s=0.0)
    except BondSuperseded:
        return None
    return seen(after.bond(_ID))


def _as_bond(watch: Watch) -> Bond:
    return replace(
        bond(role=Role.WATCH),
        epoch=_epoch(NUMBER, watch.epoch),
        candidates=tuple(_epoch(NUMBER + 1, key) for key in watch.candidates),
        retired=tuple(map(_key, watch.retired)),
    )


def seen(stored: Bond) -> Watch:
    """A stored bond, as numbers."""
    candidates = tuple(_number(each.hint_key) for each in stored.candidates)
    return Watch(_number(stored.epoch.hint_key), candidates, tuple(map(_number, stored.retired)))
