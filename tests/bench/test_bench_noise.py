"""Noise handshakes and transport against their floor and against two independent packages, in the same run."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from dissononce.extras.meta.protocol.factory import NoiseProtocolFactory
from noise.connection import NoiseConnection

from blechannel.noise import CHACHAPOLY, CipherState, HandshakeState, Keys
from tests.bench.noise_floor import KKPSK0, XXPSK3, Count, floor
from tests.bench.ratio import Figures, measure_batches
from tests.noise.live import PROLOGUE, Pair, pair, product

pytestmark = pytest.mark.bench

Handshake = Callable[[], object]


def blechannel(shared: Pair) -> Handshake:
    """Both sides, with loaded static keys, to the split."""
    protocol = shared.protocol
    i, r = shared.keys(initiator=True), shared.keys(initiator=False)

    def side(keys: Keys, *, initiator: bool) -> HandshakeState:
        keys = Keys(s=keys.s, rs=keys.rs, psks=keys.psks)
        return HandshakeState(protocol, initiator=initiator, random=os.urandom, prologue=PROLOGUE, keys=keys)

    def run() -> None:
        writer, reader = first, second = side(i, initiator=True), side(r, initiator=False)
        while not first.is_finished:
            reader.read_message(writer.write_message())
            writer, reader = reader, writer
        first.split()
        second.split()

    return run


def noiseprotocol(shared: Pair) -> Handshake:
    """The same with noiseprotocol; its static keys are loaded beforehand too."""
    name = shared.protocol.name.encode()
    klass = NoiseConnection.from_name(name).noise_protocol.dh_fn.klass

    def loaded(keys: Keys) -> tuple[object, object]:
        own = klass.from_private_bytes(keys.s.private if keys.s else None)
        return own, klass.from_public_bytes(keys.rs) if keys.rs else None

    def side(static: tuple[object, object], psks: Mapping[int, bytes]) -> NoiseConnection:
        connection = NoiseConnection.from_name(name)
        connection.set_psks(psks=list(psks.values()))
        connection.set_prologue(PROLOGUE)
        connection.noise_protocol.keypairs.update(s=static[0], rs=static[1])
        return connection

    i, r = shared.keys(initiator=True), shared.keys(initiator=False)
    i_static, r_static = loaded(i), loaded(r)

    def run() -> None:
        writer, reader = first, second = side(i_static, i.psks), side(r_static, r.psks)
        first.set_as_initiator()
        second.set_as_responder()
        first.start_handshake()
        second.start_handshake()
        while not first.handshake_finished:
            reader.read_message(writer.write_message())
            writer, reader = reader, writer

    return run


def dissononce(shared: Pair) -> Handshake:
    """The same with dissononce."""
    protocol = NoiseProtocolFactory().get_noise_protocol(shared.protocol.name)
    dh = protocol.dh
    private = type(dh.generate_keypair().private)

    def loaded(keys: Keys) -> tuple[object, object]:
        own = dh.generate_keypair(private(keys.s.private if keys.s else None))
        return own, dh.create_public(keys.rs) if keys.rs else None

    i, r = shared.keys(initiator=True), shared.keys(initiator=False)
    i_static, r_static = loaded(i), loaded(r)

    def run() -> None:
        writer, reader = first, second = protocol.create_handshakestate(), protocol.create_handshakestate()
        for state, (s, rs), keys in ((first, i_static, i), (second, r_static, r)):
            psks = list(keys.psks.values())
            state.initialize(protocol.pattern, state is first, PROLOGUE, s=s, rs=rs, psks=psks)
        for _ in shared.protocol.messages:
            message = bytearray()
            writer.write_message(b"", message)
            reader.read_message(bytes(message), bytearray())
            writer, reader = reader, writer

    return run


@pytest.mark.parametrize(("pattern", "count"), [("XXpsk3", XXPSK3), ("KKpsk0", KKPSK0)])
def test_handshake(pattern: str, count: Count, report: Callable[[Figures], None]) -> None:
    shared = pair(product(pattern))
    batches = measure_batches(
        {
            "floor": floor(count),
            "blechannel": blechannel(shared),
            "noiseprotocol": noiseprotocol(shared),
            "dissononce": dissononce(shared),
        },
        rounds=41,
        number=5,
    )
    figures = Figures(f"handshake {pattern}, both sides", batches, {"blechannel": 1.25})
    report(figures)
    for other in ("noiseprotocol", "dissononce"):
        assert figures.ratio("blechannel", to=other) < 1


@pytest.mark.parametrize(("size_bytes", "limit"), [(244, 1.5), (4096, 1.25)])
def test_seal_and_open(size_bytes: int, limit: float, report: Callable[[Figures], None]) -> None:
    key, header, text, nonce = bytes(32), b"\x01\x00\x00", bytes(size_bytes), bytes(12)
    aead = ChaCha20Poly1305(key)
    send, receive = CipherState(CHACHAPOLY, key), CipherState(CHACHAPOLY, key)

    def bare() -> None:
        aead.decrypt(nonce, aead.encrypt(nonce, text, header), header)

    def ours() -> None:
        receive.decrypt_with_ad(header, send.encrypt_with_ad(header, text))

    batches = measure_batches({"floor": bare, "blechannel": ours}, rounds=51, number=200)
    report(Figures(f"CipherState, {size_bytes} bytes", batches, {"blechannel": limit}))
