"""Every message of pairing and reconnect flipped, dropped, doubled, swapped, reflected, replayed and spliced.

Each ends without a channel for the victim and with nothing stored but what the order of storing allows: the guess that
m3 spends on both sides, and the phone's pending bond from m4 on, which gives its guess back.
"""

from __future__ import annotations

import pytest

from blechannel.pairing.changes import Change, ConfirmBond, SpendGuess, StoreBond, StorePending
from blechannel.roles import Role
from blechannel.session.conversation import State
from blechannel.session.events import Established
from blechannel.wire.fragments import FRAGMENT_HEADER_BYTES
from blechannel.wire.frames import Refusal, Refuse, encode_frame
from tests.session.middle import Meddle, Middle, pass_on
from tests.session.sides import Shelf, Side, World

PAIRING = ["Info", "Pair1", "Pair2", "Pair3", "Nonce", "Confirm", "Bonded"]
RECONNECT = ["Info", "Reconnect1", "Reconnect2", "Ready"]
PAIRING_FRAME_BYTES = [29, 89, 163, 101, 67, 35, 67]
RECONNECT_FRAME_BYTES = [29, 73, 51, 35]


def pairing(world: World, meddle: Meddle) -> Middle:
    middle = Middle(*world.pairing(), meddle)
    middle.run()
    return middle


def reconnecting(world: World, meddle: Meddle) -> Middle:
    middle = Middle(*world.reconnecting(), meddle)
    middle.run()
    return middle


def flipping(number: int, at: int) -> Meddle:
    def meddle(sender: Role, seen: int, frame: bytes) -> list[tuple[Role, bytes]]:
        if seen == number:
            frame = frame[:at] + bytes([frame[at] ^ (1 << at % 8)]) + frame[at + 1 :]
        return [(sender.peer, frame)]

    return meddle


class Before:
    """What both sides had stored before the attack."""

    def __init__(self, world: World) -> None:
        self.books = world.phone_shelf.book, world.watch_shelf.book
        self._kept = {id(shelf): len(shelf.changes) for shelf in (world.phone_shelf, world.watch_shelf)}

    def changes_of(self, shelf: Shelf) -> list[Change]:
        return shelf.changes[self._kept[id(shelf)] :]


def is_established(middle: Middle, role: Role) -> bool:
    return bool(middle.sides[role].told(Established))


def assert_no_pairing(world: World, middle: Middle, number: int, before: Before) -> None:
    """After an attack on message `number`: no channel for the victim, nothing stored that should not be."""
    watch_stored = number == PAIRING.index("Bonded")
    assert not is_established(middle, Role.PHONE)
    assert is_established(middle, Role.WATCH) == watch_stored
    watch_may = {SpendGuess, StoreBond} if watch_stored else {SpendGuess}
    phone_did = [type(change) for change in before.changes_of(world.phone_shelf)]
    # A message that came before m3, and is said again after it, is refused when the guess is spent already.
    assert phone_did in ([], [SpendGuess], [SpendGuess, StorePending])
    assert phone_did == [SpendGuess] or number != PAIRING.index("Nonce")
    assert StorePending not in phone_did or number >= PAIRING.index("Confirm")
    assert world.phone_shelf.book.guesses_spent - before.books[0].guesses_spent == (phone_did == [SpendGuess])
    assert set(map(type, before.changes_of(world.watch_shelf))) <= watch_may


def assert_no_reconnect(world: World, middle: Middle, number: int, before: Before) -> None:
    if number < RECONNECT.index("Ready"):
        assert not is_established(middle, Role.PHONE)
        assert world.phone_shelf.book == before.books[0]
    assert not is_established(middle, Role.WATCH)
    [bond], [old] = world.watch_shelf.book.bonds.values(), before.books[1].bonds.values()
    assert bond.epoch == old.epoch


def test_honest_frames_have_the_documented_sizes() -> None:
    world = World()
    middle = pairing(world, pass_on)
    assert [len(frame) for _, frame in middle.seen] == PAIRING_FRAME_BYTES
    middle = reconnecting(world, pass_on)
    assert [len(frame) for _, frame in middle.seen] == RECONNECT_FRAME_BYTES


