"""What a session is given when it begins: its role, its intent, and what it may read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from typing import Protocol

from blechannel.config import Config
from blechannel.errors import AuthenticationFailed, LocalProtocolError
from blechannel.methods import Method
from blechannel.pairing.bonds import BookView
from blechannel.pairing.out_of_band import Ticket
from blechannel.pairing.window import NO_SECRET, PairingWindow
from blechannel.roles import Role
from blechannel.session.credentials import Credentials
from blechannel.values import dataclass


@dataclass(frozen=True, slots=True)
class Pair:
    """The person wants to pair, by this method: theirs to say, never read from INFO."""

    method: Method = Method.PASSKEY
    replaces: bytes | None = None
    """The bond with the same watch that the new one shall replace, once confirmed."""
    ticket: Ticket | None = None
    """What the person carried here from the watch's tag or QR code; for out of band, and for nothing else."""

    def __post_init__(self) -> None:
        if (self.method is Method.OUT_OF_BAND) != (self.ticket is not None):
            raise LocalProtocolError("pairing out of band takes a ticket, and no other method does")

    @property
    def carried_secret(self) -> bytes:
        """32 bytes; zeros where nothing was carried."""
        return NO_SECRET if self.ticket is None else self.ticket.secret

    def check_watch(self, static: bytes) -> None:
        """Raises AuthenticationFailed when this is not the watch that the ticket came from."""
        if self.ticket is not None and not self.ticket.matches(static):
            raise AuthenticationFailed


@dataclass(frozen=True, slots=True)
class Reconnect:
    """Use a bond."""

    bond_id: bytes


class Side(Protocol):
    """What every session has to do with, in the handshake and after it."""

    @property
    def role(self) -> Role:
        """The part that this side plays."""

    @property
    def config(self) -> Config:
        """What its person chose."""

    @property
    def books(self) -> BookView:
        """Its bonds, as they are stored now."""


@dataclass(frozen=True, slots=True)
class PhoneSetup:
    """A phone's session."""

    config: Config
    books: BookView
    intent: Pair | Reconnect
    credentials: Credentials = field(default_factory=Credentials)

    @property
    def role(self) -> Role:
        """Always the phone."""
        return Role.PHONE


@dataclass(frozen=True, slots=True)
class WatchSetup:
    """A watch's session; `window` says which pairing window is open now, if any."""

    config: Config
    books: BookView
    window: Callable[[], PairingWindow | None]
    credentials: Credentials = field(default_factory=Credentials)

    @property
    def role(self) -> Role:
        """Always the watch."""
        return Role.WATCH
