"""A stranger makes the watch or the phone forget a bond: by pairing again, by filling the store, by refusing.

Published: Xu, Diao, Li and Zhang, "BadBluetooth", 2019; Antonioli, Tippenhauer, Rasmussen and Payer, "BLURtooth", 2022
(a bond overwritten by a weaker pairing); Sacchetti and Antonioli, "BLERP" (forced re-pairing of LE).
Stopped by: a new bond stands beside the old one until it is confirmed, a full store refuses, re-pairing needs a window
that a person opened, and a refusal has no effect.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from blechannel.errors import PairingRefused
from blechannel.limits import MAX_BONDS
from blechannel.roles import Role
from blechannel.session.events import Established
from blechannel.session.setup import Reconnect
from blechannel.wire.frames import Info, Mode, Refusal, Refuse, decode_frame, encode_frame
from tests.attacks.mallory import Heard
from tests.session.middle import Middle
from tests.session.sides import World, join


def reconnects(world: World) -> bool:
    world.window = None
    phone, watch = world.reconnecting()
    join(phone, watch)
    return bool(phone.told(Established) and watch.told(Established))


@pytest.mark.parametrize("until", range(7))
def test_an_abandoned_pairing_leaves_the_old_bond(until: int) -> None:
    """A stranger, or a lost link, stops a second pairing after each of its messages."""
    world = World().bonded()
    [old] = world.phone_shelf.book.bonds
    [on_watch] = world.watch_shelf.book.bonds
    world.window = world.new_window()
    phone, watch = world.pairing(replaces=old)
    Middle(phone, watch, lambda sender, number, frame: [(sender.peer, frame)] if number < until else []).run()
    assert on_watch in world.watch_shelf.book.bonds
    assert old in world.phone_shelf.book.bonds
    world.window = None
    phone, watch = world.phone(Reconnect(old)), world.watch()
    join(phone, watch)
    assert phone.told(Established)


def test_a_full_watch_keeps_the_bonds_that_it_has() -> None:
    world = World()
    for _ in range(MAX_BONDS):
        world.window = world.new_window()
        world.phone_shelf.book = type(world.phone_shelf.book)()
        join(*world.pairing())
    before = world.watch_shelf.book
    world.window = world.new_window()
    phone, watch = world.pairing()
    join(phone, watch)
    assert isinstance(watch.error, PairingRefused)
    assert world.watch_shelf.book == before


@pytest.mark.parametrize("reason", Refusal)
def test_a_refusal_in_the_watchs_name(reason: Refusal) -> None:
    world = World().bonded()
    before = world.phone_shelf.book
    phone, watch = world.reconnecting()

    def refuse(sender: Role, number: int, frame: bytes) -> Heard:
        return [(Role.PHONE, encode_frame(Refuse(reason)))] if number == 1 else [(sender.peer, frame)]

    Middle(phone, watch, refuse).run()
    assert isinstance(phone.error, PairingRefused)
    assert world.phone_shelf.book == before
    assert reconnects(world)


def test_a_mode_in_the_watchs_name_makes_no_phone_pair() -> None:
    """With a bond the phone reconnects, whatever INFO says about a window."""
    world = World().bonded()
    phone, watch = world.reconnecting()

    def open_window(sender: Role, number: int, frame: bytes) -> Heard:
        if number == 0:
            info = decode_frame(frame)
            assert isinstance(info, Info)
            frame = encode_frame(replace(info, mode=Mode.PAIRING_OPEN))
        return [(sender.peer, frame)]

    middle = Middle(phone, watch, open_window)
    middle.run()
    assert [type(decode_frame(frame)).__name__ for _, frame in middle.seen[1:2]] == ["Reconnect1"]
    assert not phone.told(Established), "INFO was changed on the way, so nothing comes of it"
    assert reconnects(world)
