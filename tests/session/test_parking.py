"""A session that is parked and woken at any moment says, hears and fails as one that never is."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blechannel.errors import BlechannelError, BondSuperseded, LocalProtocolError, PeerTimedOut
from blechannel.pairing.changes import SetDiscoveryKey
from blechannel.roles import Role
from blechannel.session.events import Established, Event, Message
from blechannel.session.parking import ParkedSession
from blechannel.session.records import REKEY_EVERY
from blechannel.session.session import Session
from tests.session.sides import Side, World, join

SECRET_BYTES = 32


class Sleeper(Side):
    """A side whose session may rest, with the application's ports and what it got."""

    def __init__(self, side: Side) -> None:
        self.__dict__.update(side.__dict__)
        self.parked: ParkedSession | None = None
        self.ports: list[int] = []
        self.taken = 0

    def park(self) -> bool:
        if self.parked is None:
            self.parked = self.session.park()
        return self.parked is not None

    def awake(self) -> Session:
        if self.parked is not None:
            self.session, self.parked = Session.wake(self.parked, self.now), None
        return self.session

    def hear(self, fragments: list[bytes]) -> None:
        for fragment in fragments:
            try:
                is_taken = self.parked is not None and self.parked.receive(fragment, self.now)
            except BlechannelError as error:
                self.take(self.awake().abandon(error))
            else:
                self.take([] if is_taken else self.awake().receive(fragment, self.now))

    def said(self) -> list[bytes]:
        stream = self.session.stream if self.parked is None else self.parked.stream
        return stream.fragments_to_send(self.now)

    def expire(self) -> None:
        if self.parked is None:
            self.take(self.session.expire(self.now))
            return
        try:
            self.parked.stream.expire(self.now)
        except BlechannelError as error:
            self.take(self.awake().abandon(error))

    @property
    def is_over(self) -> bool:
        return self.parked is None and self.session.is_over

    @property
    def got(self) -> list[Message]:
        return [event for event in self.events if isinstance(event, Message)]


@dataclass
class Talk:
    """Two sides with a channel, and everything that went over the air."""

    sides: dict[Role, Sleeper]
    air: list[tuple[Role, bytes]] = field(default_factory=list)

    def carry(self) -> None:
        while True:
            said = {role: side.said() for role, side in self.sides.items()}
            if not any(said.values()):
                return
            for role, fragments in said.items():
                self.air += [(role, fragment) for fragment in fragments]
                self.sides[role.peer].hear(fragments)

    def wait(self, wait_s: float) -> None:
        for side in self.sides.values():
            side.now += wait_s
            side.expire()
        self.carry()


def talk(world: World | None = None) -> Talk:
    phone, watch = (world or World().bonded()).reconnecting()
    join(phone, watch)
    assert phone.told(Established)
    t = Talk({Role.PHONE: Sleeper(phone), Role.WATCH: Sleeper(watch)})
    t.wait(1)
    return t


Step = tuple[str, Role, int, bool]
"""What is done, by whom, with what number; and whether all then comes to rest."""
KINDS = {
    "send": [0, 1, 200, 5000, 8000],
    "open": [0, 1, 2],
    "shut": [0],
    "take": [0],
    "carry": [0],
    "wait": [0, 7, 21],
    "key": [1, 2],
    "close": [0],
}
STEPS = st.lists(
    st.sampled_from(
        [(what, role, number) for what, numbers in KINDS.items() for number in numbers for role in Role]
    ).flatmap(lambda step: st.tuples(*map(st.just, step), st.booleans())),
    max_size=40,
)


def act(t: Talk, step: Step) -> None:
    what, role, number, _ = step
    side = t.sides[role]
    if what == "carry":
        t.carry()
    elif what == "wait":
        t.wait(number)
    elif what == "key" and role is Role.WATCH:
        side.shelf.keep(SetDiscoveryKey(bytes([number]) * SECRET_BYTES))
        if side.parked is None or side.parked.is_news():
            side.take(side.awake().book_changed())
    elif what == "close":
        side.take(side.awake().close(side.now))
    elif what in ("open", "send", "shut", "take") and not side.is_over:
        use_port(side, what, number)


def use_port(side: Sleeper, what: str, number: int) -> None:
    traffic = side.awake().traffic
    try:
        if what == "open":
            side.ports.append(traffic.open(f"port {number}"))
        elif what == "send" and side.ports:
            traffic.send(side.ports[-1], bytes(number))
        elif what == "shut" and side.ports:
            traffic.shut(side.ports.pop())
        elif what == "take":
            for port, message in side.got[side.taken :]:
                traffic.taken(port, len(message))
            side.taken = len(side.got)
    except LocalProtocolError:
        """Refused, in both runs alike: what is said afterwards shows it."""


def told(t: Talk) -> list[list[Event]]:
    return [[event for event in side.events if not hasattr(event, "token")] for side in t.sides.values()]


@given(STEPS)
@settings(max_examples=120, deadline=None, derandomize=True, database=None)
def test_resting_is_seen_by_nobody(steps: list[Step]) -> None:
    resting, restless = talk(), talk()
    for step in steps:
        for t in (resting, restless):
            act(t, step)
            if step[3]:
                t.carry()
                t.wait(1)
        if step[3]:
            for side in resting.sides.values():
                side.park()
    for t in (resting, restless):
        t.carry()
        t.wait(30)
    assert resting.air == restless.air
    assert list(map(repr, told(resting))) == list(map(repr, told(restless)))


