"""The bond book: every change, what it refuses, and that nothing else is touched."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blechannel.errors import BondError, BondNotFound, BondSuperseded
from blechannel.limits import MAX_BONDS, MAX_LINKS, RETIRED_HINT_KEYS
from blechannel.pairing.bonds import (
    AddCandidate,
    Advance,
    Bond,
    BondBook,
    Change,
    ConfirmBond,
    Epoch,
    Forget,
    Promote,
    Rename,
    SetDiscoveryKey,
    SpendGuess,
    StoreBond,
    StorePending,
    apply,
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


@pytest.mark.parametrize(("spent", "gives_back", "left"), [(3, True, 2), (3, False, 3), (0, True, 0)])
def test_a_bond_gives_back_its_own_guess_and_no_more(spent: int, gives_back: bool, left: int) -> None:
    assert after(BondBook(guesses_spent=spent), StoreBond(bond(), gives_back)).guesses_spent == left


# --- adding and confirming ----------------------------------------------------------------------------------


@pytest.mark.parametrize("store", [StorePending, lambda made: StoreBond(made, gives_back_guess=False)])
def test_a_stored_bond_bears_the_time(store: Callable[[Bond], Change]) -> None:
    stored = after(book(bond(2)), store(bond(1)))
    assert stored.bond(ONE) == replace(bond(1), created_s=NOW_S, last_seen_s=NOW_S)
    assert stored.bond(bond_id(2)) == bond(2)


def test_an_identity_is_stored_once() -> None:
    with pytest.raises(BondError, match="exists"):
        after(book(bond(1)), StorePending(replace(bond(2), bond_id=ONE)))


def test_a_full_book_refuses_and_keeps_all() -> None:
    full = book(*map(bond, range(MAX_BONDS)))
    with pytest.raises(BondError, match="no room"):
        after(full, StoreBond(bond(99), gives_back_guess=True))
    assert len(full.bonds) == MAX_BONDS


def test_the_old_bond_stays_until_the_new_one_is_confirmed() -> None:
    new = replace(bond(1), pending=True, replaces=bond_id(2))
    pending = after(book(bond(2), bond(3)), StorePending(new))
    assert set(pending.bonds) == {ONE, bond_id(2), bond_id(3)}
    confirmed = after(pending, ConfirmBond(ONE, "Wrist", key("discovery")))
    assert set(confirmed.bonds) == {ONE, bond_id(3)}
    kept = confirmed.bond(ONE)
    assert (kept.pending, kept.replaces) == (False, None)
    assert (kept.peer_name, kept.discovery_key) == ("Wrist", key("discovery"))


def test_confirming_without_news_leaves_what_is_known() -> None:
    known = replace(bond(1), pending=True, discovery_key=key("discovery"))
    confirmed = after(book(known), ConfirmBond(ONE)).bond(ONE)
    assert confirmed == replace(known, pending=False, last_seen_s=NOW_S)


def test_confirming_drops_the_whole_chain_that_repeated_pairings_left() -> None:
    second = replace(bond(2), pending=True, replaces=bond_id(3))
    first = replace(bond(1), pending=True, replaces=bond_id(2))
    assert set(after(book(bond(3), second, first, bond(4)), ConfirmBond(ONE)).bonds) == {ONE, bond_id(4)}


def test_confirming_drops_what_else_was_to_replace_the_same_bond() -> None:
    """Pairings of one watch that were cut off and repeated: none of them is needed once one stands."""
    first, second = (replace(bond(n), pending=True, replaces=bond_id(3)) for n in (2, 1))
    later = replace(bond(4), pending=True, replaces=bond_id(1))
    assert set(after(book(bond(3), first, second, later), ConfirmBond(ONE)).bonds) == {ONE, bond_id(4)}


@pytest.mark.parametrize("replaced", [1, 9], ids=["itself", "a bond that was forgotten"])
def test_a_replaced_bond_that_is_not_there_is_no_harm(replaced: int) -> None:
    pending = replace(bond(1), pending=True, replaces=bond_id(replaced))
    assert set(after(book(pending, bond(2)), ConfirmBond(ONE)).bonds) == {ONE, bond_id(2)}


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


# --- what a person does -------------------------------------------------------------------------------------


def test_forgetting_takes_one_bond_away() -> None:
    assert after(book(bond(1), bond(2)), Forget(ONE)) == book(bond(2))


def test_renaming_changes_the_name_alone() -> None:
    assert after(book(bond()), Rename(ONE, "Küche")) == book(replace(bond(), peer_name="Küche"))


def test_a_discovery_key_is_replaced() -> None:
    assert after(book(bond()), SetDiscoveryKey(key("d"))) == replace(book(bond()), discovery_key=key("d"))


@pytest.mark.parametrize(
    "change",
    [
        ConfirmBond(ONE),
        AddCandidate(ONE, key(), epoch(1), 2),
        Promote(ONE, key()),
        Advance(ONE, epoch(1)),
        Forget(ONE),
        Rename(ONE, "name"),
    ],
    ids=lambda change: type(change).__name__,
)
def test_a_bond_that_is_not_there_is_not_found(change: Change) -> None:
    with pytest.raises(BondNotFound, match=ONE.hex()[:8]):
        after(book(bond(2)), change)


# --- values -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spoil",
    [
        lambda: Epoch(-1, key(), key()),
        lambda: Epoch(2**63, key(), key()),
        lambda: Epoch(0, key()[:31], key()),
        lambda: Epoch(0, key(), b""),
        lambda: replace(bond(), bond_id=b"short"),
        lambda: replace(bond(), replaces=b""),
        lambda: replace(bond(), own_static=b""),
        lambda: replace(bond(), peer_static=bytes(33)),
        lambda: replace(bond(), discovery_key=bytes(31)),
        lambda: replace(bond(), retired=(b"",)),
        lambda: replace(bond(), retired=(key(),) * (RETIRED_HINT_KEYS + 1)),
        lambda: replace(bond(), candidates=(epoch(1),) * (MAX_LINKS + 1)),
        lambda: replace(bond(), version=0),
        lambda: replace(bond(), version=256),
        lambda: replace(bond(), created_s=math.nan),
        lambda: replace(bond(), last_seen_s=math.inf),
        lambda: after(book(bond()), Rename(ONE, "ü" * 24 + "x")),
        lambda: after(book(bond()), Rename(ONE, "\ud800")),
        lambda: after(book(bond()), ConfirmBond(ONE, discovery_key=b"short")),
        lambda: after(book(bond()), SetDiscoveryKey(b"short")),
        lambda: BondBook(guesses_spent=-1),
        lambda: after(BondBook(guesses_spent=2**63 - 1), SpendGuess()),
    ],
)
def test_what_could_not_be_read_again_is_never_made(spoil: Callable[[], object]) -> None:
    with pytest.raises(BondError):
        spoil()


def test_secrets_are_not_shown() -> None:
    secret = replace(bond(), discovery_key=key("d"), retired=(key("r"),), candidates=(epoch(1),))
    shown = repr(
        [
            replace(book(secret), discovery_key=key("d")),
            candidate(epoch(0)),
            Promote(ONE, key("h")),
            ConfirmBond(ONE, "", key("d")),
            SetDiscoveryKey(key("d")),
        ]
    )
    secrets = [secret.own_static, secret.peer_static, *secret.retired, key("d"), key("h")]
    secrets += [each for made in (secret.epoch, *secret.candidates) for each in (made.psk, made.hint_key)]
    assert not [each for each in secrets if repr(each) in shown]


def test_a_bond_says_what_its_pairing_proved() -> None:
    assert bond(1, Role.WATCH).assurance == "6-digit code, one guess a try"
