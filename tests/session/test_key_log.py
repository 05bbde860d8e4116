"""The key log recomputes the handshake and opens its records; without it no secret is handed out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from blechannel.noise import DH_25519, HandshakeState, Keys
from blechannel.pairing import keys
from blechannel.roles import Role
from blechannel.session.events import KeysLogged
from blechannel.wire.frames import Pair1, Pair2, Pair3, Reconnect1, Reconnect2, Record, decode_frame
from tests.session.middle import Middle
from tests.session.sides import Stream, World


def logging_world() -> World:
    world = World()
    world.phone_config = replace(world.phone_config, key_log=True)
    world.watch_config = replace(world.watch_config, key_log=True)
    return world


def logged(middle: Middle, role: Role) -> tuple[str, bytes, list[bytes]]:
    [event] = middle.sides[role].told(KeysLogged)
    assert isinstance(event, KeysLogged)
    label, nonce, secrets = event.line.split(" ")
    raw = bytes.fromhex(secrets)
    return label, bytes.fromhex(nonce), [raw[at : at + 32] for at in range(0, len(raw), 32)]


@pytest.mark.parametrize("role", Role, ids=lambda role: role.value)
def test_a_reconnect_is_recomputed_and_its_record_opened(role: Role) -> None:
    world = logging_world().bonded()
    middle = Middle(*world.reconnecting())
    middle.run()
    label, nonce, [e, s, rs, psk] = logged(middle, role)
    info, first, second, ready = (frame for _, frame in middle.seen)
    m1, m2, record = decode_frame(first), decode_frame(second), decode_frame(ready)
    assert isinstance(m1, Reconnect1)
    assert isinstance(m2, Reconnect2)
    assert isinstance(record, Record)
    assert label == f"BLECHANNEL1_RECONNECT_{role.name}"
    assert nonce in info
    state = HandshakeState(
        keys.RECONNECT_PROTOCOL,
        initiator=role.is_initiator,
        random=Stream("unused"),
        prologue=keys.prologue(keys.RECONNECT_LABEL, info, m1.hello),
        keys=Keys(s=DH_25519.key_pair(s), e=DH_25519.key_pair(e), rs=rs, psks={0: psk}),
    )
    if role is Role.PHONE:
        assert state.write_message() == m1.noise
        state.read_message(m2.noise)
    else:
        state.read_message(m1.noise)
        assert state.write_message() == m2.noise
    transport = state.split()
    direction = transport.send if role is Role.PHONE else transport.receive
    [bond] = world.phone_shelf.book.bonds.values()
    opened = direction.decrypt_with_ad(ready[:3], record.sealed)
    assert opened.rstrip(b"\0") == keys.known(bond.discovery_key) + b"\x04"


@pytest.mark.parametrize("role", Role, ids=lambda role: role.value)
def test_a_pairing_logs_the_keys_of_its_run(role: Role) -> None:
    middle = Middle(*logging_world().pairing())
    middle.run()
    label, nonce, [e, s, _psk] = logged(middle, role)
    m1, m2, m3 = (decode_frame(frame) for _, frame in middle.seen[1:4])
    assert isinstance(m1, Pair1)
    assert isinstance(m2, Pair2)
    assert isinstance(m3, Pair3)
    assert label == f"BLECHANNEL1_PAIR_{role.name}"
    assert nonce in middle.seen[0][1]
    on_air = m1.noise if role is Role.PHONE else m2.noise
    assert DH_25519.key_pair(e).public == on_air[:32]
    assert len(s) == 32


def test_nothing_is_logged_unless_asked() -> None:
    middle = Middle(*World().pairing())
    middle.run()
    assert not any(side.told(KeysLogged) for side in middle.sides.values())
