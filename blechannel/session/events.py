"""What a session tells its owner. Frozen values, in the order in which they happened."""

from __future__ import annotations

from dataclasses import field
from typing import NamedTuple

from blechannel.errors import BlechannelError
from blechannel.pairing.changes import Change
from blechannel.values import dataclass


@dataclass(frozen=True, slots=True)
class CodeWanted:
    """Phone: a person must type the code that the watch shows; answer with `Session.enter_code`."""


@dataclass(frozen=True, slots=True)
class WordsShown:
    """A person must compare these words with those on the other device; answer with `Session.answer_words`."""

    words: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class CodeChanged:
    """Watch: the code was burned; show the window's new one."""


@dataclass(frozen=True, slots=True)
class Persist:
    """Make `change` durable, then call `Session.persisted(token)`. Nothing that depends on it happens before."""

    token: int
    change: Change


@dataclass(frozen=True, slots=True)
class Established:
    """The channel stands."""

    bond_id: bytes
    resumed: bool
    """False after a pairing, True after a reconnect."""
    handshake_hash: bytes
    """32 bytes, the same on both sides and unique to this session: a channel binding, not secret."""


@dataclass(frozen=True, slots=True)
class PortOpened:
    """The peer opened a port for its messages."""

    port: int
    name: str


class Message(NamedTuple):
    """The peer sent a message; say `Traffic.taken` when the application has taken it.

    A tuple, because one is made for each message and a frozen dataclass takes twice as long to make.
    """

    port: int
    message: bytes


@dataclass(frozen=True, slots=True)
class CreditGranted:
    """The peer's reader has taken messages of this own port: there is room again."""

    port: int


@dataclass(frozen=True, slots=True)
class PortShut:
    """The peer sends no more on this port."""

    port: int


@dataclass(frozen=True, slots=True)
class PortDenied:
    """This own port may not be used: the watch says so, or the watch's own rules. Nothing more goes out on it."""

    port: int


@dataclass(frozen=True, slots=True)
class PortWithdrawn:
    """Watch: the peer may no longer use this port of its. What it sent and nobody has taken counts for nothing."""

    port: int


@dataclass(frozen=True, slots=True)
class CopyDetected:
    """Authenticated evidence, which is stored by now: this bond was copied, or an old copy was put back."""

    bond_id: bytes


@dataclass(frozen=True, slots=True)
class Closed:
    """Both sides have said CLOSE; `undelivered` is how many of our records the peer had not opened when it did."""

    undelivered: int


@dataclass(frozen=True, slots=True)
class Failed:
    """The session is over without an authenticated end."""

    error: BlechannelError


@dataclass(frozen=True, slots=True)
class KeysLogged:
    """One line for the key log, only where the configuration asks for it."""

    line: str = field(repr=False)


Event = (
    CodeWanted
    | WordsShown
    | CodeChanged
    | Persist
    | Established
    | PortOpened
    | Message
    | CreditGranted
    | PortShut
    | PortDenied
    | PortWithdrawn
    | CopyDetected
    | Closed
    | Failed
    | KeysLogged
)
