"""One side as its caller sees it: turns, late psks, early ephemerals, and what is left after the split."""

from __future__ import annotations

import os

import pytest

from blechannel.errors import AuthenticationFailed, LocalProtocolError
from blechannel.noise import DH_448, DH_25519, HandshakeState, KeyPair, Keys, Protocol, State
from tests.noise.live import PROLOGUE, PSKS, Pair, assert_joined, pair, product, run

XX = product("XXpsk3")
KK = product("KKpsk0")


def without_psk(shared: Pair, *, initiator: bool) -> HandshakeState:
    s = shared.keys(initiator=initiator).s
    return HandshakeState(shared.protocol, initiator=initiator, random=os.urandom, prologue=PROLOGUE, keys=Keys(s=s))


def test_calls_out_of_turn_change_nothing() -> None:
    initiator, responder = pair(XX).sides()
    for early in (responder.write_message, initiator.split, responder.split):
        with pytest.raises(LocalProtocolError):
            early()
    with pytest.raises(LocalProtocolError):
        initiator.read_message(bytes(48))
    run(initiator, responder)
    assert initiator.state is responder.state is State.FINISHED
    with pytest.raises(LocalProtocolError):
        initiator.write_message()
    with pytest.raises(LocalProtocolError):
        initiator.read_message(bytes(48))
    assert_joined(initiator.split(), responder.split())
    with pytest.raises(LocalProtocolError):
        initiator.split()
    assert initiator.is_finished


def test_the_hash_so_far_is_the_same_on_both_sides_and_changes_with_each_message() -> None:
    initiator, responder = pair(XX).sides()
    seen = {initiator.handshake_hash}
    writer, reader = initiator, responder
    for count in range(2, 5):
        reader.read_message(writer.write_message())
        assert initiator.handshake_hash == responder.handshake_hash
        seen.add(initiator.handshake_hash)
        assert len(seen) == count
        writer, reader = reader, writer
    transport = initiator.split()
    assert transport.handshake_hash == initiator.handshake_hash


def test_a_psk_may_come_after_the_second_message() -> None:
    shared = pair(XX)
    initiator, responder = (without_psk(shared, initiator=role) for role in (True, False))
    responder.read_message(initiator.write_message())
    initiator.read_message(responder.write_message())
    with pytest.raises(LocalProtocolError):
        initiator.write_message()
    assert initiator.state is State.TO_WRITE
    initiator.set_psk(3, PSKS[0])
    initiator.set_psk(3, PSKS[3])
    third = initiator.write_message(b"third")
    with pytest.raises(LocalProtocolError):
        responder.read_message(third)
    responder.set_psk(3, PSKS[3])
    assert responder.read_message(third) == b"third"
    for side in (initiator, responder):
        with pytest.raises(LocalProtocolError):
            side.set_psk(3, PSKS[3])
    assert_joined(initiator.split(), responder.split())


@pytest.mark.parametrize(("number", "psk"), [(3, bytes(31)), (3, bytes(33)), (0, bytes(32)), (-1, bytes(32))])
def test_psks_that_are_refused(number: int, psk: bytes) -> None:
    with pytest.raises(LocalProtocolError):
        pair(XX).side(initiator=True).set_psk(number, psk)


def test_a_psk_is_refused_once_its_message_has_passed() -> None:
    initiator = pair(KK).side(initiator=True)
    initiator.set_psk(0, PSKS[0])
    initiator.write_message()
    with pytest.raises(LocalProtocolError):
        initiator.set_psk(0, PSKS[0])


def test_an_ephemeral_made_early_is_the_one_that_is_sent() -> None:
    asked: list[int] = []

    def random(size: int) -> bytes:
        asked.append(size)
        return os.urandom(size)

    shared = pair(XX)
    keys = shared.keys(initiator=True)
    initiator = HandshakeState(shared.protocol, initiator=True, random=random, prologue=PROLOGUE, keys=keys)
    responder = shared.side(initiator=False)
    early = initiator.ephemeral()
    message = initiator.write_message(b"depends on it")
    assert message[:32] == early == initiator.ephemeral()
    assert asked == [32]
    responder.read_message(message)
    assert responder.remote_ephemeral == early
    assert initiator.remote_ephemeral is None
    assert responder.remote_static is None
    initiator.read_message(responder.write_message())
    assert initiator.remote_static == shared.responder_static.public
    responder.read_message(initiator.write_message())
    initiator.split()
    with pytest.raises(LocalProtocolError):
        initiator.ephemeral()
    assert initiator.remote_static == shared.responder_static.public


