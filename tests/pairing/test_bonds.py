"""Bonds, the book and changes as values: what is refused, and what is not shown."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from blechannel.errors import BondError
from blechannel.limits import MAX_LINKS, RETIRED_HINT_KEYS
from blechannel.pairing.access import Access, Standing
from blechannel.pairing.apply import apply
from blechannel.pairing.bonds import Bond, BondBook, Epoch
from blechannel.pairing.changes import (
    AddCandidate,
    Change,
    ConfirmBond,
    FactoryReset,
    Forget,
    MoveIn,
    MoveOut,
    Promote,
    Rename,
    SetDiscoveryKey,
    SpendGuess,
)
from blechannel.roles import Role
from tests.pairing.made_bonds import bond, bond_id, book, epoch, key

ONE = bond_id(1)


def after(before: BondBook, change: Change) -> BondBook:
    return apply(before, change, at_s=1.0)


def owned(seed: int) -> Bond:
    return replace(bond(seed, Role.WATCH), access=Access(Standing.OWNER))


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
        lambda: replace(bond(), peer_certificate=bytes(31)),
        lambda: replace(bond(), retired=(b"",)),
        lambda: replace(bond(), retired=(key(),) * (RETIRED_HINT_KEYS + 1)),
        lambda: replace(bond(), candidates=(epoch(1),) * (MAX_LINKS + 1)),
        lambda: replace(bond(), version=0),
        lambda: replace(bond(), version=256),
        lambda: replace(bond(), created_s=math.nan),
        lambda: replace(bond(), last_seen_s=math.inf),
        lambda: replace(bond(), copied_s=math.nan),
        lambda: replace(bond(), not_recognised_s=-math.inf),
        lambda: book(owned(1), owned(2)),
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
            AddCandidate(ONE, epoch(0).hint_key, epoch(1), 2),
            Forget(ONE, key("d")),
            FactoryReset(key("d")),
            MoveIn((secret,)),
            MoveOut((secret,)),
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


def test_a_book_names_its_owner() -> None:
    assert book(bond(1, Role.WATCH), owned(2)).owner == owned(2)
    assert book(bond(1, Role.WATCH)).owner is None
