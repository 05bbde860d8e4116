"""What happens to messages and stores, for applications; and what the machines want done."""

from __future__ import annotations

from blechannel.delivery.changes import Change
from blechannel.delivery.frames import Fault, Frame
from blechannel.delivery.policies import MessageId
from blechannel.values import dataclass


@dataclass(frozen=True, slots=True)
class _OfLane:
    """Happens to one port of one bond."""

    bond_id: bytes
    port: str


@dataclass(frozen=True, slots=True)
class Stored(_OfLane):
    """The peer has stored this message: it is durable there, and no longer here."""

    message_id: MessageId


@dataclass(frozen=True, slots=True)
class Expired(_OfLane):
    """The message's time to live was over before the peer had stored it; it may have been under way."""

    message_id: MessageId


@dataclass(frozen=True, slots=True)
class Superseded(_OfLane):
    """A newer message took this one's place before the peer said that it had stored it."""

    message_id: MessageId


@dataclass(frozen=True, slots=True)
class Refused(_OfLane):
    """The peer does not store it: NO_ROOM is tried again, TOO_LARGE is given up, POLICY stops the port."""

    message_id: MessageId | None
    fault: Fault


@dataclass(frozen=True, slots=True)
class Broken(_OfLane):
    """The peer broke the rules of delivery: nothing goes on this port until the next channel."""

    reason: str


@dataclass(frozen=True, slots=True)
class NotStored(_OfLane):
    """What arrives cannot be stored here (a full disk): the peer keeps it and tries again."""

    reason: str


@dataclass(frozen=True, slots=True)
class StoreReset(_OfLane):
    """This side's store is not the one that the peer knew: lost, or put back to an older state.

    What it held since is lost, and what was taken from it since may come again.
    """


@dataclass(frozen=True, slots=True)
class PeerStoreReset(_OfLane):
    """The peer's store is not the one that this side knew: lost, or put back to an older state."""


@dataclass(frozen=True, slots=True)
class CarriedOver(_OfLane):
    """The peer has paired again: what waited under the bond `former` is this bond's now."""

    former: bytes


@dataclass(frozen=True, slots=True)
class BondGone(_OfLane):
    """The bond was removed, and so many messages with it."""

    unsent: int
    untaken: int


OutboxEvent = (
    Stored | Expired | Superseded | Refused | Broken | NotStored | StoreReset | PeerStoreReset | CarriedOver | BondGone
)


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes of a stored message."""

    lane: int
    row: int
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Say:
    """Send this to the peer."""

    frame: Frame


@dataclass(frozen=True, slots=True)
class Write:
    """Make these durable, all or none, then call `written` with the token; what is asked first is written first."""

    changes: tuple[Change, ...]
    token: int


@dataclass(frozen=True, slots=True)
class Fetch:
    """Read these, then call `fetched` with the bytes, None for a message that is gone."""

    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Tell:
    """Tell the application."""

    event: OutboxEvent


Action = Say | Write | Fetch | Tell
