"""Bonds: what two sides remember of each other, and every way in which that memory changes.

The whole memory of one side is a `BondBook`, an immutable value. A `Change` says what shall be different, `apply`
is the one place that knows how. Stores make a change durable and then publish the new book; the session asks for
changes and reads books (protocol, "Reconnect" and "Pairing: commit order").
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Protocol

from blechannel.errors import BondError, BondNotFound, BondSuperseded
from blechannel.limits import MAX_BONDS, RETIRED_HINT_KEYS
from blechannel.roles import Role


class Method(IntEnum):
    """How a pairing was authenticated; the numbers are those of the wire. 2 to 4 are reserved."""

    PASSKEY = 1


class Suite(IntEnum):
    """What the key agreement is made of; the numbers are those of the wire, higher is stronger."""

    CLASSICAL = 1


@dataclass(frozen=True, slots=True)
class Epoch:
    """The keys of one reconnect. Each reconnect replaces them."""

    number: int
    psk: bytes = field(repr=False)
    """32 bytes: mixed into the next handshake and into the keys of the next epoch."""
    hint_key: bytes = field(repr=False)
    """32 bytes: authenticates the first message, so that the watch finds the bond without a trial decryption."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bond:
    """One remembered peer."""

    bond_id: bytes
    """16 random bytes, local to this side; never on the air."""
    role: Role
    """The role that this side plays in the bond."""
    peer_name: str
    method: Method
    suite: Suite
    version: int
    """Highest protocol version used with this peer; a lower one is refused."""
    own_static: bytes = field(repr=False)
    """32 bytes: this side's X25519 private key, made for this bond alone."""
    peer_static: bytes = field(repr=False)
    """32 bytes: the peer's X25519 public key, made for this bond alone."""
    epoch: Epoch
    candidates: tuple[Epoch, ...] = ()
    """Watch: next epochs that were offered and not yet confirmed, oldest first."""
    retired: tuple[bytes, ...] = field(default=(), repr=False)
    """Watch: the last hint keys that were replaced, oldest first; seeing one again is evidence of a copy."""
    discovery_key: bytes = field(default=b"", repr=False)
    """Phone: resolves the watch's advertisements; empty until the watch has sent it."""
    pending: bool = False
    """Phone: stored before the watch confirmed."""
    replaces: bytes | None = None
    """Phone: the older bond with the same watch, kept until this one is confirmed."""
    created_s: float = 0.0
    """Seconds since 1970 on this side's wall clock; 0 where it has none."""
    last_seen_s: float = 0.0

    @property
    def assurance(self) -> str:
        """What the pairing proved, for people."""
        return {Method.PASSKEY: "6-digit code, one guess a try"}[self.method]

    def knows(self, hint_key: bytes) -> bool:
        """Whether this hint key is that of the current epoch or of a candidate."""
        return hint_key == self.epoch.hint_key or any(hint_key == c.hint_key for c in self.candidates)


@dataclass(frozen=True, slots=True)
class BondBook:
    """Everything that one side remembers."""

    bonds: Mapping[bytes, Bond] = field(default_factory=dict)
    guesses_spent: int = 0
    """Watch: codes that were tried and not proven right since the last reset; survives restarts."""
    discovery_key: bytes = field(default=b"", repr=False)
    """Watch: 32 bytes; keys the advertisement that bonded phones resolve."""

    def bond(self, bond_id: bytes) -> Bond:
        """Raises BondNotFound."""
        try:
            return self.bonds[bond_id]
        except KeyError:
            raise BondNotFound(f"no bond {bond_id.hex()[:8]}") from None


class BookView(Protocol):
    """Something that shows the newest durable book."""

    @property
    def book(self) -> BondBook:
        """The book as it is on disk now."""


class BondStore(BookView, Protocol):
    """Makes changes durable, one after the other, and shows the book that resulted."""

    async def apply(self, change: Change) -> BondBook:
        """Make `change` durable, then publish and return the new book. Never blocks the event loop.

        Raises:
            BondError: the change does not fit the book; nothing changed.
            StoreError: it could not be written; nothing changed.
        """

    async def close(self) -> None:
        """Finish what is under way and release the store. Safe to call again."""


# --- changes ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SpendGuess:
    """Watch, on m3, before it is checked."""


@dataclass(frozen=True, slots=True)
class StoreBond:
    """Watch, on m5: the bond stands, and the run's own guess is given back."""

    bond: Bond
    gives_back_guess: bool


@dataclass(frozen=True, slots=True)
class StorePending:
    """Phone, before m5: remember the new bond beside the one that it replaces."""

    bond: Bond


@dataclass(frozen=True, slots=True)
class ConfirmBond:
    """Phone, on m6 or on the first reconnect: the new bond stands, the one that it replaces goes.

    An empty name or discovery key leaves what is known.
    """

    bond_id: bytes
    peer_name: str = ""
    discovery_key: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class AddCandidate:
    """Watch, before m2 of a reconnect whose tag was made with the hint key `under`.

    If that is a candidate's, the phone has moved on: so does the watch, first. `limit` is the number of links.
    """

    bond_id: bytes
    under: bytes = field(repr=False)
    candidate: Epoch
    limit: int