@pytest.mark.parametrize("before", [REKEY_EVERY - 1, REKEY_EVERY, REKEY_EVERY + 1])
def test_keys_that_are_replaced_about_now_are_replaced_once(before: int) -> None:
    t = talk()
    writer, reader = t.sides.values()
    number = writer.session.traffic.open("port")
    t.carry()
    t.wait(1)
    for cipher in (writer.session.traffic._records._send, reader.session.traffic._records._receive):
        cipher.n = before
    assert writer.park()
    assert reader.park()
    for _ in range(3):
        assert writer.awake().traffic.send(number, b"after")
    t.carry()
    assert [message.message for message in reader.got] == [b"after"] * 3


def test_a_session_is_woken_once() -> None:
    side = talk().sides[Role.PHONE]
    assert side.park()
    parked = side.parked
    assert parked is not None
    Session.wake(parked, 0.0)
    with pytest.raises(LocalProtocolError, match="woken once"):
        Session.wake(parked, 0.0)


def test_the_session_that_was_parked_says_no_more() -> None:
    t = talk()
    side = t.sides[Role.PHONE]
    number = side.session.traffic.open("port")
    t.carry()
    t.wait(1)
    assert side.park()
    with pytest.raises(LocalProtocolError):
        side.session.traffic.send(number, b"twice under one nonce")
    with pytest.raises(LocalProtocolError):
        side.session.traffic.open("another")


def test_what_is_under_way_keeps_a_session_awake() -> None:
    t = talk()
    phone, watch = t.sides.values()
    number = phone.session.traffic.open("port")
    assert not phone.park(), "a frame is queued"
    fragments = phone.said()
    assert not phone.park(), "fragments are out that nobody has acknowledged"
    watch.hear(fragments)
    t.wait(1)
    assert phone.park()
    phone.awake().traffic.send(number, bytes(600))
    first, *rest = phone.said()
    watch.hear([first])
    assert not watch.park(), "a frame has come in part"
    watch.hear(rest)
    t.wait(1)
    assert watch.park()
    phone.take(phone.session.close(phone.now))
    assert not phone.park(), "the peer's CLOSE is awaited"


def test_a_session_rests_neither_before_it_stands_nor_after_its_end_nor_while_its_store_is_at_work() -> None:
    world = World()
    phone, watch = world.pairing()
    assert phone.session.park() is None
    watch.holds_stores = True
    join(phone, watch)
    assert watch.held
    assert watch.session.park() is None
    t = talk(World().bonded())
    side = t.sides[Role.PHONE]
    side.take(side.session.close(0.0))
    t.carry()
    assert side.session.is_over
    assert not side.park()


def test_a_change_that_is_being_stored_keeps_a_session_awake() -> None:
    t = talk()
    phone, watch = t.sides.values()
    phone.holds_stores = True
    act(t, ("key", Role.WATCH, 1, False))
    t.carry()
    t.wait(1)
    assert phone.held
    assert not phone.park()
    phone.answer()
    t.carry()
    t.wait(1)
    assert phone.park()
    assert watch.park()


def test_what_a_port_that_was_shut_still_owes_is_remembered() -> None:
    t = talk()
    phone, watch = t.sides.values()
    for step in (("open", 0), ("send", 200), ("shut", 0)):
        act(t, (step[0], Role.PHONE, step[1], False))
    t.carry()
    t.wait(1)
    assert phone.park()
    act(t, ("take", Role.WATCH, 0, False))
    t.carry()
    assert not watch.is_over
    assert phone.awake().traffic.open("port 0") == 1, "numbers are not used again"


def test_a_bond_that_goes_ends_a_resting_session() -> None:
    world = World().bonded()
    t = talk(world)
    side = t.sides[Role.WATCH]
    assert side.park()
    assert side.parked is not None
    assert not side.parked.is_news()
    [bond_id] = world.watch_shelf.book.bonds
    world.alter_watch_bond(epoch=world.watch_shelf.book.bond(bond_id).epoch.__class__(9, bytes(32), b"9" * 32))
    assert side.parked.is_news()
    control = t.sides[Role.PHONE].session.stream
    control.expire(25.0)
    [probe] = control.fragments_to_send(25.0)
    side.hear([probe])
    assert isinstance(side.error, BondSuperseded)


def test_a_bond_that_has_gone_lets_no_session_rest() -> None:
    world = World().bonded()
    t = talk(world)
    world.alter_watch_bond(
        epoch=next(iter(world.watch_shelf.book.bonds.values())).epoch.__class__(9, bytes(32), b"9" * 32)
    )
    assert not t.sides[Role.WATCH].park()


def test_a_peer_that_falls_silent_is_missed_by_a_resting_session() -> None:
    t = talk()
    side = t.sides[Role.PHONE]
    t.wait(1)
    assert side.park()
    for moment in (22.0, 40.0):
        side.now = moment
        side.expire()
        side.said()
    assert isinstance(side.error, PeerTimedOut)


def test_a_control_fragment_that_lies_ends_a_resting_session() -> None:
    t = talk()
    side = t.sides[Role.PHONE]
    t.wait(1)
    assert side.park()
    side.hear([bytes((0x05, 0x80))])
    assert side.error is not None


def test_keys_are_in_no_print() -> None:
    side = talk().sides[Role.PHONE]
    assert side.park()
    assert side.parked is not None
    keys = side.parked.keys
    assert keys is not None
    for printed in (repr(side.parked), repr(keys), str(keys)):
        assert keys.k.hex() not in printed
        assert repr(keys.k)[2:-1] not in printed
