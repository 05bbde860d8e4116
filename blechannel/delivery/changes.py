"""Every way in which the queues' store changes, as values; `Ledger.apply` and the stores know how."""

from __future__ import annotations

from dataclasses import field

from blechannel.delivery.policies import MessageId
from blechannel.values import dataclass


@dataclass(frozen=True, slots=True)
class AddLane:
    """Both directions of one port with one bond."""

    lane: int
    bond_id: bytes
    port: str


@dataclass(frozen=True, slots=True)
class MoveLane:
    """The peer has paired again: the lane is the new bond's."""

    lane: int
    bond_id: bytes


@dataclass(frozen=True, slots=True)
class MergeLane:
    """The peer has paired again, and the new bond has a lane already: what the old one holds goes before."""

    lane: int
    into: int


@dataclass(frozen=True, slots=True)
class RemoveLane:
    """The bond is removed: all that its lane holds goes."""

    lane: int


@dataclass(frozen=True, slots=True)
class Succeed:
    """If the bond `old` goes, `new` was to replace it."""

    old: bytes
    new: bytes


@dataclass(frozen=True, slots=True)
class AddToken:
    """Before the peer is told it."""

    lane: int
    token: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Remember:
    """The peer's token, before it is answered."""

    lane: int
    token: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Know:
    """A stream of the peer's that is new here: nothing of it is stored yet."""

    lane: int
    stream: bytes


@dataclass(frozen=True, slots=True)
class Put:
    """A message to be sent; in the same step those go that it takes the place of."""

    lane: int
    row: int
    message_id: MessageId
    expires_s: float | None
    """Seconds since 1970."""
    body: bytes = field(repr=False)
    replaces: tuple[int, ...] = ()
    """Rows."""


@dataclass(frozen=True, slots=True)
class Drop:
    """Messages that are not to be sent any more: stored by the peer, expired, replaced or refused."""

    lane: int
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Keep:
    """A piece of a message that arrived, right behind what is stored: otherwise the store refuses it.

    The last piece makes the message whole: it can be taken, and its number is that of all that is stored.
    """

    lane: int
    row: int
    message_id: MessageId
    size: int
    after: int
    """Sequence of the message before it: the last that is whole."""
    offset: int
    """0 drops what is stored of another message in part."""
    body: bytes = field(repr=False)
    replaces: bool = False
    """Whether the last piece drops what was not taken before it."""

    @property
    def is_last(self) -> bool:
        """Whether the message is whole with it."""
        return self.offset + len(self.body) == self.size


@dataclass(frozen=True, slots=True)
class Take:
    """The application has taken a message: it is never shown again."""

    lane: int
    row: int


Change = AddLane | MoveLane | MergeLane | RemoveLane | Succeed | AddToken | Remember | Know | Put | Drop | Keep | Take
