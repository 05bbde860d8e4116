"""The order in which two sides store a pairing, as a machine to explore: several runs, links, lost and held messages.

What the two sides remember changes by the real `bonds.apply` alone; `test_commit_order_is_real.py` walks real sessions
along the same moves. A run begins where the watch has verified m3: nothing but a guess was stored before. A reconnect
is one move: how it may be cut off is the ratchet's matter. A crash is every link closed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum, IntEnum
from functools import cache
from typing import NamedTuple

from blechannel.pairing.apply import apply
from blechannel.pairing.bonds import Bond, BondBook
from blechannel.pairing.changes import ConfirmBond, Forget, StoreBond, StorePending
from blechannel.roles import Role
from tests.model.explore import Move
from tests.pairing.made_bonds import bond, bond_id, book, key


class Order(Enum):
    """The protocol's order, and three that are worse."""

    PROTOCOL = "phone: pending before m5, confirmed on m6; watch: on m5, beside the old bond"
    BOTH_ON_M5 = "each has only the new bond from m5 on"
    ON_THE_REPLY = "watch: only the new bond on m5; phone: on m6"
    M5_FIRST = "phone: pending, but after m5"


class At(IntEnum):
    """Where one end of a run stands."""

    NOWHERE = 0
    PROVING = 1
    """Watch: m3 has verified, m5 is awaited. Phone: m4 is awaited."""
    STORING = 2
    CONFIRMED_AWAITED = 3
    """Phone: for m6."""
    CONFIRMING = 4


class Kept(NamedTuple):
    """One bond on the phone."""

    bond: int
    pending: bool
    replaces: int


class Run(NamedTuple):
    """One link: its ends, the bond that they make, and what is on its way."""

    phone: At = At.NOWHERE
    watch: At = At.NOWHERE
    bond: int = 0
    replaces: int = 0
    m4: bool = False
    m5: bool = False
    m6: bool = False


class State(NamedTuple):
    """Everything that matters."""

    phone: tuple[Kept, ...]
    watch: frozenset[int]
    runs: tuple[Run, ...]
    made: int
    """How many bonds were begun, the first one included."""


@dataclass(frozen=True)
class CommitOrder:
    """Up to `most_runs` pairings, beginning with a bond that both hold or with none."""

    links: int = 2
    most_runs: int = 3
    bonded: bool = True
    order: Order = Order.PROTOCOL

    def first(self) -> State:
        """No pairing under way."""
        kept = (Kept(1, False, 0),) if self.bonded else ()
        return State(kept, frozenset(each.bond for each in kept), (Run(),) * self.links, len(kept))

    def canonical(self, state: State) -> State:
        """Links have no order."""
        return state._replace(runs=tuple(sorted(state.runs)))

    def broken(self, state: State) -> str | None:
        """What must never be: a bond that was, and none that both hold."""
        confirmed = any(not each.pending for each in state.phone)
        if (confirmed or state.watch) and state.watch.isdisjoint(each.bond for each in state.phone):
            return "no bond is left that both sides hold"
        return None

    def moves(self, state: State) -> Iterator[tuple[Move, State]]:
        """See Machine; the number is the link's, and the bond's where none is needed."""
        for kept in state.phone:
            if kept.bond in state.watch and kept.pending:
                yield ("reconnect", kept.bond), state._replace(phone=confirm(state.phone, kept.bond))
        for number, run in enumerate(state.runs):
            for name, following in self._begin(state, number, run):
                yield (name, number), following
            for name, following in self._watch(state, number, run):
                yield (name, number), following
            for name, following in self._phone(state, number, run):
                yield (name, number), following

    def _begin(self, state: State, number: int, run: Run) -> Iterator[tuple[str, State]]:
        """The window serves one run until its m5; the phone may replace any bond that it has, or none."""
        is_free = run.phone is run.watch is At.NOWHERE and all(other.watch is not At.PROVING for other in state.runs)
        if is_free and state.made < self.most_runs + self.bonded:
            new = state.made + 1
            for replaces in (0, *(kept.bond for kept in state.phone)):
                begun = Run(At.PROVING, At.PROVING, new, replaces, m4=True)
                yield f"pair, replacing {replaces}", _put(state._replace(made=new), number, begun)

    def _watch(self, state: State, number: int, run: Run) -> Iterator[tuple[str, State]]:
        closed = run._replace(watch=At.NOWHERE, m5=False)
        if run.watch is not At.NOWHERE:
            yield "close", _put(state, number, closed)
        if run.watch is At.PROVING and run.m5:
            yield "m5", _put(state, number, run._replace(watch=At.STORING, m5=False))
        if run.watch is At.STORING:
            replaces = self.order in (Order.BOTH_ON_M5, Order.ON_THE_REPLY)
            stored = state._replace(watch=store_bond(state.watch, run.bond, alone=replaces))
            yield "bond, link lost", _put(stored, number, closed)
            yield "bond", _put(stored, number, closed._replace(m6=True))

    def _phone(self, state: State, number: int, run: Run) -> Iterator[tuple[str, State]]:
        gone = run._replace(phone=At.NOWHERE, m4=False, m6=False)
        if run.phone is not At.NOWHERE:
            yield "give up", _put(state, number, gone)
        match run.phone:
            case At.PROVING if run.m4:
                skips = self.order is Order.ON_THE_REPLY
                heard = run._replace(phone=At.CONFIRMED_AWAITED if skips else At.STORING, m4=False)
                yield "m4", _put(state, number, heard._replace(m5=skips or self.order is Order.M5_FIRST))
            case At.STORING:
                stored = state._replace(phone=store_pending(state.phone, run))
                if self.order is Order.BOTH_ON_M5:
                    stored = stored._replace(phone=confirm(stored.phone, run.bond))
                yield "pending, link lost", _put(stored, number, gone)
                said = run.m5 or self.order is not Order.M5_FIRST
                yield "pending", _put(stored, number, run._replace(phone=At.CONFIRMED_AWAITED, m5=said))
            case At.CONFIRMED_AWAITED if run.m6:
                yield "m6", _put(state, number, run._replace(phone=At.CONFIRMING, m6=False))
            case At.CONFIRMING:
                kept = state.phone
                if self.order is Order.ON_THE_REPLY:
                    kept = store_pending(kept, run)
                yield "confirmed", _put(state._replace(phone=confirm(kept, run.bond)), number, gone)


