"""Who belongs to a watch, and what its person, or its owner over a channel, decides about them."""

from __future__ import annotations

from collections.abc import Callable

from blechannel.pairing.bonds import KEY_BYTES, Bond
from blechannel.pairing.changes import (
    BondStore,
    Change,
    FactoryReset,
    Forget,
    Rename,
    ResetGuesses,
    SetAccess,
    TransferOwnership,
)


class Membership:
    """A watch's bonds in the hands of those who may change them. What is done here holds on every channel at once.

    Every method raises BondNotFound where there is no such bond, BondError where the change may not be, and StoreError
    where it could not be written; then nothing changed.
    """

    def __init__(self, store: BondStore, *, random: Callable[[int], bytes], changed: Callable[[], None]) -> None:
        """`random` gives secret uniform bytes; `changed` is called when a change is durable."""
        self._store = store
        self._random = random
        self._changed = changed

    @property
    def bonds(self) -> list[Bond]:
        """The phones that belong to this watch, in the order in which they came."""
        return list(self._store.book.bonds.values())

    @property
    def owner(self) -> Bond | None:
        """The owner's phone; None where no phone is bonded."""
        return self._store.book.owner

    async def forget(self, bond_id: bytes) -> None:
        """End this phone's bond and channel, and advertise under a key that it does not have.

        The owner goes last, or after another phone was made the owner.
        """
        await self._make(Forget(bond_id, self._random(KEY_BYTES)))

    async def rename(self, bond_id: bytes, name: str) -> None:
        """Call the phone `name`, 1 to 48 bytes of UTF-8."""
        await self._make(Rename(bond_id, name))

    async def permit(self, bond_id: bytes, ports: frozenset[str] | None) -> None:
        """Let a guest use these ports and no others; None for what the watch allows every guest."""
        await self._make(SetAccess(bond_id, ports))

    async def make_owner(self, bond_id: bytes) -> None:
        """Make this phone the owner's, and the one before a guest, in one change."""
        await self._make(TransferOwnership(bond_id))

    async def reset_guesses(self) -> None:
        """Forget the wrong codes that were tried. For an owner who is authenticated; there is no other way but
        `factory_reset`."""
        await self._make(ResetGuesses())

    async def factory_reset(self) -> None:
        """For a person who holds the watch: forget every phone and every wrong code."""
        await self._make(FactoryReset(self._random(KEY_BYTES)))

    async def _make(self, change: Change) -> None:
        await self._store.apply(change)
        self._changed()