@pytest.mark.parametrize("number", range(len(PAIRING)), ids=PAIRING)
def test_a_flipped_bit_of_every_byte_ends_pairing(number: int) -> None:
    for at in range(PAIRING_FRAME_BYTES[number]):
        if at in (1, 2):
            continue  # a length that lies is refused by the fragment layer
        world = World()
        before = Before(world)
        assert_no_pairing(world, pairing(world, flipping(number, at)), number, before)


@pytest.mark.parametrize("number", range(len(RECONNECT)), ids=RECONNECT)
def test_a_flipped_bit_of_every_byte_ends_a_reconnect(number: int) -> None:
    for at in range(RECONNECT_FRAME_BYTES[number]):
        if at in (1, 2):
            continue  # a length that lies is refused by the fragment layer
        world = World().bonded()
        before = Before(world)
        assert_no_reconnect(world, reconnecting(world, flipping(number, at)), number, before)


def test_a_bond_survives_a_lost_last_message() -> None:
    world = World()
    before = Before(world)
    middle = pairing(world, flipping(6, 40))
    assert_no_pairing(world, middle, 6, before)
    after = reconnecting(world, pass_on)
    assert is_established(after, Role.PHONE)
    assert is_established(after, Role.WATCH)


def attack(kind: str, number: int, other: list[tuple[Role, bytes]]) -> Meddle:
    """One attack on one message; `other` is what was seen in another conversation."""

    def meddle(sender: Role, seen: int, frame: bytes) -> list[tuple[Role, bytes]]:
        honest = (sender.peer, frame)
        if seen != number:
            return [honest]
        match kind:
            case "drop":
                return []
            case "duplicate":
                return [honest, honest]
            case "reflect":
                return [(sender, frame)]
            case "refuse":
                return [(sender.peer, encode_frame(Refuse(Refusal.NOT_RECOGNISED)))]
            case "replay" | "splice":
                return [(sender.peer, other[number][1])]
            case _:
                return [(sender.peer, other[(number + 2) % len(other)][1])]

    return meddle


ATTACKS = ["drop", "duplicate", "reflect", "refuse", "replay", "splice", "out of turn"]
"""A replay is from an earlier conversation of the same two, a splice from one of two others under the same code."""


def earlier(world: World, kind: str) -> list[tuple[Role, bytes]]:
    """What somebody has recorded of another pairing; a window is open again."""
    other = World("other") if kind == "splice" else world
    assert other.window is not None
    assert world.window is not None
    other.window.code = world.window.code
    seen = pairing(other, pass_on).seen
    world.window = world.new_window()
    world.window.code = other.window.code
    return seen


@pytest.mark.parametrize("kind", ATTACKS)
@pytest.mark.parametrize("number", range(len(PAIRING)), ids=PAIRING)
def test_attacks_on_pairing(kind: str, number: int) -> None:
    world = World()
    other = earlier(world, kind)
    before = Before(world)
    middle = pairing(world, attack(kind, number, other))
    if kind != "duplicate":
        assert_no_pairing(world, middle, number, before)
        return
    # What was said twice ends whoever hears it twice, at once or when the second copy comes.
    assert State.FAILED in {side.session.state for side in middle.sides.values()}
    if number < PAIRING.index("Nonce"):
        assert_no_pairing(world, middle, PAIRING.index("Confirm"), before)


@pytest.mark.parametrize("kind", ATTACKS)
@pytest.mark.parametrize("number", range(len(RECONNECT)), ids=RECONNECT)
def test_attacks_on_a_reconnect(kind: str, number: int) -> None:
    world = World().bonded()
    other = reconnecting(world if kind == "replay" else World("other").bonded(), pass_on)
    before = Before(world)
    middle = reconnecting(world, attack(kind, number, other.seen))
    if kind != "duplicate":
        assert_no_reconnect(world, middle, number, before)
        return
    assert State.FAILED in {side.session.state for side in middle.sides.values()}
    if number < RECONNECT.index("Reconnect2"):
        assert_no_reconnect(world, middle, RECONNECT.index("Ready"), before)


