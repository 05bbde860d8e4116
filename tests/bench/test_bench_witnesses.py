"""Records of ours, of two other implementations of Noise and of TLS 1.3, sealed and opened, in the same run."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from dissononce.extras.meta.protocol.factory import NoiseProtocolFactory
from noise.connection import NoiseConnection

from tests.bench.ratio import Figures, Work, measure_batches
from tests.bench.test_bench_channel import floor, records
from tests.bench.tls import Tls

pytestmark = pytest.mark.bench

NAME = "Noise_NN_25519_ChaChaPoly_SHA256"
"""The shortest handshake: records are the same after each."""


def noiseprotocol(message: bytes) -> Work:
    """The package's own transport messages: no frame, no associated data."""
    first, second = (NoiseConnection.from_name(NAME.encode()) for _ in range(2))
    first.set_as_initiator()
    second.set_as_responder()
    first.start_handshake()
    second.start_handshake()
    second.read_message(first.write_message())
    first.read_message(second.write_message())
    return lambda: second.decrypt(first.encrypt(message))


def dissononce(message: bytes) -> Work:
    """The package's own cipher states, with the three bytes of a frame's header as associated data."""
    protocol = NoiseProtocolFactory().get_noise_protocol(NAME)
    first, second = protocol.create_handshakestate(), protocol.create_handshakestate()
    first.initialize(protocol.pattern, True, b"")
    second.initialize(protocol.pattern, False, b"")
    buffer = bytearray()
    first.write_message(b"", buffer)
    second.read_message(bytes(buffer), bytearray())
    buffer = bytearray()
    [sealing, _] = second.write_message(b"", buffer)
    [opening, _] = first.read_message(bytes(buffer), bytearray())
    header = b"\x17\x01\x04"
    return lambda: opening.decrypt_with_ad(header, sealing.encrypt_with_ad(header, message))


@pytest.mark.parametrize(
    ("length_bytes", "targets"), [(20, {}), (244, {"blechannel": 1.4}), (4096, {"blechannel": 1.2})]
)
def test_records(
    length_bytes: int, targets: dict[str, float], tmp_path: Path, report: Callable[[Figures], None]
) -> None:
    message, ends = os.urandom(length_bytes), Tls(tmp_path).handshake()
    work: dict[str, Work] = {
        "floor": floor(length_bytes),
        "blechannel": records(length_bytes),
        "noiseprotocol": noiseprotocol(message),
        "dissononce": dissononce(message),
        "TLS, AES-GCM": lambda: ends.talk(message),
    }
    batches = measure_batches(work, rounds=31, number=200)
    report(Figures(f"record of {length_bytes} bytes", batches, targets))
