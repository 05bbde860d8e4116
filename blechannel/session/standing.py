"""Where a session's bond stands, as the bonds are stored now: whether it holds, what it permits, what is news."""

from __future__ import annotations

from blechannel.errors import BondSuperseded
from blechannel.pairing.bonds import Bond, BondBook
from blechannel.roles import Role
from blechannel.session.conversation import State
from blechannel.session.setup import Side
from blechannel.session.stage import Stage
from blechannel.wire.frames import Bonded, Copied, Evidence

SAYS_NEWS = frozenset({State.ESTABLISHED, State.PHONE_CLOSED})
"""Where a watch has not said CLOSE yet."""


_NOT_LOOKED_AT = BondBook()
"""No store's book."""


class Standing:
    """One session's view of its bond; `book` is the one that was last looked at.

    `told_key` and `told_copied` are what the peer knows of this side's news.
    """

    __slots__ = ("_books", "_config", "_seen", "_serves", "_stage", "book", "told_copied", "told_key")

    def __init__(self, stage: Stage, setup: Side) -> None:
        self._stage = stage
        self._config = setup.config
        self._serves = setup.role is Role.WATCH
        self._books = setup.books
        self._seen: tuple[Bond, bytes] | None = None
        self.book = setup.books.book
        self.told_key = b""
        self.told_copied = False

    @property
    def bond_id(self) -> bytes:
        """The bond that the session belongs to; empty before it is known."""
        bond_id, _ = self._stage.belongs_to or (b"", b"")
        return bond_id

    def begin(self) -> None:
        """The channel stands: what its peer learned on the way is no news."""
        self.told_key = self._books.book.discovery_key

    def resume(self, told_key: bytes, told_copied: bool) -> None:
        """Go on where another one had told as much. What changed in between is looked at with the next fragment."""
        self.told_key, self.told_copied = told_key, told_copied
        self.book = _NOT_LOOKED_AT

    def is_news(self) -> bool:
        """Whether the book that is stored now says anything of this session's that `check` has not looked at.

        One that does not is looked at with this: a phone of thousands of watches stores a change of one of them.
        """
        book = self._books.book
        if self._seen is None or book.bonds.get(self.bond_id) is not self._seen[0]:
            return True
        if book.discovery_key != self._seen[1]:
            return True
        self.book = book
        return False

    def check(self, *, established: bool) -> None:
        """Look at the book that is stored now.

        Raises:
            BondSuperseded: the bond is gone, or has moved to an epoch that this session is not of.
        """
        self.book, self._seen = self._books.book, None
        if self._stage.belongs_to is None:
            return
        bond_id, hint_key = self._stage.belongs_to
        bond = self.book.bonds.get(bond_id)
        if bond is None:
            raise BondSuperseded("the bond was removed")
        if not bond.knows(hint_key):
            raise BondSuperseded("another session of the same bond took over")
        self._seen = (bond, self.book.discovery_key)
        if established and self._serves and self._stage.conversation.state in SAYS_NEWS:
            self._tell_news(bond)

    def permits(self, port: str) -> bool:
        """Whether this session's peer may use the port of that name."""
        if not self._serves:
            return True
        bond = self._books.book.bonds.get(self.bond_id)
        return bond is not None and bond.access.allows(port, guest_ports=self._config.guest_ports)

    def _tell_news(self, bond: Bond) -> None:
        """Watch: what a connected phone has to know at once, and another hears when it reconnects."""
        if self.book.discovery_key != self.told_key:
            self.told_key = self.book.discovery_key
            self._stage.say(Bonded(self.told_key, self._config.name))
        if bond.copied_s is not None and not self.told_copied:
            self.told_copied = True
            self._stage.say(Copied(Evidence.RETIRED_KEY))
