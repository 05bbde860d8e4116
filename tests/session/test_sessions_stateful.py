"""Two live sides over up to four links, driven at random: people, stores, crashes and the air, in any order.

After each step the model's invariants hold; at the end every session has ended within its deadlines, and the phone
reconnects with every bond that both sides hold.
"""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from blechannel.errors import FragmentFault, FragmentRefused, LocalProtocolError, PeerTimedOut, RemoteProtocolError
from blechannel.limits import MAX_LINKS
from blechannel.roles import Role
from blechannel.session.events import Established
from blechannel.session.setup import Pair, PhoneSetup, Reconnect
from tests.session.homes import RUNNING, Homes, Link, Seat, public

ROLES = st.sampled_from(Role)
WHICH = st.integers(0, 11)
"""One of those that there are."""
SELDOM = st.sampled_from([False, False, True])
"""Else most ways would end early."""
NAMES = st.sampled_from(["a", "b"])


def with_links(machine: Sessions) -> bool:
    return bool(machine.homes.links)


def with_channels(machine: Sessions) -> bool:
    return bool(machine.talking())


class Sessions(RuleBasedStateMachine):
    """People, stores, crashes and the air."""

    @initialize(bonded=st.booleans())
    def begin(self, bonded: bool) -> None:
        self.homes = Homes()
        self.promised = False
        """Whether the phone once had a channel by a bond that no person has removed since."""
        self.removed: set[bytes] = set()
        self.hashes: dict[bytes, Link] = {}
        if bonded:
            self.pair(newest=False)
            self.carry_everything(0)

    # --- people ---

    @rule()
    def open_window(self) -> None:
        window = self.homes.window
        if window is None or not window.is_open(self.homes.moment):
            self.homes.window = self.homes.new_window(self.homes.moment)

    @rule()
    def close_window(self) -> None:
        if self.homes.window is not None:
            self.homes.window.close()

    @rule(newest=st.booleans(), opens=st.sampled_from([True, True, True, False]))
    def pair(self, newest: bool, opens: bool = True) -> None:
        """Replacing the newest bond, or none; most people open the window first."""
        if opens:
            self.open_window()
        bonds = list(self.homes.phone_shelf.book.bonds)
        self.connect(Pair(replaces=bonds[-1] if newest and bonds else None))

    @precondition(lambda self: self.homes.phone_shelf.book.bonds)
    @rule(which=WHICH)
    def reconnect(self, which: int) -> None:
        """One at a time a bond, as the protocol says."""
        bonds = list(self.homes.phone_shelf.book.bonds)
        bond_id = bonds[which % len(bonds)]
        if not self.is_reconnecting(bond_id):
            self.connect(Reconnect(bond_id))

    def connect(self, intent: Pair | Reconnect) -> None:
        homes = self.homes
        homes.tidy()
        if len(homes.links) < MAX_LINKS:
            link = homes.connect(PhoneSetup(homes.phone_config, homes.phone_shelf, intent))
            link.phone.intent = intent

    def is_reconnecting(self, bond_id: bytes) -> bool:
        return any(
            seat.intent == Reconnect(bond_id) and not seat.told(Established) and not seat.is_done
            for seat in self.homes.home[Role.PHONE].seats
        )

    @precondition(with_links)
    @rule(which=WHICH)
    def type_wrong_code(self, which: int) -> None:
        self.link(which).type("999999")

    @precondition(lambda self: self.promised)
    @rule(role=ROLES, which=WHICH, really=SELDOM)
    def forget(self, role: Role, which: int, really: bool) -> None:
        home = self.homes.home[role]
        bonds = list(home.shelf.book.bonds)
        if bonds and really:
            bond = home.shelf.book.bonds[bonds[which % len(bonds)]]
            self.removed.add(bond.peer_static if role is Role.WATCH else public(bond))
            home.forget(bond.bond_id)
            self.promised = bool(self.homes.shared())

    # --- the air ---

    @precondition(with_links)
    @rule(which=WHICH, to=ROLES)
    def deliver(self, which: int, to: Role) -> None:
        self.link(which).deliver(to, 1)

    @precondition(with_links)
    @rule(which=WHICH, steps=st.integers(1, 30))
    def go_on(self, which: int, steps: int) -> None:
        """One link takes so many steps: a store that answers, the right code, a fragment."""
        link = self.link(which)
        for _ in range(steps):
            if not (self.answer(link) or self.move(link)):
                break

    @precondition(with_links)
    @rule(which=WHICH, steps=st.integers(1, 30), first=ROLES)
    def go_on_with_slow_stores(self, which: int, steps: int, first: Role) -> None:
        link = self.link(which)
        for _ in range(steps):
            if not (self.move(link) or self.answer(link, first)):
                break

    @precondition(with_links)
    @rule(which=WHICH)
    def carry_everything(self, which: int) -> None:
        """One link goes on until nothing moves."""
        link = self.link(which)
        while self.answer(link) or self.move(link):
            """A step more."""

    def answer(self, link: Link, first: Role = Role.PHONE) -> bool:
        for role in (first, first.peer):
            if link.seat(role).held:
                self.homes.home[role].answer(link.seat(role), refuse=False)
                return True
        return False

    def move(self, link: Link) -> bool:
        window = self.homes.window
        if window is not None and link.type(window.code):
            return True
        return link.deliver(Role.PHONE, 1) or link.deliver(Role.WATCH, 1)

    @precondition(with_links)
    @rule(which=WHICH, steps=st.integers(0, 25), first=ROLES)
    def cut_off(self, which: int, steps: int, first: Role) -> None:
        """Somewhere on the way, with stores that have still to answer."""
        link = self.link(which)
        self.go_on_with_slow_stores(which, steps, first)
        link.lose()
        while self.answer(link, first):
            """A store more."""

    @precondition(lambda self: self.promised)
    @rule(steps=st.integers(8, 25), first=ROLES)
    def pair_again_and_cut_off(self, steps: int, first: Role) -> None:
        """The moment in which the old bond could be lost is short: try often."""
        self.pair(newest=True)
        self.cut_off(len(self.homes.links) - 1, steps, first)

    @rule(wait_s=st.sampled_from([0.02, 0.02, 1.0, 1.0, 5.0, 25.0, 61.0]))
    def wait(self, wait_s: float) -> None:
        """Time passes in steps, none of them beyond anybody's deadline."""
        until = self.homes.moment + wait_s
        while self.homes.moment < until:
            dues = [seat.session.deadline() for seat in self.seats()]
            # What fell due while a store was written is due now: time does not go back for it.
            self.homes.moment = max(self.homes.moment, min([until, *(due for due in dues if due is not None)]))
            for seat in self.seats():
                seat.honour(self.homes.moment)

    # --- stores and crashes ---

    @precondition(with_links)
    @rule(which=WHICH, role=ROLES, refuse=st.booleans())
    def answer_store(self, which: int, role: Role, refuse: bool) -> None:
        self.homes.home[role].answer(self.link(which).seat(role), refuse=refuse)

    @rule(role=ROLES, durable=st.booleans(), really=SELDOM)
    def crash(self, role: Role, durable: bool, really: bool) -> None:
        if not really:
            return
        self.homes.home[role].crash(durable=durable)
        for link in self.homes.links:
            link.lose()
        if role is Role.WATCH:
            self.homes.window = None

    # --- applications ---

    @precondition(with_channels)
    @rule(which=WHICH, name=NAMES)
    def open_port(self, which: int, name: str) -> None:
        seat = self.channel(which)
        try:
            seat.ports.append(seat.session.traffic.open(name))
        except LocalProtocolError:
            assert seat.ports, "a name that is not open"

    @precondition(with_channels)
    @rule(which=WHICH, size=st.integers(0, 200), count=st.integers(1, 5))
    def send(self, which: int, size: int, count: int) -> None:
        seat = self.channel(which)
        if not seat.ports:
            self.open_port(which, "a")
        for port in seat.ports * count:
            message = bytes([len(seat.sent) % 256]) * size
            if seat.session.traffic.send(port, message):
                seat.sent.append((port, message))

    @precondition(with_channels)
    @rule(which=WHICH)
    def shut_port(self, which: int) -> None:
        seat = self.channel(which)
        if seat.ports:
            seat.session.traffic.shut(seat.ports.pop())

    @precondition(with_channels)
    @rule(which=WHICH)
    def take_messages(self, which: int) -> None:
        self.channel(which).take_messages()

    @precondition(with_links)
    @rule(which=WHICH, role=ROLES, really=SELDOM)
    def close(self, which: int, role: Role, really: bool) -> None:
        seat = self.link(which).seat(role)
        if really:
            seat.take(seat.session.close(self.homes.moment))

    # --- what must hold ---

    @invariant()
    def sessions_end_once_and_keep_their_deadlines(self) -> None:
        for seat in self.seats():
            seat.honour(self.homes.moment)
            seat.assert_ended_once()

    @invariant()
    def honest_sides_accuse_nobody(self) -> None:
        """What the peer or somebody in between must have done is told only where a wrong code was typed."""
        for link in self.links():
            for error in link.errors():
                if isinstance(error, FragmentRefused):
                    assert error.fault is FragmentFault.FRAME_TOO_SLOW
                elif isinstance(error, RemoteProtocolError):
                    assert isinstance(error, PeerTimedOut) or link.is_guessed

    @invariant()
    def what_arrives_is_the_beginning_of_what_was_sent(self) -> None:
        for link in self.links():
            for role in Role:
                got = link.seat(role).got
                assert got == link.seat(role.peer).sent[: len(got)]

    @invariant()
    def both_ends_have_the_same_keys_and_no_other_link_has_them(self) -> None:
        for link in self.links():
            hashes = {s.established.handshake_hash for s in (link.phone, link.watch) if s.established is not None}
            assert len(hashes) <= 1
            assert all(self.hashes.setdefault(each, link) is link for each in hashes)

    @invariant()
    def who_is_established_holds_the_bond_and_so_does_the_peer(self) -> None:
        for link in self.links():
            if link.phone.established is not None and not link.has_promised:
                link.has_promised = True
                bond = self.homes.phone_shelf.book.bonds.get(link.phone.established.bond_id)
                self.promised |= bond is not None and public(bond) not in self.removed
            for seat in (link.phone, link.watch):
                if seat.is_established and seat.established is not None:
                    assert seat.established.bond_id in seat.shelf.book.bonds
        assert self.homes.shared() or not self.promised

    @invariant()
    def nothing_is_said_before_what_it_depends_on_is_stored(self) -> None:
        self.homes.assert_phone_stored_first()

    @invariant()
    def a_bond_has_one_channel(self) -> None:
        for home in self.homes.home.values():
            channels = [seat.established.bond_id for seat in home.seats if seat.is_established and seat.established]
            assert len(channels) == len(set(channels))

    @invariant()
    def a_window_serves_one_run(self) -> None:
        running = [seat.window for seat in self.homes.home[Role.WATCH].seats if seat.session.state in RUNNING]
        assert len(running) == len(set(map(id, running)))

    def teardown(self) -> None:
        """Left alone, every session ends; then the phone reconnects with every bond that both sides hold."""
        if not hasattr(self, "homes"):
            return
        for home in self.homes.home.values():
            for seat in list(home.seats):
                while seat.held:
                    home.answer(seat, refuse=False)
        self.wait(200.0)
        assert all(seat.session.is_over for seat in self.seats())
        assert self.homes.shared() or not self.promised
        for bond, _ in self.homes.shared():
            if bond.bond_id in self.homes.phone_shelf.book.bonds:
                self.assert_reconnects(bond.bond_id)

    def assert_reconnects(self, bond_id: bytes) -> None:
        """Nothing fails any more; an older bond may go when the one that replaces it is confirmed."""
        self.homes.tidy()
        self.connect(Reconnect(bond_id))
        self.carry_everything(len(self.homes.links) - 1)
        link = self.homes.links[-1]
        assert link.phone.is_established
        assert link.watch.is_established

    # --- inside ---

    def links(self) -> list[Link]:
        return self.homes.links

    def link(self, which: int) -> Link:
        return self.homes.links[which % len(self.homes.links)]

    def seats(self) -> list[Seat]:
        return [seat for link in self.homes.links for seat in (link.phone, link.watch)]

    def talking(self) -> list[Seat]:
        return [seat for seat in self.seats() if seat.is_established]

    def channel(self, which: int) -> Seat:
        return self.talking()[which % len(self.talking())]


Sessions.TestCase.settings = settings(
    max_examples=100, stateful_step_count=50, deadline=None, derandomize=True, database=None
)
test_sessions = Sessions.TestCase


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_many_more_sessions() -> None:
    run_state_machine_as_test(Sessions, settings=settings(max_examples=5000, stateful_step_count=120, deadline=None))
