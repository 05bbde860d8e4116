"""Bonds: what two sides remember of each other, and every way in which that memory changes.

The whole memory of one side is a `BondBook`, an immutable value. A `Change` says what shall be different,
`apply` is the one place that knows how. Stores make a change durable and then publish the new book; the
session asks for changes and reads books (protocol, "Reconnect" and "Pairing: commit order").
"""

from __future__ import annotations

import hmac
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from blechannel.errors import BondError, BondNotFound, BondSuperseded
from blechannel.limits import MAX_BONDS, MAX_LINKS, MAX_NAME_BYTES, RETIRED_HINT_KEYS
from blechannel.methods import Method, Suite
from blechannel.roles import Role

KEY_BYTES: Final = 32
BOND_ID_BYTES: Final = 16
MAX_COUNT: Final = 2**63 - 1
"""What a store holds as one integer."""


def _require(fits: bool, what: str) -> None:
    if not fits:
        raise BondError(what)


def _name_fits(name: str) -> bool:
    try:
        return len(name.encode()) <= MAX_NAME_BYTES
    except UnicodeEncodeError:
        return False


@dataclass(frozen=True, slots=True)
class Epoch:
    """The keys of one reconnect. Each reconnect replaces them.

    Raises:
        BondError: a number or a length is outside what is said below.
    """

    number: int
    psk: bytes = field(repr=False)
    """32 bytes: mixed into the next handshake and into the keys of the next epoch."""
    hint_key: bytes = field(repr=False)
    """32 bytes: authenticates the first message, so that the watch finds the bond without decrypting."""

    def __post_init__(self) -> None:
        _require(0 <= self.number <= MAX_COUNT, "an epoch's number is out of range")
        _require(len(self.psk) == len(self.hint_key) == KEY_BYTES, "an epoch's keys are 32 bytes each")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bond:
    """One remembered peer.

    Raises:
        BondError: a number or a length is outside what is said below: what is stored can be read again.
    """

    bond_id: bytes
    """16 random bytes, local to this side; never on the air."""
    role: Role
    """The role that this side plays in the bond."""
    peer_name: str
    """At most 48 bytes of UTF-8."""
    method: Method
    suite: Suite
    version: int
    """Highest protocol version used with this peer, 1 to 255; a lower one is refused."""
    own_static: bytes = field(repr=False)
    """32 bytes: this side's X25519 private key, made for this bond alone."""
    peer_static: bytes = field(repr=False)
    """32 bytes: the peer's X25519 public key, made for this bond alone."""
    epoch: Epoch
    peer_certificate: bytes = b""
    """SHA-256 of the certificate that the peer proved to have when it paired; empty where it showed none."""
    candidates: tuple[Epoch, ...] = ()
    """Watch: at most 4 next epochs that were offered and not yet confirmed, oldest first."""
    retired: tuple[bytes, ...] = field(default=(), repr=False)
    """Watch: the last 16 hint keys that it left or dropped, oldest first; one seen again is evidence of a copy."""
    discovery_key: bytes = field(default=b"", repr=False)
    """Phone: 32 bytes, resolves the watch's advertisements; empty until the watch has sent it."""
    pending: bool = False
    """Phone: stored before the watch confirmed."""
    replaces: bytes | None = None
    """Phone: the older bond with the same watch, kept until this one is confirmed."""
    created_s: float = 0.0
    """Seconds since 1970 on this side's wall clock; 0 where it has none."""
    last_seen_s: float = 0.0

    def __post_init__(self) -> None:
        keys = (self.own_static, self.peer_static, *self.retired, self.discovery_key or bytes(KEY_BYTES))
        ids = (self.bond_id, self.bond_id if self.replaces is None else self.replaces)
        _require(all(len(key) == KEY_BYTES for key in keys), "a bond's keys are 32 bytes each")
        _require(all(len(name) == BOND_ID_BYTES for name in ids), "a bond's identity is 16 bytes")
        _require(len(self.peer_certificate) in (0, KEY_BYTES), "a certificate is remembered by 32 bytes")
        _require(_name_fits(self.peer_name), f"a name is at most {MAX_NAME_BYTES} bytes of UTF-8")
        _require(1 <= self.version <= 255, "a bond's version is 1 to 255")
        _require(len(self.candidates) <= MAX_LINKS, f"a bond keeps at most {MAX_LINKS} candidates")
        _require(len(self.retired) <= RETIRED_HINT_KEYS, f"a bond keeps {RETIRED_HINT_KEYS} retired keys")
        _require(all(map(math.isfinite, (self.created_s, self.last_seen_s))), "a bond's times are finite")

    @property
    def assurance(self) -> str:
        """What the pairing proved, for people."""
        return _PROVEN[self.method]

    def knows(self, hint_key: bytes) -> bool:
        """Whether this hint key is that of the current epoch or of a candidate."""
        return any(hmac.compare_digest(hint_key, e.hint_key) for e in (self.epoch, *self.candidates))


