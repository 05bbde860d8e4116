"""What our channel's traffic says, beside the events of every capture."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from blechannel.methods import Method, Suite
from blechannel.roles import Role
from blechannel.wire.frames import Body, Frame, Hello, PairAnswer, PairProof, PairShare, Refusal
from blechannel_capture.channel.joining import Oddity
from blechannel_capture.events import Connection, Event, Verdict

Payload = PairShare | PairAnswer | PairProof


@dataclass(slots=True)
class ChannelFrame(Event):
    """One whole frame; with the keys, also what is sealed in it."""

    connection: Connection
    sender: Role
    began: int
    """The packet that it began in."""
    length: int
    """In bytes, header included."""
    frame: Frame | None
    """None where the bytes are no frame."""
    verdict: Verdict
    detail: str = ""
    """Why the verdict is not OK."""
    hello: Hello | None = None
    """What the phone chose; of the two messages that open a handshake."""
    payload: Payload | None = None
    """Of a pairing message."""
    record: int | None = None
    """The record's number in its direction."""
    skipped: int = 0
    """How many records before it are missing."""
    is_late: bool = False
    """Whether a record that was sent after it came before it."""
    is_unexpected: bool = False
    """Whether the conversation table has no row for it, and no gap explains that; `detail` says more."""
    body: Body | None = None
    """Of a record."""

    @property
    def name(self) -> str:
        """The record's type where it was opened, else the frame's."""
        said = self.body or self.frame
        return type(said).__name__ if said is not None else "no frame"


@dataclass(slots=True)
class HandshakeVerified(Event):
    """With the key log the whole handshake was recomputed: every tag fits."""

    connection: Connection
    resumed: bool
    """Whether it was a reconnect."""
    method: Method | None
    """None for a reconnect."""
    suite: Suite
    handshake_hash: bytes
    logged_by: Role
    """Whose secrets were used."""


@dataclass(slots=True)
class OddFragment(Event):
    """Something is wrong with a fragment; where the capture has a gap it may be the capture's fault."""

    connection: Connection
    sender: Role
    oddity: Oddity
    missing: int = 0


class Ending(Enum):
    """How a session ended."""

    CLOSED = "closed by both sides"
    REFUSED = "refused"
    CUT_OFF = "cut off: the link ended without an authenticated CLOSE"
    UNKNOWN = "not known: nothing sealed could be opened"
    OPEN = "still open where the capture ends"


@dataclass(slots=True)
class ChannelEnded(Event):
    """A session is over."""

    connection: Connection
    ending: Ending
    refusal: Refusal | None = None
