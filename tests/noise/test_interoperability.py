"""Live handshakes and transport with two independent packages, in both roles."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import pytest

from blechannel.noise import PATTERNS, HandshakeState, Protocol, Transport
from tests.noise.live import Pair, pair, product
from tests.noise.witnesses import DissononceSide, NoiseprotocolSide, Witness

Open = Callable[[Pair, bool], Witness]

# noiseprotocol has neither deferred patterns nor, therefore, any with the four messages of psk4.
FUNDAMENTAL = [name for name in PATTERNS if "1" not in name]
COMBINED = [
    f"{name}{first}+{second}"
    for name in ("XX", "KK", "NN", "IK", "X")
    for first, second in combinations(("psk0", "psk1", "psk2", "psk3"), 2)
    if int(second[-1]) <= len(Protocol.parse(product(name)).messages)
]
# dissononce takes one psk a message.
BOTH = [pattern for pattern in COMBINED if "psk0+psk1" not in pattern]
PSK4 = [f"{name}psk4" for name in ("X1N", "X1K", "X1K1", "X1X", "X1X1")]
PSK4_COMBINED = ["X1X1psk1+psk2+psk3+psk4", "X1Xpsk0+psk4", "X1Npsk3+psk4"]


def noiseprotocol(shared: Pair, initiator: bool) -> Witness:
    return NoiseprotocolSide(shared, initiator=initiator)


def dissononce(shared: Pair, initiator: bool) -> Witness:
    return DissononceSide(shared, initiator=initiator)


def shake_hands(ours: HandshakeState, witness: Witness, *, initiator: bool) -> Transport:
    writing = initiator
    count = 0
    while not ours.is_finished:
        payload = b"payload %d" % count
        if writing:
            assert witness.read(ours.write_message(payload)) == payload
        else:
            assert ours.read_message(witness.write(payload)) == payload
        writing = not writing
        count += 1
    return ours.split()


def check_transport(ours: Transport, witness: Witness, *, sends: bool, receives: bool) -> None:
    for text in (b"", b"first", b"second" * 100):
        if sends:
            assert witness.decrypt(b"header", ours.send.encrypt_with_ad(b"header", text)) == text
        if receives:
            assert ours.receive.decrypt_with_ad(b"header", witness.encrypt(b"header", text)) == text


def check(name: str, open_witness: Open, *, initiator: bool) -> None:
    shared = pair(name)
    witness = open_witness(shared, not initiator)
    transport = shake_hands(shared.side(initiator=initiator), witness, initiator=initiator)
    assert transport.handshake_hash == witness.handshake_hash()
    one_way = shared.protocol.pattern.is_one_way
    sends, receives = initiator or not one_way, not (initiator and one_way)
    check_transport(transport, witness, sends=sends, receives=receives)
    if not one_way:
        transport.send.rekey()
        transport.receive.rekey()
        witness.rekey()
        check_transport(transport, witness, sends=sends, receives=receives)


@pytest.mark.parametrize("initiator", [True, False], ids=["initiator", "responder"])
@pytest.mark.parametrize("witness", [noiseprotocol, dissononce])
@pytest.mark.parametrize("pattern", ["XXpsk3", "KKpsk0", *FUNDAMENTAL, *BOTH])
def test_both_packages(pattern: str, witness: Open, initiator: bool) -> None:
    check(product(pattern), witness, initiator=initiator)


@pytest.mark.parametrize("initiator", [True, False], ids=["initiator", "responder"])
@pytest.mark.parametrize("pattern", [name for name in PATTERNS if "1" in name] + PSK4 + PSK4_COMBINED)
def test_deferred_patterns_and_psk4(pattern: str, initiator: bool) -> None:
    check(product(pattern), dissononce, initiator=initiator)


@pytest.mark.parametrize("initiator", [True, False], ids=["initiator", "responder"])
@pytest.mark.parametrize("pattern", sorted({*COMBINED, "XXpsk0+psk1+psk2+psk3"} - {*BOTH}))
def test_two_psks_in_one_message(pattern: str, initiator: bool) -> None:
    check(product(pattern), noiseprotocol, initiator=initiator)


@pytest.mark.parametrize("initiator", [True, False], ids=["initiator", "responder"])
@pytest.mark.parametrize("functions", ["448_AESGCM_BLAKE2b", "25519_AESGCM_SHA512", "448_ChaChaPoly_BLAKE2s"])
@pytest.mark.parametrize("witness", [noiseprotocol, dissononce])
def test_other_functions(functions: str, witness: Open, initiator: bool) -> None:
    check(f"Noise_XXpsk3_{functions}", witness, initiator=initiator)