@pytest.mark.parametrize("number", range(len(RECONNECT)), ids=RECONNECT)
def test_a_message_of_a_session_that_runs_beside(number: int) -> None:
    """Two links of the same two, at once: what is said on one is given to the other."""
    world = World().bonded()
    beside = reconnecting(world, attack("drop", number, []))
    middle = reconnecting(world, attack("splice", number, beside.seen))
    assert is_established(middle, Role.PHONE) == (number == RECONNECT.index("Ready"))
    assert not is_established(middle, Role.WATCH)
    assert not is_established(beside, Role.WATCH)


# --- below the frames ---


class Wire:
    """Two sides on one link, where one byte of what one of them sends is changed, whatever it belongs to."""

    def __init__(self, world: World, sides: tuple[Side, Side], *, role: Role, at: int | None = None) -> None:
        self.world = world
        self.before = Before(world)
        self.sides = dict(zip((Role.PHONE, Role.WATCH), sides, strict=True))
        self._role = role
        self._at = at
        self.passed_bytes = 0
        self.struck_header: bool | None = None
        """Whether the byte was one of the fragment layer; None if it has not come."""
        while sum(map(self._carry, Role)):
            """Both sides have their turn in each round."""
        self._wait()

    def _carry(self, role: Role) -> bool:
        said = self.sides[role].said()
        self.sides[role.peer].hear([self._changed(fragment) if role is self._role else fragment for fragment in said])
        return bool(said)

    def _changed(self, fragment: bytes) -> bytes:
        offset = None if self._at is None else self._at - self.passed_bytes
        self.passed_bytes += len(fragment)
        if offset is None or not 0 <= offset < len(fragment):
            return fragment
        self.struck_header = offset < FRAGMENT_HEADER_BYTES
        return fragment[:offset] + bytes([fragment[offset] ^ (1 << offset % 8)]) + fragment[offset + 1 :]

    def _wait(self) -> None:
        """A frame that seems longer than it is, or an answer that never comes, ends by the clock."""
        for side in self.sides.values():
            if not side.told(Established):
                side.take(side.session.expire(1000.0))

    def hashes(self) -> list[bytes]:
        told = [event for side in self.sides.values() for event in side.told(Established)]
        return [event.handshake_hash for event in told if isinstance(event, Established)]


def assert_harmless_or_noticed(wire: Wire) -> None:
    """Every byte of a frame counts; one of the fragment layer may change nothing but when something is acknowledged."""
    hashes = wire.hashes()
    assert wire.struck_header is not None
    assert len(set(hashes)) <= 1
    if not wire.struck_header:
        assert len(hashes) < 2
    if len(hashes) < 2:
        assert State.FAILED in {side.session.state for side in wire.sides.values()}
        assert not any(isinstance(change, ConfirmBond) for change in wire.before.changes_of(wire.world.phone_shelf))


def small_links(world: World) -> World:
    """Links so small that most frames take several fragments."""
    world.fragment_bytes = 60
    return world


@pytest.mark.parametrize("role", Role)
def test_a_changed_byte_of_every_fragment_ends_pairing(role: Role) -> None:
    honest = small_links(World())
    for at in range(Wire(honest, honest.pairing(), role=role).passed_bytes):
        world = small_links(World())
        assert_harmless_or_noticed(Wire(world, world.pairing(), role=role, at=at))


@pytest.mark.parametrize("role", Role)
def test_a_changed_byte_of_every_fragment_ends_a_reconnect(role: Role) -> None:
    honest = small_links(World().bonded())
    for at in range(Wire(honest, honest.reconnecting(), role=role).passed_bytes):
        world = small_links(World().bonded())
        assert_harmless_or_noticed(Wire(world, world.reconnecting(), role=role, at=at))
