"""One phone and one watch with several links between them, whose stores answer when they are told and who may crash.

What must hold at every moment is asserted where it happens: of stores, of events, of deadlines.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache

from blechannel.errors import BlechannelError, LinkLost, StoreError
from blechannel.noise import DH_25519
from blechannel.pairing.bonds import Bond
from blechannel.pairing.changes import Forget, SpendGuess, StoreBond, StorePending, TransferOwnership
from blechannel.pairing.window import PairingWindow
from blechannel.roles import Role
from blechannel.session.conversation import State
from blechannel.session.events import Closed, CodeWanted, Established, Failed, Message
from blechannel.session.session import Session
from blechannel.session.setup import PhoneSetup, WatchSetup
from tests.pairing.made_bonds import key
from tests.session.sides import Shelf, Side, World

RUNNING = {State.PAIR_KEYS_AGREED, State.PHONE_PROVEN, State.WATCH_PROVEN}
"""A watch that holds its window; from m5 on, the window is closed."""
LONGEST_WAIT_S = 70.0
ROUNDING_S = 1e-9
"""Moments are sums of floats, and the order of the summands differs."""
CONTROL = 0x80
"""In a fragment's second byte: an acknowledgement and nothing more."""


class Seat(Side):
    """One end of a link; remembers what it sent and got, and which window its pairing took."""

    def __init__(self, make: Callable[[], Session], shelf: Shelf, now: float) -> None:
        super().__init__(make, shelf)
        self.now = now
        self.holds_stores = True
        self.windows: list[PairingWindow | None] = []
        """What it was told when it asked which window is open."""
        self.codes: list[str] = []
        """The codes of these windows, as they were then."""
        self.guesses = 0
        self.intent: object = None
        self.ports: list[int] = []
        self.taken = 0
        self.sent: list[tuple[int, bytes]] = []

    @property
    def established(self) -> Established | None:
        """What it was told when the channel stood, whether that is over or not."""
        return next((event for event in self.events if isinstance(event, Established)), None)

    @property
    def is_established(self) -> bool:
        return self.established is not None and self.session.state is State.ESTABLISHED

    @property
    def is_done(self) -> bool:
        """Whether this end is over and its store owes it nothing."""
        return self.session.is_over and not self.held

    @property
    def window(self) -> PairingWindow | None:
        """The window that its pairing took: the one that it was told of when m1 came."""
        return self.windows[-1]

    @property
    def got(self) -> list[tuple[int, bytes]]:
        return [(event.port, event.message) for event in self.events if isinstance(event, Message)]

    def said_in_order(self) -> list[bytes]:
        """What goes out; in a handshake, what depends on a store only after it has answered."""
        said = self.said()
        assert_silent_while_storing(self, said)
        return said

    def take_messages(self) -> None:
        """The application takes all that has come."""
        for port, message in self.got[self.taken :]:
            self.session.traffic.taken(port, len(message))
        self.taken = len(self.got)

    def assert_ended_once(self) -> None:
        """Nothing is told after the end, and an end is told once."""
        ends = [number for number, event in enumerate(self.events) if isinstance(event, Failed | Closed)]
        assert ends in ([], [len(self.events) - 1])
        assert self.session.is_over == bool(ends)

    def honour(self, now: float) -> None:
        """Wake the session as often as it asks; each waking must bring it on."""
        self.now = now
        for _ in range(100):
            due = self.session.deadline()
            if due is None or due > now:
                break
            self.take(self.session.expire(now))
        due = self.session.deadline()
        assert due is None or due > now
        waits_for_peer = not self.session.is_over and not self.held and not self.told(Established)
        if waits_for_peer:
            assert due is not None
            assert due <= now + LONGEST_WAIT_S + ROUNDING_S


def public(bond: Bond) -> bytes:
    """This side's public static key: what the peer knows the bond by."""
    return _public(bond.own_static)


@cache
def _public(private: bytes) -> bytes:
    return DH_25519.key_pair(private).public


def assert_silent_while_storing(side: Side, said: list[bytes]) -> None:
    """In a handshake, what depends on a store is said only after it has answered; acknowledgements may be."""
    if side.held and not side.told(Established) and not side.session.is_over:
        assert all(fragment[1] & CONTROL for fragment in said)


@dataclass
class Link:
    """Two ends and what is on its way to each."""

    phone: Seat
    watch: Seat
    typed: str | None = None
    has_promised: bool = False
    """Whether it has been counted that the phone once had a channel here."""
    air: dict[Role, deque[bytes]] = field(default_factory=lambda: {role: deque() for role in Role})

    def seat(self, role: Role) -> Seat:
        return self.phone if role is Role.PHONE else self.watch

    @property
    def is_guessed(self) -> bool:
        """Whether the code that was typed was not the watch's when m1 came, or not any more."""
        return self.typed is not None and self.watch.codes[-1:] != [self.typed]

    def errors(self) -> list[BlechannelError]:
        """How the ends failed, those that did."""
        return [seat.error for seat in (self.phone, self.watch) if seat.told(Failed)]

    def deliver(self, to: Role, most: int) -> bool:
        """Carry fragments to one end; says whether there were any."""
        self.air[to].extend(self.seat(to.peer).said_in_order())
        count = min(most, len(self.air[to]))
        for _ in range(count):
            self.seat(to).hear([self.air[to].popleft()])
        return count > 0

    def type(self, code: str) -> bool:
        """A person types; says whether somebody wanted that."""
        if not self.phone.told(CodeWanted) or self.typed is not None or self.phone.session.is_over:
            return False
        self.typed = code
        self.phone.take(self.phone.session.enter_code(code, self.phone.now))
        return True

    def lose(self) -> None:
        """The link is gone, for both ends."""
        for seat in (self.phone, self.watch):
            seat.take(seat.session.link_lost(LinkLost("gone")))


