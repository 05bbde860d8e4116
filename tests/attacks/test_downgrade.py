"""A man in the middle raises or lowers each field of INFO and of HELLO.

Published: Zhang, Weng, Dey, Jin, Lin and Fu, "Breaking Secure Pairing of Bluetooth Low Energy Using Downgrade Attacks",
2020.
Stopped by: INFO and HELLO are in the prologue of every handshake as they were on the air; a bond refuses less than it
has used.
"""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from blechannel.codec import decode, encode
from blechannel.config import Policy
from blechannel.roles import Role
from blechannel.session.events import Established
from blechannel.wire.frames import Hello, Info, Mode, Pair1, Reconnect1, decode_frame, encode_frame
from tests.attacks.mallory import Heard
from tests.session.middle import Meddle, Middle
from tests.session.sides import World

HYBRID = Policy()


def changed(value: object, by: int) -> object:
    if isinstance(value, bytes):
        return bytes((value[0] ^ 1,)) + value[1:]
    if isinstance(value, Mode):
        return Mode(1 - value)
    assert isinstance(value, int)
    return value + by if value + by >= 0 else value + 2


def altering(cls: type[Info] | type[Hello], name: str, by: int) -> Meddle:
    def meddle(sender: Role, _number: int, frame: bytes) -> Heard:
        said = decode_frame(frame) if frame[0] != 0x17 else None
        if cls is Info and isinstance(said, Info):
            frame = encode_frame(replace(said, **{name: changed(getattr(said, name), by)}))  # type: ignore[arg-type]
        elif cls is Hello and isinstance(said, Pair1 | Reconnect1):
            hello = decode(Hello, said.hello)
            hello = replace(hello, **{name: changed(getattr(hello, name), by)})  # type: ignore[arg-type]
            frame = encode_frame(replace(said, hello=encode(hello)))
        return [(sender.peer, frame)]

    return meddle


FIELDS = [(cls, field.name) for cls in (Info, Hello) for field in fields(cls)]


@pytest.mark.parametrize("by", [-1, 1])
@pytest.mark.parametrize(("cls", "name"), FIELDS, ids=lambda value: getattr(value, "__name__", value))
@pytest.mark.parametrize("act", ["pair", "reconnect"])
def test_each_field_ends_it(cls: type[Info] | type[Hello], name: str, by: int, act: str) -> None:
    world = World(policy=HYBRID)
    if act == "reconnect":
        world.bonded()
        phone, watch = world.reconnecting()
    else:
        phone, watch = world.pairing()
    before = world.phone_shelf.book.bonds, world.watch_shelf.book.bonds
    middle = Middle(phone, watch, altering(cls, name, by))
    middle.run()
    assert not phone.told(Established)
    assert not watch.told(Established)
    assert (world.phone_shelf.book.bonds, world.watch_shelf.book.bonds) == before or act == "reconnect"
    assert len(world.watch_shelf.book.bonds) == len(before[1])


def test_hiding_the_hybrid_suite_does_not_lead_to_a_classical_bond() -> None:
    """The phone would take a classical watch. It does not take a hybrid one that was made to look so."""
    world = World(policy=HYBRID)
    phone, watch = world.pairing()
    Middle(phone, watch, altering(Info, "suites", -2)).run()
    assert not phone.told(Established)
    assert not world.phone_shelf.book.bonds
