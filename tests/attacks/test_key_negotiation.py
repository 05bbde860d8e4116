"""A man in the middle makes two bonded devices agree on a weak, old or repeated session key.

Published: Antonioli, Tippenhauer and Rasmussen, "The KNOB is Broken", 2019, and "BIAS", 2020; Antonioli,
"BLUFFS", 2023.
Stopped by: there is no key length and no role to negotiate; both sides contribute a fresh ephemeral key to every
session; both prove the bond's keys before anything is sent; and each session's keys are gone with it.
"""

from __future__ import annotations

from dataclasses import fields

from blechannel.pairing.bonds import Bond
from blechannel.roles import Role
from blechannel.session.events import Established
from blechannel.wire.frames import Hello, Info, Reconnect1, Reconnect2, decode_frame
from tests.attacks.mallory import Heard
from tests.session.middle import Middle
from tests.session.sides import Side, Stream, World


def established(side: Side) -> Established:
    [event] = side.told(Established)
    assert isinstance(event, Established)
    return event


def test_there_is_no_entropy_to_negotiate_away() -> None:
    """KNOB: what INFO and HELLO can say has no word for the length of a key."""
    said = {field.name for cls in (Info, Hello) for field in fields(cls)}
    assert not {name for name in said if "key" in name or "entropy" in name}


def test_a_phone_that_repeats_itself_does_not_make_the_keys_repeat() -> None:
    """BLUFFS: one side is made to say the same again; the other's part is fresh, and so is the key."""
    hashes = set()
    for run in range(4):
        world = World().bonded()
        phone, _ = world.reconnecting()
        world.random = Stream(f"the watch's own {run}")
        Middle(phone, world.watch()).run()
        hashes.add(established(phone).handshake_hash)
    assert len(hashes) == 4


def test_the_watchs_answer_of_another_session_is_no_answer() -> None:
    world = World().bonded()
    middle = Middle(*world.reconnecting())
    middle.run()
    old = middle.seen[2][1]
    assert isinstance(decode_frame(old), Reconnect2)
    phone, watch = world.reconnecting()

    def splice(sender: Role, number: int, frame: bytes) -> Heard:
        return [(Role.PHONE, old)] if number == 2 else [(sender.peer, frame)]

    Middle(phone, watch, splice).run()
    assert not phone.told(Established)


def test_neither_side_can_be_played_without_the_bonds_keys() -> None:
    """BIAS: Mallory knows everything that was ever on the air, and both stores but their keys."""
    world = World().bonded()
    world.alter_phone_bond(own_static=World("mallory").random(32))
    phone, watch = world.reconnecting()
    Middle(phone, watch).run()
    assert not watch.told(Established)

    world = World().bonded()
    world.alter_watch_bond(own_static=World("mallory").random(32))
    phone, watch = world.reconnecting()
    Middle(phone, watch).run()
    assert not phone.told(Established)


def test_roles_cannot_be_switched() -> None:
    """BIAS: a phone's m1, sent to a phone, has no row in the conversation."""
    world = World().bonded()
    phone, _ = world.reconnecting()
    other, watch = world.reconnecting()
    middle = Middle(other, watch)
    middle.run()
    m1 = middle.seen[1][1]
    assert isinstance(decode_frame(m1), Reconnect1)

    def switch(sender: Role, number: int, frame: bytes) -> Heard:
        return [(Role.PHONE, m1)] if number == 2 else [(sender.peer, frame)]

    Middle(phone, world.watch(), switch).run()
    assert not phone.told(Established)


def test_session_keys_are_never_stored() -> None:
    """BLUFFS asks for forward and future secrecy between sessions: a bond holds the next epoch's keys and no others."""
    world = World().bonded()
    [before] = world.phone_shelf.book.bonds.values()
    phone, watch = world.reconnecting()
    Middle(phone, watch).run()
    [after] = world.phone_shelf.book.bonds.values()
    records = phone.session._stage.sealer()
    keys_now = {records._send.k, records._receive.k}
    stored = {getattr(after, field.name) for field in fields(Bond) if isinstance(getattr(after, field.name), bytes)}
    assert not keys_now & (stored | {after.epoch.psk, after.epoch.hint_key})
    assert before.epoch.psk != after.epoch.psk
