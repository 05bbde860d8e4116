"""The one place that knows what each change does to a book, and what it refuses."""

from __future__ import annotations

import hmac
from dataclasses import replace

from blechannel.errors import BondError, BondSuperseded
from blechannel.limits import MAX_LINKS, MAX_PENDING, MAX_PHONE_BONDS, RETIRED_HINT_KEYS
from blechannel.pairing import changes as to
from blechannel.pairing.access import Access, Standing
from blechannel.pairing.bonds import Bond, BondBook, Epoch
from blechannel.roles import Role


def apply(book: BondBook, change: to.Change, *, at_s: float) -> BondBook:
    """The book after `change`; `at_s` is the wall clock (seconds since 1970, 0 where there is none).

    Raises:
        BondNotFound: the change names a bond that is not there.
        BondSuperseded: what the change builds on has been replaced.
        BondError: no room for one more bond, a value that a bond cannot have, or nobody would own the watch.
    """
    match change:
        case to.SpendGuess():
            return replace(book, guesses_spent=book.guesses_spent + 1)
        case to.ResetGuesses():
            return replace(book, guesses_spent=0)
        case to.StoreBond() | to.StorePending():
            roomy = _with_room_for_pending(book) if isinstance(change, to.StorePending) else book
            spent = max(0, book.guesses_spent - change.gives_back_guess)
            return replace(_add(roomy, change.bond, at_s), guesses_spent=spent)
        case to.ConfirmBond():
            return _confirm(book, change, at_s)
        case to.Forget():
            return _forget(book, change)
        case to.TransferOwnership():
            return _transfer(book, book.bond(change.bond_id))
        case to.SetDiscoveryKey():
            return replace(book, discovery_key=change.discovery_key)
        case to.FactoryReset():
            return BondBook(discovery_key=change.fresh_discovery_key)
        case to.MoveOut():
            return _move_out(book, change.bonds)
        case to.MoveIn():
            return _move_in(book, change.bonds)
        case _:  # what changes one bond alone; the type checker holds that nothing else is left
            return _put(book, _changed(book.bond(change.bond_id), change, at_s))


_BondChange = (
    to.AddCandidate | to.Promote | to.Advance | to.MarkCopied | to.MarkNotRecognised | to.Rename | to.SetAccess
)


def _changed(bond: Bond, change: _BondChange, at_s: float) -> Bond:
    match change:
        case to.AddCandidate():
            return _with_candidate(bond, change)
        case to.Promote():
            return replace(_promote(bond, change.hint_key), last_seen_s=at_s)
        case to.Advance():
            return _advance(bond, change.epoch, at_s)
        case to.MarkCopied():
            return replace(bond, copied_s=at_s if bond.copied_s is None else bond.copied_s)
        case to.MarkNotRecognised():
            return replace(bond, not_recognised_s=at_s if bond.not_recognised_s is None else bond.not_recognised_s)
        case to.Rename():
            return replace(bond, peer_name=change.peer_name)
        case _:  # SetAccess
            _require(bond.role is Role.WATCH and not bond.access.is_owner, "only a guest's ports are chosen")
            return replace(bond, access=Access(Standing.GUEST, change.ports))


def _require(fits: bool, what: str) -> None:
    if not fits:
        raise BondError(what)


def _put(book: BondBook, *bonds: Bond) -> BondBook:
    return replace(book, bonds={**book.bonds, **{bond.bond_id: bond for bond in bonds}})


def _without(book: BondBook, *bond_ids: bytes) -> BondBook:
    return replace(book, bonds={k: b for k, b in book.bonds.items() if k not in bond_ids})


# --- bonds come and go ---------------------------------------------------------------------------------------


def _add(book: BondBook, bond: Bond, at_s: float) -> BondBook:
    """A full book refuses: evicting would let a stranger who pairs push an owner out."""
    _require(bond.bond_id not in book.bonds, "a bond with this identity exists")
    if bond.role is Role.WATCH:
        standing = Standing.GUEST if book.bonds else Standing.OWNER
        bond = replace(bond, access=Access(standing, bond.access.ports))
    return _put(book, replace(bond, created_s=at_s, last_seen_s=at_s))


