"""Mallory has one side's keys and plays the other towards it; or makes two honest sides disagree who they are.

Published: Blake-Wilson, Johnson and Menezes, "Key Agreement Protocols and Their Security Analysis", 1997: key
compromise impersonation and unknown key share.
Stopped by: both static keys are mixed into every reconnect, and the phone's record 0 proves its ephemeral key before
anything has an effect; all keys depend on both static keys, INFO and HELLO.
"""

from __future__ import annotations

from blechannel.pairing.changes import AddCandidate
from blechannel.roles import Role
from blechannel.session.events import Established, Message
from blechannel.session.setup import Reconnect
from tests.attacks.mallory import Heard
from tests.session.middle import Meddle, Middle
from tests.session.sides import World, join


def test_the_watchs_keys_do_not_make_a_phone_of_the_thief() -> None:
    """He has all that the watch stores. The psk is in it, so his m1 is recognised; the phone's key is not."""
    world = World().bonded()
    [on_phone] = world.phone_shelf.book.bonds.values()
    thief = World("thief")
    thief.watch_shelf = world.watch_shelf
    thief.phone_shelf.book = world.phone_shelf.book
    thief.alter_phone_bond(own_static=thief.random(32))
    [bond_id] = thief.phone_shelf.book.bonds
    before = world.watch_shelf.book
    phone, watch = thief.phone(Reconnect(bond_id)), world.watch()
    join(phone, watch)
    assert not watch.told(Established)
    assert not watch.told(Message)
    assert not phone.told(Established)
    assert world.watch_shelf.book == before or type(world.watch_shelf.changes[-1]) is AddCandidate
    [bond] = world.watch_shelf.book.bonds.values()
    assert bond.epoch == on_phone.epoch, "the honest phone is not shut out"
    honest, again = world.reconnecting()
    join(honest, again)
    assert honest.told(Established)


def test_two_watches_that_swap_answers_share_nothing_with_either_phone() -> None:
    """Two honest pairs, and a man in the middle who crosses their links from m2 on."""
    left, right = World("left").bonded(), World("right").bonded()
    left_phone, left_watch = left.reconnecting()
    right_phone, right_watch = right.reconnecting()
    crossed: dict[str, bytes] = {}

    def keep(name: str, number: int) -> Meddle:
        def meddle(sender: Role, seen: int, frame: bytes) -> Heard:
            if seen == number and sender is Role.WATCH:
                crossed[name] = frame
                return []
            return [(sender.peer, frame)]

        return meddle

    one = Middle(left_phone, left_watch, keep("left", 2))
    two = Middle(right_phone, right_watch, keep("right", 2))
    one.run()
    two.run()
    one.say(Role.PHONE, crossed["right"])
    two.say(Role.PHONE, crossed["left"])
    one.run()
    two.run()
    for side in (left_phone, left_watch, right_phone, right_watch):
        assert not side.told(Established)


def test_both_sides_know_the_same_session_or_none() -> None:
    world = World().bonded()
    phone, watch = world.reconnecting()
    join(phone, watch)
    [on_phone], [on_watch] = phone.told(Established), watch.told(Established)
    assert isinstance(on_phone, Established)
    assert isinstance(on_watch, Established)
    assert on_phone.handshake_hash == on_watch.handshake_hash
