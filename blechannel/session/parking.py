"""What is left of a session that rests: its keys and numbers. Parked and woken, it is the same session.

A session that stands and has nothing under way is an AEAD a direction and a dozen objects around two keys and two
counters. Parked, the keys and counters are all that stays, beside its fragments' numbers: these go on counting, so that
the peer's probes are answered, and its own sent, without waking it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field

from blechannel.config import Config
from blechannel.errors import LocalProtocolError
from blechannel.pairing.bonds import Bond, BookView
from blechannel.roles import Role
from blechannel.session.ports import PortTable
from blechannel.session.records import RestingKeys
from blechannel.values import dataclass
from blechannel.wire.fragments import FragmentStream, is_control


@dataclass(slots=True, kw_only=True, eq=False)
class ParkedSession:
    """A session that rests; made by `Session.park`, used up by `Session.wake`. It satisfies `setup.Side`."""

    role: Role
    config: Config
    books: BookView = field(repr=False)
    random: Callable[[int], bytes] = field(repr=False)
    stream: FragmentStream = field(repr=False)
    """The link's fragments, alive: they are received and sent past the parked session while they carry no data."""
    peer_frame_bytes: int
    keys: RestingKeys | None
    """None once they were taken."""
    bond: Bond = field(repr=False)
    """As it was stored when the session was parked."""
    hint_key: bytes = field(repr=False)
    told_key: bytes = field(repr=False)
    told_copied: bool
    ports: PortTable

    def take_keys(self) -> RestingKeys:
        """What the woken session begins with, once: two sessions with one counter would use nonces twice.

        Raises:
            LocalProtocolError: it was taken before.
        """
        keys, self.keys = self.keys, None
        if keys is None:
            raise LocalProtocolError("a parked session is woken once")
        return keys

    @property
    def records_moved(self) -> tuple[int, int]:
        """Records sealed and opened so far; none are, while it rests."""
        return (0, 0) if self.keys is None else (self.keys.send_n, self.keys.receive_n)

    def receive(self, fragment: bytes, now: float) -> bool:
        """One fragment has arrived. False, and nothing changed, where the session is to be woken for it.

        Raises:
            RemoteProtocolError: the peer broke a rule, of which the session is to be told by `Session.abandon`.
        """
        if not is_control(fragment) or self.is_news():
            return False
        self.stream.receive(fragment, now)
        return True

    def is_news(self) -> bool:
        """Whether the bonds that are stored now say anything that the session must act on: then it is to be woken."""
        book = self.books.book
        is_changed = book.bonds.get(self.bond.bond_id) is not self.bond
        return is_changed or (self.role is Role.WATCH and book.discovery_key != self.told_key)
