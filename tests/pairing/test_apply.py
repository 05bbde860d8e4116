"""The bond book: every change, what it refuses, and that nothing else is touched."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blechannel.errors import BondError, BondNotFound, BondSuperseded
from blechannel.limits import MAX_BONDS, MAX_LINKS, MAX_PENDING, MAX_PHONE_BONDS, RETIRED_HINT_KEYS
from blechannel.pairing.access import Access, Standing
from blechannel.pairing.apply import apply
from blechannel.pairing.bonds import Bond, BondBook, Epoch
from blechannel.pairing.changes import (
    AddCandidate,
    Advance,
    Change,
    ConfirmBond,
    FactoryReset,
    Forget,
    MarkCopied,
    MarkNotRecognised,
    MoveIn,
    MoveOut,
    Promote,
    Rename,
    ResetGuesses,
    SetAccess,
    SetDiscoveryKey,
    SpendGuess,
    StoreBond,
    StorePending,
    TransferOwnership,
)
from blechannel.roles import Role
from tests.pairing.made_bonds import bond, bond_id, book, epoch, key

ONE = bond_id(1)
NOW_S = 1_800_000_000.5


def after(before: BondBook, *changes: Change) -> BondBook:
    for change in changes:
        before = apply(before, change, at_s=NOW_S)
    return before


def candidate(under: Epoch, *seed: object, limit: int = 2) -> AddCandidate:
    return AddCandidate(ONE, under.hint_key, epoch(under.number + 1, *seed), limit)


# --- guesses ------------------------------------------------------------------------------------------------


def test_each_guess_is_counted() -> None:
    assert after(BondBook(), SpendGuess(), SpendGuess()).guesses_spent == 2


@pytest.mark.parametrize("store", [StorePending, StoreBond])
@pytest.mark.parametrize(("spent", "gives_back", "left"), [(3, True, 2), (3, False, 3), (0, True, 0)])
def test_a_bond_gives_back_its_own_guess_and_no_more(
    store: type[StorePending | StoreBond], spent: int, gives_back: bool, left: int
) -> None:
    assert after(BondBook(guesses_spent=spent), store(bond(), gives_back)).guesses_spent == left


def test_a_reset_takes_every_guess_and_nothing_else() -> None:
    before = replace(book(bond()), guesses_spent=7)
    assert after(before, ResetGuesses()) == book(bond())


# --- adding and confirming ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "store",
    [partial(StorePending, gives_back_guess=False), partial(StoreBond, gives_back_guess=False)],
    ids=["phone", "watch"],
)
def test_a_stored_bond_bears_the_time(store: Callable[[Bond], Change]) -> None:
    stored = after(book(bond(2)), store(bond(1)))
    assert stored.bond(ONE) == replace(bond(1), created_s=NOW_S, last_seen_s=NOW_S)
    assert stored.bond(bond_id(2)) == bond(2)


def test_an_identity_is_stored_once() -> None:
    with pytest.raises(BondError, match="exists"):
        after(book(bond(1)), StorePending(replace(bond(2), bond_id=ONE), gives_back_guess=False))


@pytest.mark.parametrize(("role", "most"), [(Role.WATCH, MAX_BONDS), (Role.PHONE, MAX_PHONE_BONDS)])
def test_a_full_book_refuses_and_keeps_all(role: Role, most: int) -> None:
    full = book(*(bond(seed, role) for seed in range(most)))
    with pytest.raises(BondError, match="no room"):
        after(full, StoreBond(bond(most, role), gives_back_guess=True))
    assert len(full.bonds) == most


def test_the_old_bond_stays_until_the_new_one_is_confirmed() -> None:
    new = replace(bond(1), pending=True, replaces=bond_id(2))
    stored = after(book(bond(2), bond(3)), StorePending(new, gives_back_guess=False))
    assert set(stored.bonds) == {ONE, bond_id(2), bond_id(3)}
    confirmed = after(stored, ConfirmBond(ONE, "Wrist", key("discovery")))
    assert set(confirmed.bonds) == {ONE, bond_id(3)}
    kept = confirmed.bond(ONE)
    assert (kept.pending, kept.replaces) == (False, None)
    assert (kept.peer_name, kept.discovery_key) == ("Wrist", key("discovery"))


def test_confirming_without_news_leaves_what_is_known() -> None:
    known = replace(bond(1), pending=True, discovery_key=key("discovery"))
    confirmed = after(book(known), ConfirmBond(ONE)).bond(ONE)
    assert confirmed == replace(known, pending=False, last_seen_s=NOW_S)


def test_confirming_drops_the_whole_chain_that_repeated_pairings_left() -> None:
    repeated = book(bond(3), pending(2, replaces=3), pending(1, replaces=2), bond(4))
    assert set(after(repeated, ConfirmBond(ONE)).bonds) == {ONE, bond_id(4)}


def test_confirming_drops_what_else_was_to_replace_the_same_bond() -> None:
    """Pairings of one watch that were cut off and repeated: none of them is needed once one stands."""
    repeated = book(bond(3), pending(2, replaces=3), pending(1, replaces=3), pending(4, replaces=1))
    assert set(after(repeated, ConfirmBond(ONE)).bonds) == {ONE, bond_id(4)}


@pytest.mark.parametrize("replaces", [None, 3])
def test_confirming_drops_no_first_pairing_that_was_cut_off(replaces: int | None) -> None:
    """It may have been with another watch."""
    kept = after(book(bond(3), pending(1, replaces), pending(5)), ConfirmBond(ONE))
    assert bond_id(5) in kept.bonds


def test_confirming_drops_no_confirmed_bond_but_the_one_that_is_replaced() -> None:
    """Not even one that says of itself that it replaces the same; a book from elsewhere may hold such."""
    other = replace(bond(4), replaces=bond_id(3))
    assert set(after(book(bond(3), pending(1, replaces=3), other), ConfirmBond(ONE)).bonds) == {ONE, bond_id(4)}


@pytest.mark.parametrize("replaced", [1, 9], ids=["itself", "a bond that was forgotten"])
def test_a_replaced_bond_that_is_not_there_is_no_harm(replaced: int) -> None:
    assert set(after(book(pending(1, replaced), bond(2)), ConfirmBond(ONE)).bonds) == {ONE, bond_id(2)}


def pending(seed: int, replaces: int | None = None) -> Bond:
    return replace(bond(seed), pending=True, replaces=None if replaces is None else bond_id(replaces))


def numbers(kept: BondBook) -> list[int]:
    return [number for number in range(1, 40) if bond_id(number) in kept.bonds]


def test_pairings_that_were_cut_off_leave_so_many_bonds_and_the_oldest_goes_first() -> None:
    kept = book(bond(20))
    for number in range(1, 9):
        kept = after(kept, StorePending(pending(number), gives_back_guess=False))
        assert numbers(kept) == [*range(max(1, number + 1 - MAX_PENDING), number + 1), 20]


def test_a_pending_bond_beside_the_one_that_it_replaces_goes_before_one_that_may_be_all_there_is() -> None:
    kept = book(pending(1), pending(2, replaces=9), pending(3, replaces=20), pending(4, replaces=20), bond(20))
    for number, left in ((5, [1, 2, 4, 5, 20]), (6, [1, 2, 5, 6, 20]), (7, [2, 5, 6, 7, 20])):
        kept = after(kept, StorePending(pending(number), gives_back_guess=False))
        assert numbers(kept) == left


def test_in_a_full_book_pending_bonds_make_room_and_confirmed_ones_never() -> None:
    confirmed = [bond(number) for number in range(20, 18 + MAX_PHONE_BONDS)]
    full = after(book(pending(1), pending(2), *confirmed), StorePending(pending(3), gives_back_guess=False))
    assert set(full.bonds) == {bond_id(number) for number in (2, 3, *range(20, 18 + MAX_PHONE_BONDS))}
    with pytest.raises(BondError, match="no room"):
        after(book(*confirmed, bond(1), bond(2)), StorePending(pending(3), gives_back_guess=False))


# --- the ratchet --------------------------------------------------------------------------------------------


def test_the_phone_moves_to_the_next_epoch_alone() -> None:
    moved = after(book(bond()), Advance(ONE, epoch(1))).bond(ONE)
    assert moved == replace(bond(), epoch=epoch(1), last_seen_s=NOW_S)


@pytest.mark.parametrize("number", [4, 5, 7])
def test_the_phone_skips_and_repeats_no_epoch(number: int) -> None:
    with pytest.raises(BondSuperseded):
        after(book(replace(bond(), epoch=epoch(5))), Advance(ONE, epoch(number)))


def test_the_watch_keeps_the_newest_candidates_in_order() -> None:
    now = bond().epoch
    offered = [candidate(now, letter, limit=2) for letter in "abc"]
    kept = after(book(bond()), *offered).bond(ONE)
    assert kept.candidates == (offered[1].candidate, offered[2].candidate)
    assert kept.epoch == now


def test_a_message_under_a_candidate_moves_the_watch_first() -> None:
    first, other = candidate(bond().epoch, "a"), candidate(bond().epoch, "b")
    then = candidate(first.candidate, "c")
    moved = after(book(bond()), first, other, then).bond(ONE)
    assert moved.epoch == first.candidate
    assert moved.candidates == (then.candidate,)
    assert moved.retired == (other.candidate.hint_key, bond().epoch.hint_key)


def test_promotion_drops_the_other_candidates_and_retires_them_with_the_epoch() -> None:
    """Only a second holder of the bond can have moved to a candidate that is dropped."""
    older, first, other = (candidate(bond().epoch, letter, limit=3) for letter in "abc")
    moved = after(book(bond()), older, first, other, Promote(ONE, first.candidate.hint_key)).bond(ONE)
    assert (moved.epoch, moved.candidates) == (first.candidate, ())
    assert moved.retired == (older.candidate.hint_key, other.candidate.hint_key, bond().epoch.hint_key)
    assert moved.last_seen_s == NOW_S


@pytest.mark.parametrize(
    "stale",
    [
        Promote(ONE, key("never offered")),
        Promote(ONE, bond().epoch.hint_key),
        AddCandidate(ONE, key("never offered"), epoch(1), 2),
    ],
    ids=["unknown", "the current epoch", "candidate under an unknown key"],
)
def test_a_reconnect_that_was_overtaken_is_superseded(stale: Change) -> None:
    with pytest.raises(BondSuperseded):
        after(book(bond()), stale)


def test_a_retired_key_opens_nothing() -> None:
    first = candidate(bond().epoch, "a")
    moved = after(book(bond()), first, Promote(ONE, first.candidate.hint_key))
    with pytest.raises(BondSuperseded):
        after(moved, candidate(bond().epoch, "again"))


@pytest.mark.parametrize("limit", [-1, 0, MAX_LINKS + 1])
def test_the_number_of_candidates_is_bounded(limit: int) -> None:
    with pytest.raises(BondError, match="candidates"):
        after(book(bond()), candidate(bond().epoch, limit=limit))


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=24), st.integers(1, MAX_LINKS))
def test_whatever_the_watch_hears_its_memory_is_bounded(steps: list[tuple[int, bool]], limit: int) -> None:
    """Each step takes a reconnect under the current epoch or a candidate, and may finish it."""
    now = book(bond())
    for seed, (choice, finishes) in enumerate(steps):
        before = now.bond(ONE)
        under = (before.epoch, *before.candidates)[choice % (1 + len(before.candidates))]
        offer = candidate(under, seed, limit=limit)
        now = after(now, offer, *[Promote(ONE, offer.candidate.hint_key)] * finishes)
        held = now.bond(ONE)
        assert held.knows(offer.candidate.hint_key)
        assert held.knows(under.hint_key) is (not finishes)
        assert len(held.candidates) <= limit
        assert len(held.retired) <= RETIRED_HINT_KEYS
        assert held.retired[-1:] != (held.epoch.hint_key,)
        assert all(each.number == held.epoch.number + 1 for each in held.candidates)


# --- marks ---------------------------------------------------------------------------------------------------


def test_the_first_moment_of_a_copy_is_kept() -> None:
    once = apply(book(bond()), MarkCopied(ONE), at_s=5.0)
    assert once == book(replace(bond(), copied_s=5.0))
    assert after(once, MarkCopied(ONE)) == once


def test_a_refusal_is_dated_until_the_bond_works_again() -> None:
    refused = apply(book(bond()), MarkNotRecognised(ONE), at_s=0.0)
    assert refused == book(replace(bond(), not_recognised_s=0.0))
    assert after(refused, MarkNotRecognised(ONE)) == refused
    assert after(refused, Advance(ONE, epoch(1))).bond(ONE).not_recognised_s is None
    assert after(refused, ConfirmBond(ONE)).bond(ONE).not_recognised_s is None


# --- what a person does -------------------------------------------------------------------------------------


def test_a_phone_forgets_one_bond() -> None:
    assert after(book(bond(1), bond(2)), Forget(ONE)) == book(bond(2))


def test_a_watch_that_forgets_changes_its_discovery_key_in_the_same_change() -> None:
    before = replace(book(guest(1), owner(2)), discovery_key=key("old"))
    assert after(before, Forget(ONE, key("new"))) == replace(book(owner(2)), discovery_key=key("new"))


@pytest.mark.parametrize("fresh", [b"", key("old"), b"short"], ids=["none", "the same", "short"])
def test_a_watch_that_forgets_needs_a_fresh_discovery_key(fresh: bytes) -> None:
    before = replace(book(guest(1), owner(2)), discovery_key=key("old"))
    with pytest.raises(BondError, match="discovery key"):
        after(before, Forget(ONE, fresh))


def test_renaming_changes_the_name_alone() -> None:
    assert after(book(bond()), Rename(ONE, "Küche")) == book(replace(bond(), peer_name="Küche"))


def test_a_discovery_key_is_replaced() -> None:
    assert after(book(bond()), SetDiscoveryKey(key("d"))) == replace(book(bond()), discovery_key=key("d"))


def test_a_factory_reset_leaves_a_fresh_key_and_nothing_else() -> None:
    before = replace(book(owner(1), guest(2)), guesses_spent=5, discovery_key=key("old"))
    assert after(before, FactoryReset(key("new"))) == BondBook(discovery_key=key("new"))


# --- the owner ----------------------------------------------------------------------------------------------


def owner(seed: int) -> Bond:
    return replace(bond(seed, Role.WATCH), access=Access(Standing.OWNER))


def guest(seed: int, *ports: str) -> Bond:
    return replace(bond(seed, Role.WATCH), access=Access(Standing.GUEST, frozenset(ports) or None))


def test_the_first_phone_of_a_watch_is_the_owners_and_others_are_guests() -> None:
    claims = [replace(owner(seed), access=Access(Standing.OWNER)) for seed in (1, 2, 3)]
    stored = after(BondBook(), *(StoreBond(each, gives_back_guess=False) for each in claims))
    assert [each.access.is_owner for each in stored.bonds.values()] == [True, False, False]


def test_the_first_watch_of_a_phone_is_owned_by_nobody() -> None:
    assert after(BondBook(), StorePending(bond(), gives_back_guess=False)).owner is None


def test_a_transfer_makes_one_owner_of_another() -> None:
    before = book(owner(1), guest(2, "echo"), guest(3))
    assert after(before, TransferOwnership(bond_id(2))) == book(guest(1), owner(2), guest(3))
    assert after(before, TransferOwnership(ONE)) == before


def test_a_phones_bond_owns_nothing() -> None:
    with pytest.raises(BondError, match="only a watch has an owner"):
        after(book(bond(1)), TransferOwnership(ONE))


def test_the_owner_goes_last() -> None:
    with pytest.raises(BondError, match="make another one the owner first"):
        after(book(owner(1), guest(2)), Forget(ONE, key("new")))
    assert not after(book(owner(1)), Forget(ONE, key("new"))).bonds


def test_a_guests_ports_are_chosen() -> None:
    chosen = after(book(owner(2), guest(1)), SetAccess(ONE, frozenset({"echo"})))
    assert chosen == book(owner(2), guest(1, "echo"))
    assert after(chosen, SetAccess(ONE, None)) == book(owner(2), guest(1))


@pytest.mark.parametrize("whose", [owner(1), bond(1)], ids=["owner", "phone's"])
def test_nobody_elses_ports_are_chosen(whose: Bond) -> None:
    with pytest.raises(BondError, match="only a guest's ports"):
        after(book(whose), SetAccess(ONE, frozenset()))


OWNED = st.lists(
    st.one_of(
        st.builds(lambda n: StoreBond(bond(n, Role.WATCH), gives_back_guess=False), st.integers(1, 4)),
        st.builds(lambda n, fresh: Forget(bond_id(n), key("fresh", fresh)), st.integers(1, 4), st.integers()),
        st.builds(lambda n: TransferOwnership(bond_id(n)), st.integers(1, 4)),
        st.builds(lambda n: SetAccess(bond_id(n), frozenset({"echo"})), st.integers(1, 4)),
        st.builds(lambda fresh: FactoryReset(key("reset", fresh)), st.integers()),
    ),
    max_size=20,
)


@given(changes=OWNED)
def test_whatever_happens_a_watch_with_bonds_has_one_owner(changes: list[Change]) -> None:
    held = BondBook()
    for change in changes:
        with suppress(BondError):
            held = after(held, change)
        assert sum(each.access.is_owner for each in held.bonds.values()) == bool(held.bonds)


# --- moving -------------------------------------------------------------------------------------------------


def test_bonds_move_out_and_in_again() -> None:
    before = book(bond(1), bond(2), bond(3))
    away = (bond(1), bond(3))
    assert after(before, MoveOut(away)) == book(bond(2))
    assert after(book(bond(2)), MoveIn(away)) == book(bond(2), bond(1), bond(3))


def test_a_bond_that_was_used_meanwhile_does_not_move() -> None:
    with pytest.raises(BondSuperseded, match="while it was being moved"):
        after(book(bond(1), replace(bond(2), epoch=epoch(1, 2))), MoveOut((bond(1), bond(2))))


def test_a_bond_that_is_here_already_does_not_move_in() -> None:
    with pytest.raises(BondError, match="Peer 2 is here already"):
        after(book(bond(2)), MoveIn((bond(1), bond(2))))


@pytest.mark.parametrize("change", [MoveIn, MoveOut])
def test_the_bonds_of_a_watch_do_not_move(change: type[MoveIn | MoveOut]) -> None:
    before = book(guest(1)) if change is MoveOut else BondBook()
    with pytest.raises(BondError, match="of a watch do not move"):
        after(before, change((guest(1),)))


def test_what_moves_in_has_to_fit() -> None:
    with pytest.raises(BondError, match="no room"):
        after(book(bond(0)), MoveIn(tuple(bond(seed) for seed in range(1, MAX_PHONE_BONDS + 1))))


@pytest.mark.parametrize(
    "change",
    [
        ConfirmBond(ONE),
        AddCandidate(ONE, key(), epoch(1), 2),
        Promote(ONE, key()),
        Advance(ONE, epoch(1)),
        MarkCopied(ONE),
        MarkNotRecognised(ONE),
        Forget(ONE),
        Rename(ONE, "name"),
        SetAccess(ONE, None),
        TransferOwnership(ONE),
        MoveOut((bond(1),)),
    ],
    ids=lambda change: type(change).__name__,
)
def test_a_bond_that_is_not_there_is_not_found(change: Change) -> None:
    with pytest.raises(BondNotFound, match=ONE.hex()[:8]):
        after(book(bond(2)), change)
