"""Two live sessions joined in memory, with stores that can be held, refused or left behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from hashlib import sha256

from blechannel.config import Config, Policy
from blechannel.errors import BlechannelError
from blechannel.methods import Method
from blechannel.pairing.apply import apply
from blechannel.pairing.bonds import BondBook
from blechannel.pairing.changes import Change, SetDiscoveryKey
from blechannel.pairing.window import PairingWindow
from blechannel.session.credentials import Credentials
from blechannel.session.events import CodeWanted, Event, Failed, Persist, WordsShown
from blechannel.session.session import Session
from blechannel.session.setup import Pair, PhoneSetup, Reconnect, WatchSetup


class Stream:
    """Reproducible bytes that look random: SHA-256 in counter mode."""

    def __init__(self, seed: str) -> None:
        self._seed = seed.encode()
        self._count = 0

    def __call__(self, count: int) -> bytes:
        out = b""
        while len(out) < count:
            self._count += 1
            out += sha256(self._seed + self._count.to_bytes(8, "big")).digest()
        return out[:count]


@dataclass
class Shelf:
    """A store at its simplest: it shows a book and may refuse."""

    book: BondBook = field(default_factory=BondBook)
    refuse: BlechannelError | None = None
    changes: list[Change] = field(default_factory=list)

    def keep(self, change: Change) -> None:
        if self.refuse is not None:
            raise self.refuse
        self.book = apply(self.book, change, at_s=1.0)
        self.changes.append(change)


class Side:
    """One session with its store; events are kept, stores answered and codes typed as they come."""

    def __init__(self, make: Callable[[], Session], shelf: Shelf, *, code: str | None = None) -> None:
        self.now = 0.0
        self.shelf = shelf
        self.code = code
        self.sees_same: bool | None = True
        self.holds_stores = False
        self.held: list[Persist] = []
        self.events: list[Event] = []
        self.session = make()

    def take(self, events: list[Event]) -> None:
        for event in events:
            self.events.append(event)
            if isinstance(event, Persist):
                self.held.append(event)
                if not self.holds_stores:
                    self.answer()
            elif isinstance(event, WordsShown) and self.sees_same is not None:
                self.take(self.session.answer_words(same=self.sees_same, now=self.now))
            elif isinstance(event, CodeWanted) and self.code is not None:
                self.take(self.session.enter_code(self.code, self.now))

    def answer(self) -> None:
        """Make the oldest held change durable, or refuse it."""
        persist = self.held.pop(0)
        try:
            self.shelf.keep(persist.change)
        except BlechannelError as error:
            self.take(self.session.persist_failed(persist.token, error))
        else:
            self.take(self.session.persisted(persist.token, self.now))

    def hear(self, fragments: list[bytes]) -> None:
        for fragment in fragments:
            self.take(self.session.receive(fragment, self.now))

    def said(self) -> list[bytes]:
        return self.session.fragments_to_send(self.now)

    def told(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def error(self) -> BlechannelError:
        [failed] = self.told(Failed)
        assert isinstance(failed, Failed)
        return failed.error


CLASSICAL = Policy(hybrid=False)
"""What most tests pair with: smaller and quicker, and every byte of it follows from the seed."""


class World:
    """A phone's and a watch's memory, and the sessions between them."""

    def __init__(self, seed: str = "world", *, method: Method = Method.PASSKEY, policy: Policy = CLASSICAL) -> None:
        self.random = Stream(seed)
        self.method = method
        self.phone_shelf = Shelf()
        self.watch_shelf = Shelf()
        self.watch_shelf.keep(SetDiscoveryKey(self.random(32)))
        self.window: PairingWindow | None = self.new_window()
        self.fragment_bytes = 244
        self.phone_config = Config("a phone", policy=policy)
        self.watch_config = Config("a watch", policy=policy)
        self.phone_credentials = Credentials()
        self.watch_credentials = Credentials()

    def new_window(self, now: float = 0.0) -> PairingWindow:
        return PairingWindow(method=self.method, random=self.random, now=now)

    def phone(self, intent: Pair | Reconnect, *, code: str | None = None) -> Side:
        setup = PhoneSetup(self.phone_config, self.phone_shelf, intent, self.phone_credentials)
        return Side(lambda: self.session(setup), self.phone_shelf, code=code)

    def watch(self) -> Side:
        setup = WatchSetup(self.watch_config, self.watch_shelf, lambda: self.window, self.watch_credentials)
        return Side(lambda: self.session(setup), self.watch_shelf)

    def pairing(self, *, code: str | None = None, replaces: bytes | None = None) -> tuple[Side, Side]:
        right = self.window.code if self.window else "000000"
        ticket = self.window.ticket() if self.window and self.method is Method.OUT_OF_BAND else None
        return self.phone(Pair(self.method, replaces, ticket), code=code or right), self.watch()

    def reconnecting(self) -> tuple[Side, Side]:
        [*_, bond_id] = self.phone_shelf.book.bonds
        return self.phone(Reconnect(bond_id)), self.watch()

    def bonded(self) -> World:
        phone, watch = self.pairing()
        join(phone, watch)
        assert self.phone_shelf.book.bonds
        self.window = None
        return self

    def alter_phone_bond(self, **fields: object) -> None:
        book = self.phone_shelf.book
        bonds = {key: replace(bond, **fields) for key, bond in book.bonds.items()}  # type: ignore[arg-type]
        self.phone_shelf.book = replace(book, bonds=bonds)

    def alter_watch_bond(self, **fields: object) -> None:
        book = self.watch_shelf.book
        bonds = {key: replace(bond, **fields) for key, bond in book.bonds.items()}  # type: ignore[arg-type]
        self.watch_shelf.book = replace(book, bonds=bonds)

    def session(self, setup: PhoneSetup | WatchSetup) -> Session:
        return Session(setup, max_fragment_bytes=self.fragment_bytes, random=self.random, now=0.0)


def join(phone: Side, watch: Side) -> None:
    """Carry fragments both ways until nothing moves."""
    while True:
        to_phone, to_watch = watch.said(), phone.said()
        if not to_phone and not to_watch:
            return
        phone.hear(to_phone)
        watch.hear(to_watch)