def _put(state: State, number: int, run: Run) -> State:
    over = run.phone is run.watch is At.NOWHERE
    return state._replace(runs=(*state.runs[:number], Run() if over else run, *state.runs[number + 1 :]))


# --- what is remembered, by the real `apply` ---


@cache
def store_pending(phone: tuple[Kept, ...], run: Run) -> tuple[Kept, ...]:
    """The phone's bonds with the new one beside them."""
    store = StorePending(_on_phone(Kept(run.bond, True, run.replaces)), gives_back_guess=True)
    return _seen(apply(_phone_book(phone), store, at_s=0.0))


@cache
def confirm(phone: tuple[Kept, ...], number: int) -> tuple[Kept, ...]:
    """The phone's bonds once this one stands; the same when it is gone."""
    if not any(kept.bond == number for kept in phone):
        return phone
    return _seen(apply(_phone_book(phone), ConfirmBond(bond_id(number)), at_s=0.0))


@cache
def store_bond(watch: frozenset[int], number: int, *, alone: bool) -> frozenset[int]:
    """The watch's bonds with the new one; `alone` in its place."""
    now = book(*(bond(each, Role.WATCH) for each in watch))
    now = apply(now, StoreBond(bond(number, Role.WATCH), gives_back_guess=True), at_s=0.0)
    for old in watch if alone else ():
        now = apply(now, Forget(bond_id(old), key("fresh", old)), at_s=0.0)
    return frozenset(_number(each) for each in now.bonds)


@cache
def _numbers() -> dict[bytes, int]:
    return {bond_id(number): number for number in range(1, 17)}


def _number(identity: bytes | None) -> int:
    return 0 if identity is None else _numbers()[identity]


def _on_phone(kept: Kept) -> Bond:
    replaces = bond_id(kept.replaces) if kept.replaces else None
    return replace(bond(kept.bond, Role.PHONE), pending=kept.pending, replaces=replaces)


def _phone_book(phone: tuple[Kept, ...]) -> BondBook:
    return book(*map(_on_phone, phone))


def _seen(phone_book: BondBook) -> tuple[Kept, ...]:
    return tuple(
        sorted(Kept(_number(key), each.pending, _number(each.replaces)) for key, each in phone_book.bonds.items())
    )
