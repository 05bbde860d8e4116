"""Targets that are a whole session: a stranger's fragments and frames, and a bonded peer that says what it likes."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from functools import cache

from blechannel.errors import BlechannelError, LocalProtocolError
from blechannel.limits import MAX_BONDS, MAX_PORTS, MAX_WINDOW, PORT_WINDOW_BYTES, Limits, Patience
from blechannel.pairing.bonds import BondBook
from blechannel.session.conversation import OVER
from blechannel.session.events import Established, Failed
from blechannel.session.session import Session
from blechannel.session.setup import PhoneSetup, WatchSetup
from blechannel.wire.fragments import FragmentStream
from blechannel.wire.header import pack_header
from tests.fuzz.reading import Reader
from tests.session.sides import Side, Stream, World, join

FRAGMENT_BYTES = 244
UNREAD_BYTES = MAX_PORTS * PORT_WINDOW_BYTES


class Stranger:
    """Speaks to one side, through the fragment layer or past it."""

    def __init__(self, side: Side) -> None:
        self.side = side
        self.stream = FragmentStream(max_fragment_bytes=FRAGMENT_BYTES, receive=Limits(), patience=Patience())
        self.stream.peer_limits(window=MAX_WINDOW, max_frame_bytes=Limits().max_frame_bytes)

    def step(self, steps: Reader) -> None:
        side = self.side
        self.listen()
        match steps.u8() % 8:
            case 0:
                side.hear([steps.take(steps.u16() % 600)])
            case 1:
                side.now += steps.u8()
                side.take(side.session.expire(side.now))
            case 2:
                side.take(side.session.payload_changed(steps.u16()))
            case _:
                self.say(steps.u8(), steps.take(steps.u16() % 2048))
        check(side)

    def say(self, kind: int, body: bytes) -> None:
        with suppress(LocalProtocolError):
            self.stream.send(pack_header(kind, len(body)) + body)
        self.side.hear(self.stream.fragments_to_send(self.side.now))

    def listen(self) -> None:
        """What the side says; it is for the acknowledgements in it."""
        with suppress(BlechannelError):
            for fragment in self.side.said():
                self.stream.receive(fragment, self.side.now)


def check(side: Side) -> None:
    """What holds of a session whatever it heard."""
    session = side.session
    failures = side.told(Failed)
    assert len(failures) <= 1
    assert bool(failures) <= (session.state in OVER)
    assert len(side.told(Established)) <= 1
    assert len(session._held) <= 2 * MAX_WINDOW + 1
    assert session.stream.queued_bytes < 1 << 20
    assert len(side.shelf.book.bonds) <= MAX_BONDS
    if session.is_over:
        assert session.deadline() is None


@cache
def _books() -> tuple[BondBook, BondBook]:
    world = World("fuzz bonded").bonded()
    return world.phone_shelf.book, world.watch_shelf.book


class SameWorld(World):
    """Each side draws from its own stream, the same each time: what was recorded once can be said again."""

    def session(self, setup: PhoneSetup | WatchSetup) -> Session:
        random = Stream(f"fuzz {setup.role.value}")
        return Session(setup, max_fragment_bytes=FRAGMENT_BYTES, random=random, now=0.0)


def the_world(*, bonded: bool) -> World:
    """A phone and a watch, and their bond if there is to be one."""
    world = SameWorld("fuzz")
    if bonded:
        world.phone_shelf.book, world.watch_shelf.book = _books()
    return world


def phone(script: bytes) -> None:
    """A phone; the first step says whether it pairs or reconnects. No stranger ever gets a channel out of it."""
    steps = Reader(script)
    world = the_world(bonded=bool(steps.u8() % 2))
    side, _ = world.reconnecting() if world.phone_shelf.book.bonds else world.pairing()
    _meet(side, steps)


def watch(script: bytes) -> None:
    """A watch with a window open, and perhaps a bond."""
    steps = Reader(script)
    world = the_world(bonded=bool(steps.u8() % 2))
    _meet(world.watch(), steps)
    spent = world.watch_shelf.book.guesses_spent
    assert world.window is not None
    assert world.window.attempts_left + spent >= 3 or world.watch_shelf.book.bonds


def _meet(side: Side, steps: Reader) -> None:
    stranger = Stranger(side)
    while steps and not side.session.is_over:
        stranger.step(steps)


def traffic(script: bytes) -> None:
    """A bonded peer with real keys that seals any records; the first step chooses who it is."""
    steps = Reader(script)
    world = the_world(bonded=True)
    sides = list(world.reconnecting())
    join(*sides)
    if steps.u8() % 2:
        sides.reverse()
    liar, victim = sides
    while steps and not victim.session.is_over:
        _lie(liar, victim, steps)
        check(victim)
        if victim.session.is_over:
            return
        # What is unread stays bounded: 16 ports, each with its window.
        assert sum(reading.unread_bytes for reading in victim.session.traffic._ports._reading.values()) <= UNREAD_BYTES


def _lie(liar: Side, victim: Side, steps: Reader) -> None:
    match steps.u8() % 4:
        case 0:
            with suppress(LocalProtocolError):
                victim.session.traffic.open(steps.take(steps.u8() % 40).decode("latin-1"))
        case 1:
            with suppress(LocalProtocolError):
                victim.session.traffic.taken(steps.u8(), steps.u16())
        case _:
            stage = liar.session._stage
            with suppress(LocalProtocolError):
                stage.stream.send(stage.sealer().seal(steps.u8() % 12, steps.take(steps.u16() % 1024)))
    _carry(liar, victim)


def _carry(liar: Side, victim: Side) -> None:
    victim.hear(liar.said())
    _acknowledge(liar, victim.said())


def _acknowledge(liar: Side, fragments: Iterable[bytes]) -> None:
    """The liar's own session would end by what it hears of its lies; its fragment layer alone listens."""
    for fragment in fragments:
        with suppress(BlechannelError):
            liar.session.stream.receive(fragment, liar.now)
