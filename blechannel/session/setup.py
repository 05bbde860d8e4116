"""What a session is given when it begins: its role, its intent, and what it may read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from blechannel.config import Config
from blechannel.pairing.bonds import BookView, Method
from blechannel.pairing.window import PairingWindow
from blechannel.roles import Role


@dataclass(frozen=True, slots=True)
class Pair:
    """The person wants to pair, by this method: theirs to say, never read from INFO."""

    method: Method = Method.PASSKEY
    replaces: bytes | None = None
    """The bond with the same watch that the new one shall replace, once confirmed."""


@dataclass(frozen=True, slots=True)
class Reconnect:
    """Use a bond."""

    bond_id: bytes


@dataclass(frozen=True, slots=True)
class PhoneSetup:
    """A phone's session."""

    config: Config
    books: BookView
    intent: Pair | Reconnect

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

    @property
    def role(self) -> Role:
        """Always the watch."""
        return Role.WATCH
