"""Peers that hold real keys and break the rules: what only a malicious implementation would say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from blechannel.codec import decode, encode
from blechannel.errors import (
    AuthenticationFailed,
    BlechannelError,
    LinkLost,
    LocalProtocolError,
    MalformedFrame,
    PairingRefused,
    UnexpectedFrame,
    UnsupportedVersion,
)
from blechannel.methods import Method
from blechannel.pairing.changes import SpendGuess
from blechannel.roles import Role
from blechannel.session.conversation import State
from blechannel.session.events import Closed, Established, Message
from blechannel.session.session import Session
from blechannel.wire.frames import (
    RECORD_TYPE_OF,
    Bonded,
    Close,
    Hello,
    Info,
    Nonce,
    Pair1,
    Refusal,
    Refuse,
    decode_frame,
    encode_frame,
)
from tests.session.middle import Meddle, Middle
from tests.session.sides import Side, World, join

LOW_ORDER = bytes(32), (1).to_bytes(32, "little"), (2**255 - 20).to_bytes(32, "little")


def rewriting_info(**fields: object) -> Meddle:
    def meddle(sender: Role, number: int, frame: bytes) -> list[tuple[Role, bytes]]:
        if number == 0:
            info = decode_frame(frame)
            assert isinstance(info, Info)
            frame = encode_frame(replace(info, **fields))  # type: ignore[arg-type]
        return [(sender.peer, frame)]

    return meddle


def rewriting_hello(**fields: object) -> Meddle:
    def meddle(sender: Role, number: int, frame: bytes) -> list[tuple[Role, bytes]]:
        first = decode_frame(frame)
        if number == 1 and isinstance(first, Pair1):
            hello = replace(decode(Hello, first.hello), **fields)  # type: ignore[arg-type]
            frame = encode_frame(replace(first, hello=encode(hello)))
        return [(sender.peer, frame)]

    return meddle


@pytest.mark.parametrize("fields", [{"methods": 0}, {"suites": 0}, {"min_version": 2, "max_version": 2}])
def test_a_phone_takes_nothing_that_it_does_not_speak(fields: dict[str, object]) -> None:
    phone, watch = World().pairing()
    Middle(phone, watch, rewriting_info(**fields)).run()
    assert isinstance(phone.error, UnsupportedVersion)


@pytest.mark.parametrize("fields", [{"version": 2}, {"suite": 2}, {"method": 2}])
def test_a_watch_takes_nothing_that_it_did_not_offer(fields: dict[str, object]) -> None:
    world = World()
    assert world.window is not None
    code = world.window.code
    phone, watch = world.pairing()
    Middle(phone, watch, rewriting_hello(**fields)).run()
    # HELLO is in the prologue: what is offered but was changed on the way fails later, as a wrong key.
    assert isinstance(watch.error, UnsupportedVersion | AuthenticationFailed)
    assert not world.watch_shelf.book.bonds
    assert world.window.code == code


def test_a_method_that_this_window_is_not_open_for() -> None:
    world = World()
    phone, watch = world.pairing()
    assert world.window is not None
    # A method that this version has no number for.
    world.window.method = 2  # type: ignore[assignment]
    join(phone, watch)
    assert isinstance(watch.error, UnsupportedVersion)


class Injecting:
    """Says what a session would not, with the session's own keys."""

    def __init__(self, side: Side) -> None:
        self.stage = side.session._stage

    def record(self, number: int, body: bytes) -> None:
        self.stage.stream.send(self.stage.sealer().seal(number, body))


def established() -> tuple[World, Side, Side]:
    world = World().bonded()
    phone, watch = world.reconnecting()
    join(phone, watch)
    return world, phone, watch


