"""Two live sessions, joined, whose random bytes come from a seed: what each drew, said and stored."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from blechannel.config import Config, Policy
from blechannel.limits import MAX_FRAGMENT_BYTES
from blechannel.methods import Method
from blechannel.pairing.apply import apply
from blechannel.pairing.bonds import KEY_BYTES, Bond, BondBook
from blechannel.pairing.changes import Change, SetDiscoveryKey
from blechannel.pairing.window import PairingWindow
from blechannel.roles import Role
from blechannel.session.events import CodeWanted, Event, Persist
from blechannel.session.session import Session
from blechannel.session.setup import Pair, PhoneSetup, Reconnect, WatchSetup
from blechannel.wire.fragments import FRAGMENT_HEADER_BYTES

SEED: Final = "blechannel/1 vectors "
PORT_NAME: Final = "echo"
MESSAGE: Final = b"hello"
_NOW: Final = 0.0

PHONE_DRAWS: Final = (
    *("pairing: static key", "pairing: ephemeral key", "pairing: CPace scalar", "", "n_I", ""),
    "reconnect: ephemeral key",
)
WATCH_DRAWS: Final = (
    *("discovery key", "code", "pairing: INFO nonce", "pairing: static key", "pairing: ephemeral key"),
    *("pairing: CPace scalar", "n_R", "", "", "reconnect: INFO nonce", "reconnect: ephemeral key"),
)
"""What each side's draws become, in their order; those without a name are never on the air."""


class SeededRandom:
    """SHA-256(seed ‖ 0) ‖ SHA-256(seed ‖ 1) ‖ … with the counter in four bytes; each draw takes the next bytes."""

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self._unused = b""
        self._counter = 0
        self.drawn: list[bytes] = []

    def __call__(self, count: int) -> bytes:
        """The next `count` bytes, remembered in `drawn`."""
        while len(self._unused) < count:
            self._unused += hashlib.sha256(self._seed + self._counter.to_bytes(4, "big")).digest()
            self._counter += 1
        taken, self._unused = self._unused[:count], self._unused[count:]
        self.drawn.append(taken)
        return taken


class Books:
    """A bond store of one side that applies a change at once."""

    def __init__(self) -> None:
        self.book = BondBook()

    def apply(self, change: Change) -> None:
        """See `pairing.apply`; there is no wall clock."""
        self.book = apply(self.book, change, at_s=0.0)

    def bond(self) -> Bond:
        """The only bond."""
        (bond,) = self.book.bonds.values()
        return bond


Said = list[tuple[Role, bytes]]
"""Frames, header included, with who said them, in their order."""


@dataclass(frozen=True)
class Run:
    """Everything that the page shows and the keys follow from."""

    code: str
    pairing: Said
    reconnect: Said
    drawn: dict[Role, dict[str, bytes]]
    after_pairing: dict[Role, Bond]
    after_reconnect: dict[Role, Bond]


@dataclass
class _World:
    """Both sides' randomness and memory."""

    random: dict[Role, SeededRandom] = field(
        default_factory=lambda: {role: SeededRandom(f"{SEED}{role.value}".encode()) for role in Role}
    )
    books: dict[Role, Books] = field(default_factory=lambda: {role: Books() for role in Role})

    def bonds(self) -> dict[Role, Bond]:
        return {role: books.bond() for role, books in self.books.items()}

    def drawn(self) -> dict[Role, dict[str, bytes]]:
        names = {Role.PHONE: PHONE_DRAWS, Role.WATCH: WATCH_DRAWS}
        return {role: dict(zip(names[role], self.random[role].drawn, strict=True)) for role in Role}


def run() -> Run:
    """One pairing, whose link is then lost, and one reconnect with a message and an authenticated end."""
    world = _World()
    world.books[Role.WATCH].apply(SetDiscoveryKey(world.random[Role.WATCH](KEY_BYTES)))
    window = PairingWindow(method=Method.PASSKEY, random=world.random[Role.WATCH], now=_NOW)
    code = window.code
    pairing = _Connection(world, Pair(), window)
    pairing.pump()
    paired = world.bonds()
    reconnect = _Connection(world, Reconnect(paired[Role.PHONE].bond_id), window)
    reconnect.pump()
    reconnect.talk()
    return Run(code, pairing.said, reconnect.said, world.drawn(), paired, world.bonds())


CLASSICAL: Final = Policy(hybrid=False)
"""ML-KEM draws from a generator of its own, which no seed reaches."""


class _Connection:
    """Two sessions and the link between them, which carries each frame in one fragment."""

    def __init__(self, world: _World, intent: Pair | Reconnect, window: PairingWindow) -> None:
        self.said: Said = []
        self._code = window.code
        self._books = world.books
        setups: dict[Role, PhoneSetup | WatchSetup] = {
            Role.PHONE: PhoneSetup(Config("Phone", policy=CLASSICAL), world.books[Role.PHONE], intent),
            Role.WATCH: WatchSetup(Config("Watch", policy=CLASSICAL), world.books[Role.WATCH], lambda: window),
        }
        begin = partial(Session, max_fragment_bytes=MAX_FRAGMENT_BYTES, now=_NOW)
        self._sessions = {role: begin(setup, random=world.random[role]) for role, setup in setups.items()}

    def talk(self) -> None:
        phone = self._sessions[Role.PHONE]
        phone.traffic.send(phone.traffic.open(PORT_NAME), MESSAGE)
        self.pump()
        phone.close(_NOW)
        self.pump()

    def pump(self) -> None:
        """Carry fragments until neither side has one."""
        while any(self._carry(role) for role in Role):
            continue

    def _carry(self, role: Role) -> bool:
        fragments = self._sessions[role].fragments_to_send(_NOW)
        for fragment in fragments:
            if frame := fragment[FRAGMENT_HEADER_BYTES:]:
                self.said.append((role, frame))
            self._act(role.peer, self._sessions[role.peer].receive(fragment, _NOW))
        return bool(fragments)

    def _act(self, role: Role, events: Iterable[Event]) -> None:
        session = self._sessions[role]
        for event in events:
            if isinstance(event, Persist):
                self._books[role].apply(event.change)
                self._act(role, session.persisted(event.token, _NOW))
            elif isinstance(event, CodeWanted):
                self._act(role, session.enter_code(self._code, _NOW))