class Home:
    """One side's store and the ends that use it."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self.seats: list[Seat] = []
        self.bonds_of_window: list[PairingWindow] = []

    def answer(self, seat: Seat, *, refuse: bool) -> None:
        """The store answers one end; every other end of the same side sees the book."""
        if not seat.held:
            return
        change, spent = seat.held[0].change, self.shelf.book.guesses_spent
        self.shelf.refuse = StoreError("full") if refuse else None
        kept = len(self.shelf.changes)
        seat.answer()
        self.shelf.refuse = None
        if len(self.shelf.changes) > kept:
            self._assert_counted(seat, change, self.shelf.book.guesses_spent - spent)
        self._tell()

    def forget(self, bond_id: bytes) -> None:
        """A person removes a bond; the owner's goes last, or after another was made the owner's."""
        book, fresh = self.shelf.book, key("fresh", len(self.shelf.changes))
        others = [other for other in book.bonds if other != bond_id]
        if book.bond(bond_id).access.is_owner and others:
            self.shelf.keep(TransferOwnership(others[0]))
        self.shelf.keep(Forget(bond_id, fresh))
        self._tell()

    def crash(self, *, durable: bool) -> None:
        """Its sessions vanish; what it was storing is on disk or is not."""
        for seat in self.seats:
            for persist in seat.held if durable else ():
                with suppress(BlechannelError):
                    self.shelf.keep(persist.change)
            seat.held.clear()
            if not seat.session.is_over:
                seat.session.link_lost(LinkLost("crashed"))
                seat.events.append(Failed(LinkLost("crashed")))
        self.seats.clear()

    def _tell(self) -> None:
        for seat in self.seats:
            seat.take(seat.session.book_changed())

    def _assert_counted(self, seat: Seat, change: object, difference: int) -> None:
        """A guess is given back by the success that spent it alone, and a window makes one bond."""
        if isinstance(change, SpendGuess):
            seat.guesses += 1
            assert difference == 1
        elif isinstance(change, StorePending):
            assert seat.guesses == 1
            assert difference == -1
        elif isinstance(change, StoreBond):
            assert seat.guesses == 1
            assert difference == -1
            assert seat.window is not None
            assert seat.window not in self.bonds_of_window
            self.bonds_of_window.append(seat.window)
        else:
            assert difference == 0


class Homes(World):
    """A phone and a watch, and the links between them."""

    def __init__(self) -> None:
        super().__init__("homes")
        self.window = None
        self.watch_config = replace(self.watch_config, guest_ports=frozenset("ab"))
        self.moment = 0.0
        self.home = {Role.PHONE: Home(self.phone_shelf), Role.WATCH: Home(self.watch_shelf)}
        self.links: list[Link] = []

    def seat(self, role: Role, setup: PhoneSetup | WatchSetup) -> Seat:
        """A new end on a link that carries little."""
        seat = Seat(
            lambda: Session(setup, max_fragment_bytes=60, random=self.random, now=self.moment),
            self.home[role].shelf,
            self.moment,
        )
        self.home[role].seats.append(seat)
        seat.take([])
        return seat

    def connect(self, setup: PhoneSetup) -> Link:
        """A new link."""
        windows: list[PairingWindow | None] = []
        codes: list[str] = []

        def window() -> PairingWindow | None:
            windows.append(self.window)
            codes.append(self.window.code if self.window else "")
            return self.window

        watch = self.seat(Role.WATCH, WatchSetup(self.watch_config, self.watch_shelf, window))
        watch.windows, watch.codes = windows, codes
        self.links.append(Link(self.seat(Role.PHONE, setup), watch))
        return self.links[-1]

    def assert_phone_stored_first(self) -> None:
        """Whatever the watch has ever stored, the phone had stored before m5."""
        watch = {each.bond.peer_static for each in self.watch_shelf.changes if isinstance(each, StoreBond)}
        phone = {public(each.bond) for each in self.phone_shelf.changes if isinstance(each, StorePending)}
        assert watch <= phone

    def shared(self) -> list[tuple[Bond, Bond]]:
        """Bonds that both sides hold, the phone's newest first: found by their static keys."""
        watch = {bond.peer_static: bond for bond in self.watch_shelf.book.bonds.values()}
        phone = reversed(list(self.phone_shelf.book.bonds.values()))
        return [(bond, watch[public(bond)]) for bond in phone if public(bond) in watch]

    def tidy(self) -> None:
        """Let go of what is over."""
        for home in self.home.values():
            home.seats = [seat for seat in home.seats if not seat.is_done]
        self.links = [link for link in self.links if not (link.phone.is_done and link.watch.is_done)]