def test_an_opened_commitment_that_was_never_made(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    phone, watch = world.pairing()
    say = type(watch.session._stage).say

    def lie(stage: object, said: object) -> None:
        say(stage, Nonce(bytes(32), b"") if isinstance(said, Nonce) else said)  # type: ignore[arg-type]

    monkeypatch.setattr(type(watch.session._stage), "say", lie)
    join(phone, watch)
    assert isinstance(phone.error, AuthenticationFailed)
    assert not world.phone_shelf.book.bonds


@pytest.mark.parametrize("point", LOW_ORDER, ids=["0", "1", "p-1"])
@pytest.mark.parametrize("liar", Role, ids=lambda role: role.value)
def test_a_low_order_share_looks_like_a_wrong_code(point: bytes, liar: Role, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    phone, watch = world.pairing()
    lying = {Role.PHONE: phone, Role.WATCH: watch}[liar]
    from blechannel.pairing.cpace import CPace

    honest = CPace.__init__
    made = 0

    def evil(run: CPace, **arguments: object) -> None:
        nonlocal made
        honest(run, **arguments)  # type: ignore[arg-type]
        if (made == 0) == (lying is phone):
            object.__setattr__(run, "share", point)
        made += 1

    monkeypatch.setattr(CPace, "__init__", evil)
    middle = Middle(phone, watch)
    middle.run()
    assert [len(frame) for _, frame in middle.seen] == [29, 89, 163, 101, 4]
    assert not phone.told(Established)
    assert not watch.told(Established)
    assert [type(change) for change in world.watch_shelf.changes[1:]] == [SpendGuess]


@pytest.mark.parametrize("reason", Refusal)
def test_every_refusal_has_words_and_no_consequence(reason: Refusal) -> None:
    world = World().bonded()
    before = world.phone_shelf.book
    phone, watch = world.reconnecting()

    def refuse(sender: Role, number: int, frame: bytes) -> list[tuple[Role, bytes]]:
        return (
            [(Role.PHONE, encode_frame(Refuse(reason)) if number == 2 else frame)]
            if sender is Role.WATCH
            else [(Role.WATCH, frame)]
        )

    Middle(phone, watch, refuse).run()
    assert isinstance(phone.error, PairingRefused)
    assert phone.error.reason == reason.name.lower().replace("_", "-")
    assert world.phone_shelf.book == before


def test_a_refusal_has_no_place_in_a_channel() -> None:
    _, phone, watch = established()
    watch.session._stage.stream.send(encode_frame(Refuse(Refusal.FAILED)))
    join(phone, watch)
    assert isinstance(phone.error, UnexpectedFrame)


def test_a_record_of_no_type() -> None:
    _, phone, watch = established()
    Injecting(watch).record(200, b"")
    join(phone, watch)
    assert isinstance(phone.error, MalformedFrame)


def test_a_record_before_any_key() -> None:
    phone, watch = World().pairing()
    watch.session._stage.stream.send(bytes.fromhex("17001100000000000000000000000000000000ff")[:20])
    join(phone, watch)
    assert isinstance(phone.error, UnexpectedFrame)


def test_a_reconnect_by_a_method_of_pairing(monkeypatch: pytest.MonkeyPatch) -> None:
    """By who has the bond's keys, so that it is authenticated."""
    world = World().bonded()
    monkeypatch.setattr("blechannel.session.greeting.RECONNECT_METHOD", int(Method.PASSKEY))
    phone, watch = world.reconnecting()
    join(phone, watch)
    assert isinstance(watch.error, UnsupportedVersion)
    assert not phone.told(Established)


def test_a_payload_where_a_reconnect_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    from blechannel.noise import HandshakeState

    world = World().bonded()
    phone, watch = world.reconnecting()
    honest = HandshakeState.write_message
    monkeypatch.setattr(HandshakeState, "write_message", lambda state, _payload=b"": honest(state, b"gift"))
    join(phone, watch)
    assert isinstance(watch.error, MalformedFrame)


@pytest.mark.parametrize("lie", [Close(5, 0), Close(0, 9)], ids=["sent", "received"])
def test_a_close_that_lies(lie: Close) -> None:
    _, phone, watch = established()
    phone.session.traffic.open("x")
    join(phone, watch)
    Injecting(watch).record(RECORD_TYPE_OF[Close], encode(lie))
    join(phone, watch)
    assert isinstance(phone.error, UnexpectedFrame)
    assert not phone.told(Closed)


def test_a_message_that_the_channel_cannot_carry() -> None:
    _, phone, watch = established()
    traffic = phone.session.traffic
    port = traffic.open("x")
    with pytest.raises(LocalProtocolError, match="the peer takes"):
        traffic.send(port, bytes(traffic.max_message_bytes + 1))
    assert traffic.send(port, bytes(traffic.max_message_bytes))
    phone.take(phone.session.close(0.0))
    with pytest.raises(LocalProtocolError, match="cannot be sent now"):
        traffic.send(port, b"late")
    phone.take(phone.session.close(0.0))
    join(phone, watch)
    assert phone.session.state is State.CLOSED
    assert phone.session.expire(1e6) == []


def test_what_is_held_waits_again_when_a_second_change_comes() -> None:
    _, phone, watch = established()
    phone.holds_stores = True
    bonded = encode(Bonded(bytes(32), "a watch"))
    port = watch.session.traffic.open("x")
    Injecting(watch).record(RECORD_TYPE_OF[Bonded], bonded)
    Injecting(watch).record(RECORD_TYPE_OF[Bonded], bonded)
    assert watch.session.traffic.send(port, b"after both")
    join(phone, watch)
    assert len(phone.held) == 1
    phone.answer()
    assert len(phone.held) == 1
    assert not phone.told(Message)
    phone.answer()
    assert phone.told(Message) == [Message(0, b"after both")]


def test_what_is_held_behind_a_failure_is_not_read() -> None:
    _, phone, watch = established()
    phone.holds_stores = True
    Injecting(watch).record(RECORD_TYPE_OF[Bonded], encode(Bonded(bytes(32), "a watch")))
    Injecting(watch).record(200, b"")
    port = watch.session.traffic.open("x")
    assert watch.session.traffic.send(port, b"never")
    join(phone, watch)
    phone.answer()
    assert isinstance(phone.error, MalformedFrame)
    assert not phone.told(Message)


def test_what_is_held_behind_a_close_is_not_read() -> None:
    _, phone, watch = established()
    phone.holds_stores = True
    Injecting(watch).record(RECORD_TYPE_OF[Bonded], encode(Bonded(bytes(32), "a watch")))
    watch.take(watch.session.close(0.0))
    join(phone, watch)
    phone.hear([b"junk"])
    phone.answer()
    assert phone.told(Closed) == [Closed(0)]


def test_a_change_that_becomes_durable_after_the_end() -> None:
    world = World().bonded()
    phone, watch = world.reconnecting()
    watch.holds_stores = True
    join(phone, watch)
    watch.take(watch.session.link_lost(LinkLost("gone")))
    watch.answer()
    assert isinstance(watch.error, LinkLost)
    assert not watch.told(Established)


def test_secrets_print_nowhere() -> None:
    world, phone, watch = established()
    secrets = [
        secret
        for shelf in (world.phone_shelf, world.watch_shelf)
        for bond in shelf.book.bonds.values()
        for secret in (bond.own_static, bond.epoch.psk, bond.epoch.hint_key)
    ]
    printed = repr((phone.session, watch.session, phone.events, world.phone_shelf, world.watch_shelf))
    for secret in secrets:
        assert secret.hex() not in printed
        assert repr(secret)[2:-1] not in printed


@pytest.mark.parametrize("steps", range(7))
@pytest.mark.parametrize("junk", [b"", b"\x00", b"\x80\x00\x11\x00\x00", bytes(244), b"\x80\x00" + bytes(200)])
def test_junk_at_any_step_is_a_failure_and_nothing_else(steps: int, junk: bytes) -> None:
    world = World()
    sides = [*world.pairing()]
    for _ in range(steps):
        sides.reverse()
        sides[1].hear(sides[0].said())
    for side in sides:
        side.hear([junk])
        assert side.session.is_over
        assert isinstance(side.error, BlechannelError)
        assert isinstance(side.session, Session)