_PROVEN: Final = {
    Method.PASSKEY: "6-digit code, one guess a try",
    Method.WORDS: "words compared on both screens",
    Method.OUT_OF_BAND: "secret carried by tag or QR code",
    Method.CERTIFICATE: "certificate on the list",
}


@dataclass(frozen=True, slots=True)
class BondBook:
    """Everything that one side remembers.

    Raises:
        BondError: a number or a length is outside what is said below.
    """

    bonds: Mapping[bytes, Bond] = field(default_factory=dict)
    guesses_spent: int = 0
    """Watch: codes that were tried and not proven right since the last reset; survives restarts."""
    discovery_key: bytes = field(default=b"", repr=False)
    """Watch: 32 bytes; keys the advertisement that bonded phones resolve. Empty until it was made."""

    def __post_init__(self) -> None:
        _require(len(self.bonds) <= MAX_BONDS, f"no room: {MAX_BONDS} bonds are stored; forget one first")
        _require(0 <= self.guesses_spent <= MAX_COUNT, "the count of guesses is out of range")
        _require(len(self.discovery_key) in (0, KEY_BYTES), "a discovery key is 32 bytes")

    @property
    def time_floor_s(self) -> float:
        """The latest moment that this side is sure to be past, in seconds since 1970: for a device without a clock."""
        return max((max(bond.created_s, bond.last_seen_s) for bond in self.bonds.values()), default=0.0)

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


# --- changes ------------------------------------------------------------------------------------------------


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

    So does what that one was to replace, and every other pending bond that was to replace it: pairings that were cut
    off and then repeated leave such.
    An empty name or discovery key leaves what is known.
    """

    bond_id: bytes
    peer_name: str = ""
    discovery_key: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class AddCandidate:
    """Watch, before m2 of a reconnect whose tag was made with the hint key `under`.

    If that is a candidate's, the phone has moved on: so does the watch, first. `limit` is the number
    of links, 1 to 4.
    """

    bond_id: bytes
    under: bytes = field(repr=False)
    candidate: Epoch
    limit: int


@dataclass(frozen=True, slots=True)
class Promote:
    """Watch, when record 0 verifies: move to the candidate with this hint key and drop the others.

    What is left and dropped is retired. The phone moves to one candidate alone, so a dropped one that is used is
    evidence of a second holder, as an epoch is that was left.
    """

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
        BondError: no room for one more bond, or a value that a bond cannot have.
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
        case _:  # SetDiscoveryKey; the type checker holds that nothing else is left
            return replace(book, discovery_key=change.discovery_key)


def _put(book: BondBook, bond: Bond) -> BondBook:
    return replace(book, bonds={**book.bonds, bond.bond_id: bond})


def _drop(book: BondBook, bond_id: bytes) -> BondBook:
    return replace(book, bonds={k: b for k, b in book.bonds.items() if k != bond_id})


def _add(book: BondBook, bond: Bond, at_s: float) -> BondBook:
    """A full book refuses: evicting would let a stranger who pairs push an owner out."""
    if bond.bond_id in book.bonds:
        raise BondError("a bond with this identity exists")
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
    return _put(_without_replaced(book, bond), confirmed)


def _without_replaced(book: BondBook, bond: Bond) -> BondBook:
    """Without what `bond` was to replace, what that was to, and every pending bond that was to replace one of these."""
    dropped: set[bytes] = set()
    older: Bond | None = bond
    while older is not None and older.replaces is not None and older.replaces not in dropped:
        dropped.add(older.replaces)
        older = book.bonds.get(older.replaces)
    dropped |= {each.bond_id for each in book.bonds.values() if each.pending and each.replaces in dropped}
    return replace(book, bonds={key: each for key, each in book.bonds.items() if key not in dropped})


def _with_candidate(bond: Bond, change: AddCandidate) -> Bond:
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
    return replace(bond, epoch=epoch, last_seen_s=at_s)