def _with_room_for_pending(book: BondBook) -> BondBook:
    """Without pending bonds, as far as there would be too many of them or no room: first those beside which the bond
    that they were to replace is kept, which loses nothing, then the oldest. A confirmed bond makes no room."""
    kept = {bond.bond_id for bond in book.bonds.values() if not bond.pending}
    pending = sorted((bond for bond in book.bonds.values() if bond.pending), key=lambda bond: bond.replaces not in kept)
    surplus = max(0, len(pending) + 1 - MAX_PENDING, len(book.bonds) + 1 - MAX_PHONE_BONDS)
    return _without(book, *(bond.bond_id for bond in pending[:surplus]))


def _confirm(book: BondBook, change: to.ConfirmBond, at_s: float) -> BondBook:
    bond = book.bond(change.bond_id)
    confirmed = replace(
        bond,
        pending=False,
        replaces=None,
        peer_name=change.peer_name or bond.peer_name,
        discovery_key=change.discovery_key or bond.discovery_key,
        last_seen_s=at_s,
        not_recognised_s=None,
    )
    return _put(_without_replaced(book, bond), confirmed)


def _without_replaced(book: BondBook, bond: Bond) -> BondBook:
    """Without what `bond` was to replace, what that was to, and every pending bond that was to replace one of these."""
    dropped: set[bytes] = set()
    older: Bond | None = bond
    while older is not None and older.replaces is not None and older.replaces not in dropped:
        dropped.add(older.replaces)
        older = book.bonds.get(older.replaces)
    dropped |= {each.bond_id for each in book.bonds.values() if each.pending and each.replaces in dropped}
    return _without(book, *dropped)


def _forget(book: BondBook, change: to.Forget) -> BondBook:
    bond = book.bond(change.bond_id)
    if bond.role is Role.PHONE:
        return _without(book, bond.bond_id)
    _require(
        len(change.fresh_discovery_key) > 0 and change.fresh_discovery_key != book.discovery_key,
        "a watch that forgets a phone needs a fresh discovery key",
    )
    # To pass the watch on to whichever guest comes next would be for nobody to have decided.
    _require(
        not bond.access.is_owner or len(book.bonds) == 1,
        "this phone is the owner's: make another one the owner first, or forget the others first",
    )
    return replace(_without(book, bond.bond_id), discovery_key=change.fresh_discovery_key)


def _transfer(book: BondBook, heir: Bond) -> BondBook:
    _require(heir.role is Role.WATCH, "only a watch has an owner")
    before = [replace(bond, access=Access()) for bond in book.bonds.values() if bond.access.is_owner]
    return _put(book, *before, replace(heir, access=Access(Standing.OWNER)))


def _move_out(book: BondBook, bonds: tuple[Bond, ...]) -> BondBook:
    for bond in bonds:
        _require(bond.role is Role.PHONE, "the bonds of a watch do not move: pair with the new watch")
        if book.bond(bond.bond_id) != bond:
            raise BondSuperseded("a bond was used while it was being moved; try again")
    return _without(book, *(bond.bond_id for bond in bonds))


def _move_in(book: BondBook, bonds: tuple[Bond, ...]) -> BondBook:
    for bond in bonds:
        _require(bond.role is Role.PHONE, "the bonds of a watch do not move: pair with the new watch")
        _require(bond.bond_id not in book.bonds, f"the bond with {bond.peer_name or 'a watch'} is here already")
    return _put(book, *bonds)


# --- the ratchet ---------------------------------------------------------------------------------------------


def _with_candidate(bond: Bond, change: to.AddCandidate) -> Bond:
    _require(1 <= change.limit <= MAX_LINKS, f"a watch keeps 1 to {MAX_LINKS} candidates")
    if not hmac.compare_digest(change.under, bond.epoch.hint_key):
        bond = _promote(bond, change.under)
    kept = (*bond.candidates, change.candidate)[-change.limit :]
    return replace(bond, candidates=kept)


def _promote(bond: Bond, hint_key: bytes) -> Bond:
    for candidate in bond.candidates:
        if hmac.compare_digest(candidate.hint_key, hint_key):
            dropped = [each.hint_key for each in bond.candidates if each is not candidate]
            retired = (*bond.retired, *dropped, bond.epoch.hint_key)[-RETIRED_HINT_KEYS:]
            return replace(bond, epoch=candidate, candidates=(), retired=retired)
    raise BondSuperseded("another reconnect of this bond came first")


def _advance(bond: Bond, epoch: Epoch, at_s: float) -> Bond:
    if epoch.number != bond.epoch.number + 1:
        raise BondSuperseded("this bond has moved on")
    return replace(bond, epoch=epoch, last_seen_s=at_s, not_recognised_s=None)