def test_keys_are_shown_as_they_were_sent() -> None:
    shared = pair(product("NN"))
    honest = DH_25519.generate(os.urandom)
    unusual = honest.public[:31] + bytes([honest.public[31] | 0x80])
    initiator = shared.side(initiator=True, e=KeyPair(unusual, honest.private, honest.loaded))
    responder = shared.side(initiator=False)
    responder.read_message(initiator.write_message())
    assert responder.remote_ephemeral == unusual


def test_a_failing_source_of_randomness_ends_the_handshake() -> None:
    shared = pair(product("NN"))
    initiator = HandshakeState(shared.protocol, initiator=True, random=lambda _: b"short")
    with pytest.raises(LocalProtocolError):
        initiator.write_message()
    assert initiator.state is State.FAILED


ONE, TWO = (DH_25519.generate(os.urandom) for _ in range(2))


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        (XX, Keys()),
        (XX, Keys(s=ONE, rs=TWO.public)),
        (KK, Keys(s=ONE)),
        (KK, Keys(rs=TWO.public)),
        (KK, Keys(s=ONE, rs=TWO.public[1:])),
        (KK, Keys(s=ONE, rs=b"")),
        (KK, Keys(s=ONE, rs=ONE.public)),
        (KK, Keys(s=ONE, rs=TWO.public, e=TWO)),
        (KK, Keys(s=ONE, rs=TWO.public, e=ONE)),
        (KK, Keys(s=ONE, rs=TWO.public, e=DH_448.generate(os.urandom))),
        (KK, Keys(s=ONE, rs=TWO.public, psks={1: bytes(32)})),
        (product("NN"), Keys(s=ONE)),
        (product("NN"), Keys(psks={0: bytes(32)})),
    ],
)
def test_keys_that_the_pattern_does_not_ask_for(name: str, keys: Keys) -> None:
    with pytest.raises(LocalProtocolError):
        HandshakeState(Protocol.parse(name), initiator=True, random=os.urandom, keys=keys)


def test_a_one_way_pattern_leaves_one_direction() -> None:
    initiator, responder = pair(product("K")).sides()
    run(initiator, responder)
    one, other = initiator.split(), responder.split()
    assert_joined(one, other, both_ways=False)
    for nothing in (one.receive, other.send):
        with pytest.raises(LocalProtocolError):
            nothing.encrypt_with_ad(b"", b"text")
        with pytest.raises(LocalProtocolError):
            nothing.decrypt_with_ad(b"", bytes(32))
        with pytest.raises(LocalProtocolError):
            nothing.rekey()


def test_secrets_are_dropped_after_the_split() -> None:
    initiator, responder = pair(XX).sides()
    run(initiator, responder)
    for side in (initiator, responder):
        symmetric = side._symmetric
        assert symmetric.ck
        side.split()
        assert symmetric.ck == symmetric.cipher_state.k == b""
        assert not side._own
        assert not side._psks


def test_nothing_secret_is_ever_printed() -> None:
    shared = pair(XX)
    initiator, responder = shared.sides()
    keys = shared.keys(initiator=True)
    secrets = [PSKS[3], shared.initiator_static.private]
    texts = [repr(keys), repr(shared.initiator_static), repr(initiator), repr(shared)]
    run(initiator, responder)
    secrets += [initiator._symmetric.ck, initiator._symmetric.cipher_state.k]
    texts += [repr(initiator), repr(initiator._symmetric), repr(initiator._symmetric.cipher_state)]
    transport = initiator.split()
    secrets += [transport.exporter, transport.send.k, transport.receive.k]
    texts += [repr(transport), repr(transport.send)]
    for text in texts:
        for secret in secrets:
            assert secret.hex() not in text
            assert repr(secret)[2:-1] not in text


def test_a_psk_is_dropped_as_soon_as_it_is_mixed() -> None:
    initiator, responder = pair(XX).sides()
    run(initiator, responder)
    assert initiator._psks == responder._psks == {}


def test_a_handshake_that_failed_keeps_no_secret() -> None:
    _, responder = pair(KK).sides()
    with pytest.raises(AuthenticationFailed):
        responder.read_message(bytes(48))
    assert not responder._own
    assert not responder._psks
    assert responder._symmetric.ck == b""
    assert not responder._symmetric.cipher_state.has_key()
