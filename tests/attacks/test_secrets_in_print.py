"""Somebody reads logs, tracebacks and the repr of objects, where keys and codes should not be.

Published: CWE-532, "Insertion of Sensitive Information into Log File".
Stopped by: secrets are out of every repr and every message; the key log is a file of its own that has to be asked for.
"""

from __future__ import annotations

import gc
import logging
import traceback

import pytest

from blechannel.roles import Role
from blechannel.session.events import Failed
from tests.attacks.mallory import Heard
from tests.session.middle import Middle
from tests.session.sides import Side, World, join


def secrets_of(world: World) -> set[bytes]:
    """Everything that the two stores must keep to themselves."""
    found: set[bytes] = set()
    for shelf in (world.phone_shelf, world.watch_shelf):
        found.add(shelf.book.discovery_key)
        for bond in shelf.book.bonds.values():
            found |= {bond.own_static, bond.epoch.psk, bond.epoch.hint_key, bond.discovery_key, *bond.retired}
            found |= {key for epoch in bond.candidates for key in (epoch.psk, epoch.hint_key)}
    return {secret for secret in found if secret}


def shows(text: str, secret: bytes) -> bool:
    return secret.hex() in text.lower() or repr(secret)[2:-1] in text or str(list(secret))[1:-1] in text


def printed(*sides: Side) -> str:
    objects: list[object] = [event for side in sides for event in side.events]
    objects += [side.session for side in sides]
    objects += [thing for thing in gc.get_objects() if str(type(thing).__module__).startswith("blechannel.")]
    return "\n".join(repr(thing) for thing in objects)


def test_no_object_prints_a_key_or_a_code(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    world = World()
    assert world.window is not None
    code = world.window.code
    phone, watch = world.pairing()
    join(phone, watch)
    again = world.reconnecting()
    join(*again)
    text = printed(phone, watch, *again) + caplog.text
    assert not [secret for secret in secrets_of(world) if shows(text, secret)]
    assert code not in text


def test_no_error_prints_a_key_or_a_code() -> None:
    world = World()
    assert world.window is not None
    for number in range(1, 7):
        world.window = world.new_window()
        code = world.window.code

        def flip(sender: Role, seen: int, frame: bytes, number: int = number) -> Heard:
            frame = frame[:-1] + bytes((frame[-1] ^ 1,)) if seen == number else frame
            return [(sender.peer, frame)]

        phone, watch = world.pairing()
        Middle(phone, watch, flip).run()
        for side in (phone, watch):
            for failed in side.told(Failed):
                assert isinstance(failed, Failed)
                text = "".join(traceback.format_exception(failed.error))
                assert code not in text
                assert not [secret for secret in secrets_of(world) if shows(text, secret)]


def test_control_the_search_finds_what_is_printed() -> None:
    world = World().bonded()
    [bond] = world.phone_shelf.book.bonds.values()
    assert shows(f"psk={bond.epoch.psk!r}", bond.epoch.psk)
    assert shows(bond.epoch.psk.hex(), bond.epoch.psk)
