"""Every message of pairing and reconnect flipped, dropped, doubled, swapped, reflected, replayed and spliced.

Each ends without a channel for the victim and with nothing stored but what the order of storing allows: the guess that
m3 spends on both sides, and the phone's pending bond from m4 on, which gives its guess back.
"""

from __future__ import annotations

import pytest

from blechannel.pairing.bonds import BondBook
from blechannel.pairing.changes import SpendGuess, StorePending
from blechannel.roles import Role
from blechannel.session.conversation import State
from blechannel.session.events import Established
from tests.session.middle import Meddle, Middle, pass_on
from tests.session.sides import World

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


def is_established(middle: Middle, role: Role) -> bool:
    return bool(middle.sides[role].told(Established))


def assert_no_pairing(world: World, middle: Middle, number: int) -> None:
    """After an attack on message `number`: no channel for the victim, nothing stored that should not be."""
    assert not is_established(middle, Role.PHONE)
    watch_stored = number == PAIRING.index("Bonded")
    assert bool(world.watch_shelf.book.bonds) == watch_stored
    assert is_established(middle, Role.WATCH) == watch_stored
    proof, pending = PAIRING.index("Pair3"), PAIRING.index("Confirm")
    stored = [] if number < proof else [SpendGuess] if number < pending else [SpendGuess, StorePending]
    assert [type(change) for change in world.phone_shelf.changes] == stored
    assert world.phone_shelf.book.guesses_spent == (proof <= number < pending)
    if not watch_stored:
        assert all(isinstance(change, SpendGuess) for change in world.watch_shelf.changes[1:])


def assert_no_reconnect(world: World, middle: Middle, number: int, before: tuple[BondBook, BondBook]) -> None:
    if number < RECONNECT.index("Ready"):
        assert not is_established(middle, Role.PHONE)
        assert world.phone_shelf.book == before[0]
    assert not is_established(middle, Role.WATCH)
    [bond], [old] = world.watch_shelf.book.bonds.values(), before[1].bonds.values()
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
        assert_no_pairing(world, pairing(world, flipping(number, at)), number)


@pytest.mark.parametrize("number", range(len(RECONNECT)), ids=RECONNECT)
def test_a_flipped_bit_of_every_byte_ends_a_reconnect(number: int) -> None:
    for at in range(RECONNECT_FRAME_BYTES[number]):
        if at in (1, 2):
            continue  # a length that lies is refused by the fragment layer
        world = World().bonded()
        before = world.phone_shelf.book, world.watch_shelf.book
        assert_no_reconnect(world, reconnecting(world, flipping(number, at)), number, before)


def test_a_bond_survives_a_lost_last_message() -> None:
    world = World()
    middle = pairing(world, flipping(6, 40))
    assert_no_pairing(world, middle, 6)
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
            case "replay" | "splice":
                return [(sender.peer, other[number][1])]
            case _:
                return [(sender.peer, other[(number + 2) % len(other)][1])]

    return meddle


ATTACKS = ["drop", "duplicate", "reflect", "replay", "splice", "out of turn"]
"""A replay is from an earlier conversation of the same two, a splice from one of two others."""


@pytest.mark.parametrize("kind", ATTACKS)
@pytest.mark.parametrize("number", range(len(PAIRING)), ids=PAIRING)
def test_attacks_on_pairing(kind: str, number: int) -> None:
    world, other = World(), pairing(World("other"), pass_on)
    middle = pairing(world, attack(kind, number, other.seen))
    states = {role: side.session.state for role, side in middle.sides.items()}
    if kind == "duplicate":
        # What was said twice ends whoever hears it twice, at once or when the second copy comes.
        assert State.FAILED in states.values()
        return
    if kind in ("replay", "splice") and PAIRING[number] == "Info":
        assert not is_established(middle, Role.PHONE)
        return
    assert_no_pairing(world, middle, number)


@pytest.mark.parametrize("kind", ATTACKS)
@pytest.mark.parametrize("number", range(len(RECONNECT)), ids=RECONNECT)
def test_attacks_on_a_reconnect(kind: str, number: int) -> None:
    world = World().bonded()
    other = reconnecting(world if kind == "replay" else World("other").bonded(), pass_on)
    before = world.phone_shelf.book, world.watch_shelf.book
    middle = reconnecting(world, attack(kind, number, other.seen))
    if kind == "duplicate":
        assert State.FAILED in {side.session.state for side in middle.sides.values()}
        return
    assert_no_reconnect(world, middle, number, before)
