"""Every way in which one side's memory changes, as values; `apply` is the one place that knows how.

Stores make a change durable and then publish the new book; the session asks for changes and reads books (protocol,
"Reconnect", "Commit order" and "The life of a bond").
"""

from __future__ import annotations

from dataclasses import field
from typing import Protocol

from blechannel.pairing.bonds import Bond, BondBook, BookView, Epoch
from blechannel.values import dataclass


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


# --- pairing ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SpendGuess:
    """By a method that costs a guess. Watch, on m3, before it is checked. Phone, before it sends m3."""


@dataclass(frozen=True, slots=True)
class StoreBond:
    """Watch, on m5: the bond stands, and a guess that the run cost is given back. The first bond is the owner's."""

    bond: Bond
    gives_back_guess: bool


@dataclass(frozen=True, slots=True)
class StorePending:
    """Phone, on a valid m4 and before m5: remember the new bond beside the one that it replaces.

    m4 proves that the watch knows the code, or the person has said that the words are the same: the run's own guess is
    given back. Pending bonds that earlier pairings left, and no confirmed one, make room for it.
    """

    bond: Bond
    gives_back_guess: bool


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


# --- reconnecting -------------------------------------------------------------------------------------------


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
class MarkCopied:
    """Authenticated evidence says that the bond was copied or put back. The first moment is kept."""

    bond_id: bytes


@dataclass(frozen=True, slots=True)
class MarkNotRecognised:
    """Phone: the bond's watch refused it. Nobody signed that: it is shown, and nothing follows from it."""

    bond_id: bytes


# --- what a person does -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Forget:
    """Remove a bond. On a watch the advertisement gets a fresh key in the same change, which the others are told."""

    bond_id: bytes
    fresh_discovery_key: bytes = field(default=b"", repr=False)
    """Watch: 32 bytes; the removed phone resolves no advertisement that is made with it."""


@dataclass(frozen=True, slots=True)
class Rename:
    """Name the peer."""

    bond_id: bytes
    peer_name: str


@dataclass(frozen=True, slots=True)
class SetAccess:
    """Watch: the ports that a guest may use; None for what the watch allows every guest."""

    bond_id: bytes
    ports: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class TransferOwnership:
    """Watch: this bond's phone is the owner's from now on, and the one before is a guest."""

    bond_id: bytes


@dataclass(frozen=True, slots=True)
class ResetGuesses:
    """Spent guesses are forgotten: on a watch for its owner, on a phone for its person, who was told of them."""


@dataclass(frozen=True, slots=True)
class SetDiscoveryKey:
    """Watch: a new key for the advertisements."""

    discovery_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class FactoryReset:
    """Watch: no bond, no spent guess, and a fresh key for the advertisements."""

    fresh_discovery_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class MoveOut:
    """Phone: these bonds are in a transfer file that is durable; here they are forgotten, all or none."""

    bonds: tuple[Bond, ...]
    """As they are in the file: where one has moved on since, nothing changes."""


@dataclass(frozen=True, slots=True)
class MoveIn:
    """Phone: take over these bonds from a transfer file, all or none."""

    bonds: tuple[Bond, ...]


Change = (
    SpendGuess
    | StoreBond
    | StorePending
    | ConfirmBond
    | AddCandidate
    | Promote
    | Advance
    | MarkCopied
    | MarkNotRecognised
    | Forget
    | Rename
    | SetAccess
    | TransferOwnership
    | ResetGuesses
    | SetDiscoveryKey
    | FactoryReset
    | MoveOut
    | MoveIn
)
