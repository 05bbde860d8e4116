"""What a peer may send: every changed, cut, reflected or low-order message ends the handshake, by the right name."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace

import pytest

from blechannel.errors import AuthenticationFailed, LocalProtocolError, MalformedFrame, RemoteProtocolError
from blechannel.noise import DH_448, DH_25519, HandshakeState, KeyPair, Keys, Protocol, State
from tests.noise.live import PROLOGUE, PSKS, Pair, pair, product, run

PATTERNS_IN_USE = ["XXpsk3", "KKpsk0"]

P_25519 = 2**255 - 19
P_448 = 2**448 - 2**224 - 1
# All points of order 1, 2, 4 and 8 of the curve and its twist, in every encoding that fits.
ORDER_8 = (
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
)
LOW_25519 = [
    (u + high).to_bytes(32, "little")
    for u in (0, 1, *ORDER_8, P_25519 - 1, P_25519, P_25519 + 1)
    for high in (0, 2**255)
]
LOW_448 = [u.to_bytes(56, "little") for u in (0, 1, P_448 - 1, P_448, P_448 + 1)]
LOW = [("25519", point) for point in LOW_25519] + [("448", point) for point in LOW_448]


def at(shared: Pair, index: int) -> tuple[HandshakeState, bytes]:
    """The side that is about to read message `index` of a fresh run, and that message."""
    writer, reader = shared.sides()
    for _ in range(index):
        reader.read_message(writer.write_message())
        writer, reader = reader, writer
    return reader, writer.write_message(b"payload")


def assert_failed(side: HandshakeState, message: bytes) -> None:
    """The message is refused, and nothing can be done with that side any more."""
    with pytest.raises(RemoteProtocolError) as caught:
        side.read_message(message)
    assert type(caught.value) in (AuthenticationFailed, MalformedFrame)
    assert_over(side)


def assert_over(side: HandshakeState) -> None:
    assert side.state is State.FAILED
    assert not side.is_finished
    assert side.remote_ephemeral is None
    assert side.remote_static is None
    for call in (side.write_message, side.split, side.ephemeral):
        with pytest.raises(LocalProtocolError):
            call()
    with pytest.raises(LocalProtocolError):
        side.read_message(bytes(100))
    with pytest.raises(LocalProtocolError):
        side.set_psk(3, PSKS[3])


def each_message(pattern: str) -> Iterator[tuple[Pair, int]]:
    shared = pair(product(pattern))
    for index in range(len(shared.protocol.messages)):
        yield shared, index


@pytest.mark.parametrize("pattern", PATTERNS_IN_USE)
def test_a_flipped_bit_in_any_byte(pattern: str) -> None:
    for shared, index in each_message(pattern):
        for position in range(len(at(shared, index)[1])):
            side, message = at(shared, index)
            changed = bytearray(message)
            changed[position] ^= 1 << position % 8
            assert_failed(side, bytes(changed))


@pytest.mark.parametrize("pattern", PATTERNS_IN_USE)
def test_every_truncation_and_a_byte_more(pattern: str) -> None:
    for shared, index in each_message(pattern):
        for length in range(len(at(shared, index)[1])):
            side, message = at(shared, index)
            assert_failed(side, message[:length])
        side, message = at(shared, index)
        assert_failed(side, message + b"\0")


@pytest.mark.parametrize("pattern", PATTERNS_IN_USE)
def test_messages_of_another_run(pattern: str) -> None:
    for shared, index in each_message(pattern):
        if index:
            side, _ = at(shared, index)
            assert_failed(side, at(shared, index)[1])


@pytest.mark.parametrize("pattern", PATTERNS_IN_USE)
def test_an_own_message_sent_back(pattern: str) -> None:
    initiator, responder = pair(product(pattern)).sides()
    message = initiator.write_message()
    responder.read_message(message)
    assert_failed(initiator, message)


def test_a_message_over_the_limit_is_refused_both_ways() -> None:
    initiator, responder = pair(product("XXpsk3")).sides()
    with pytest.raises(LocalProtocolError):
        initiator.write_message(bytes(65535 - 47))
    longest = initiator.write_message(bytes(65535 - 48))
    assert len(longest) == 65535
    assert responder.read_message(longest) == bytes(65535 - 48)
    _, other = pair(product("NN")).sides()
    with pytest.raises(MalformedFrame):
        other.read_message(bytes(65536))
    assert_over(other)


def test_a_message_shorter_than_its_keys_is_malformed() -> None:
    _, responder = pair(product("NN")).sides()
    with pytest.raises(MalformedFrame):
        responder.read_message(bytes(31))


@pytest.mark.parametrize(("curve", "point"), LOW)
def test_low_order_points_give_no_secret(curve: str, point: bytes) -> None:
    dh = {"25519": DH_25519, "448": DH_448}[curve]
    with pytest.raises(AuthenticationFailed) as caught:
        dh.generate(os.urandom).exchange(dh.load_public(point))
    assert isinstance(caught.value.__cause__, ValueError)


def lying(point: bytes) -> KeyPair:
    """A key pair that shows a low-order public key."""
    honest = DH_25519.generate(os.urandom)
    return KeyPair(point, honest.private, honest.loaded)


@pytest.mark.parametrize("point", LOW_25519)
def test_a_low_order_ephemeral_ends_every_handshake(point: bytes) -> None:
    kk = pair(product("KKpsk0"))
    assert_failed(kk.side(initiator=False), kk.side(initiator=True, e=lying(point)).write_message())
    kk_phone = kk.side(initiator=True)
    kk_watch = kk.side(initiator=False, e=lying(point))
    kk_watch.read_message(kk_phone.write_message())
    assert_failed(kk_phone, kk_watch.write_message())

    xx = pair(product("XXpsk3"))
    watch = xx.side(initiator=False)
    watch.read_message(xx.side(initiator=True, e=lying(point)).write_message())
    with pytest.raises(AuthenticationFailed):
        watch.write_message()
    assert_over(watch)
    phone = xx.side(initiator=True)
    watch = xx.side(initiator=False, e=lying(point))
    watch.read_message(phone.write_message())
    assert_failed(phone, watch.write_message())


@pytest.mark.parametrize("point", LOW_25519)
def test_a_low_order_static_ends_every_handshake(point: bytes) -> None:
    protocol = Protocol.parse(product("XXpsk3"))
    honest = DH_25519.generate(os.urandom)
    phone, watch = Pair(protocol, honest, lying(point)).sides()
    watch.read_message(phone.write_message())
    assert_failed(phone, watch.write_message())

    phone, watch = Pair(protocol, lying(point), honest).sides()
    watch.read_message(phone.write_message())
    phone.read_message(watch.write_message())
    assert_failed(watch, phone.write_message())

    phone = Pair(Protocol.parse(product("KKpsk0")), honest, lying(point)).side(initiator=True)
    with pytest.raises(AuthenticationFailed):
        phone.write_message()
    assert_over(phone)


def test_an_own_ephemeral_that_comes_back_is_refused() -> None:
    shared = pair(product("NN"))
    e = DH_25519.generate(os.urandom)
    initiator = shared.side(initiator=True, e=e)
    # Everything else about the other side is right: it even has the private key.
    twin = HandshakeState(shared.protocol, initiator=False, random=lambda _: e.private, prologue=PROLOGUE)
    twin.read_message(initiator.write_message())
    assert_failed(initiator, twin.write_message())


@pytest.mark.parametrize("pattern", ["XXpsk3", "IX", "NN"])
def test_an_own_static_that_comes_back_is_refused(pattern: str) -> None:
    protocol = Protocol.parse(product(pattern))
    s = DH_25519.generate(os.urandom)
    sides = Pair(protocol, s, s).sides()
    if pattern == "NN":  # no statics: the same two sides finish
        run(*sides)
        return
    with pytest.raises(AuthenticationFailed):
        run(*sides)
    assert State.FAILED in {side.state for side in sides}


def responder(shared: Pair, keys: Keys, prologue: bytes = PROLOGUE) -> HandshakeState:
    return HandshakeState(shared.protocol, initiator=False, random=os.urandom, prologue=prologue, keys=keys)


@pytest.mark.parametrize("pattern", PATTERNS_IN_USE)
def test_sides_with_different_psks(pattern: str) -> None:
    shared = pair(product(pattern))
    keys = shared.keys(initiator=False)
    other = replace(keys, psks={number: psk[:-1] + b"\0" for number, psk in keys.psks.items()})
    with pytest.raises(AuthenticationFailed):
        run(shared.side(initiator=True), responder(shared, other))


@pytest.mark.parametrize("pattern", PATTERNS_IN_USE)
def test_sides_with_different_prologues(pattern: str) -> None:
    shared = pair(product(pattern))
    with pytest.raises(AuthenticationFailed):
        run(shared.side(initiator=True), responder(shared, shared.keys(initiator=False), PROLOGUE + b"!"))


def test_a_known_static_is_the_only_one_that_will_do() -> None:
    shared = pair(product("KKpsk0"))
    stranger = DH_25519.generate(os.urandom)
    keys = shared.keys(initiator=False)
    for other in (replace(keys, s=stranger), replace(keys, rs=stranger.public)):
        with pytest.raises(AuthenticationFailed):
            run(shared.side(initiator=True), responder(shared, other))