@dataclass(frozen=True, slots=True)
class Promote:
    """Watch, when record 0 verifies: move to the candidate with this hint key and drop the others."""

    bond_id: bytes
    hint_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Advance:
    """Phone, on a valid m2 and before record 0: move from one epoch to the next and forget the old one."""

    bond_id: bytes
    epoch: Epoch


@dataclass(frozen=True, slots=True)
class Forget:
    """A person removes a bond."""

    bond_id: bytes


@dataclass(frozen=True, slots=True)
class Rename:
    """A person names the peer."""

    bond_id: bytes
    peer_name: str


@dataclass(frozen=True, slots=True)
class SetDiscoveryKey:
    """Watch: a new key for the advertisements."""

    discovery_key: bytes = field(repr=False)


Change = (
    SpendGuess
    | StoreBond
    | StorePending
    | ConfirmBond
    | AddCandidate
    | Promote
    | Advance
    | Forget
    | Rename
    | SetDiscoveryKey
)


def apply(book: BondBook, change: Change, *, at_s: float) -> BondBook:
    """The book after `change`; `at_s` is the wall clock (seconds since 1970, 0 where there is none).

    Raises:
        BondNotFound: the change names a bond that is not there.
        BondSuperseded: the epoch that the change builds on has been replaced.
        BondError: no room for one more bond.
    """
    match change:
        case SpendGuess():
            return replace(book, guesses_spent=book.guesses_spent + 1)
        case StoreBond():
            spent = max(0, book.guesses_spent - change.gives_back_guess)
            return replace(_add(book, change.bond, at_s), guesses_spent=spent)
        case StorePending():
            return _add(book, change.bond, at_s)
        case ConfirmBond():
            return _confirm(book, change, at_s)
        case AddCandidate():
            return _put(book, _with_candidate(book.bond(change.bond_id), change))
        case Promote():
            promoted = _promote(book.bond(change.bond_id), change.hint_key)
            return _put(book, replace(promoted, last_seen_s=at_s))
        case Advance():
            return _put(book, _advance(book.bond(change.bond_id), change.epoch, at_s))
        case Forget():
            return _drop(book, book.bond(change.bond_id).bond_id)
        case Rename():
            return _put(book, replace(book.bond(change.bond_id), peer_name=change.peer_name))
        case SetDiscoveryKey():
            return replace(book, discovery_key=change.discovery_key)


def _put(book: BondBook, bond: Bond) -> BondBook:
    return replace(book, bonds={**book.bonds, bond.bond_id: bond})


def _drop(book: BondBook, bond_id: bytes) -> BondBook:
    return replace(book, bonds={k: b for k, b in book.bonds.items() if k != bond_id})


def _add(book: BondBook, bond: Bond, at_s: float) -> BondBook:
    """A full book refuses: evicting would let a stranger who pairs push an owner out."""
    if bond.bond_id in book.bonds:
        raise BondError("a bond with this identity exists")
    if len(book.bonds) >= MAX_BONDS:
        raise BondError(f"no room: {MAX_BONDS} bonds are stored; forget one first")
    return _put(book, replace(bond, created_s=at_s, last_seen_s=at_s))


def _confirm(book: BondBook, change: ConfirmBond, at_s: float) -> BondBook:
    bond = book.bond(change.bond_id)
    confirmed = replace(
        bond,
        pending=False,
        replaces=None,
        peer_name=change.peer_name or bond.peer_name,
        discovery_key=change.discovery_key or bond.discovery_key,
        last_seen_s=at_s,
    )
    remaining = book if bond.replaces is None else _drop(book, bond.replaces)
    return _put(remaining, confirmed)


def _with_candidate(bond: Bond, change: AddCandidate) -> Bond:
    if not hmac.compare_digest(change.under, bond.epoch.hint_key):
        bond = _promote(bond, change.under)
    kept = (*bond.candidates, change.candidate)[-change.limit :]
    return replace(bond, candidates=kept)


def _promote(bond: Bond, hint_key: bytes) -> Bond:
    for candidate in bond.candidates:
        if hmac.compare_digest(candidate.hint_key, hint_key):
            retired = (*bond.retired, bond.epoch.hint_key)[-RETIRED_HINT_KEYS:]
            return replace(bond, epoch=candidate, candidates=(), retired=retired)
    raise BondSuperseded("another reconnect of this bond came first")


def _advance(bond: Bond, epoch: Epoch, at_s: float) -> Bond:
    if epoch.number != bond.epoch.number + 1:
        raise BondSuperseded("this bond has moved on")
    return replace(bond, epoch=epoch, last_seen_s=at_s)
