"""Whole pairings and reconnects, sans I/O, against the primitives that they need, TLS 1.3 and Bluetooth's own pairing.

The floor of a pairing is that of its Noise part (XXpsk3) and of CPace; ML-KEM has its own, and comparing words none of
CPace. What is measured runs until both sides hold the bond: frames, fragments and the records that confirm it included.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from hashlib import sha512
from pathlib import Path
from statistics import median

import pytest
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from blechannel.config import Policy
from blechannel.methods import Method
from tests.bench.bare_bumble import pairing_s
from tests.bench.noise_floor import KKPSK0, XXPSK3, floor
from tests.bench.ratio import Figures, Work, measure_batches
from tests.bench.tls import Tls
from tests.session.sides import CLASSICAL, World, join

pytestmark = pytest.mark.bench

ROUNDS, NUMBER, BATCHES = 15, 2, 7
SMP_EACH = 5


def cpace_floor() -> Work:
    """Two generators, two shares, two keys: each share and key is one multiplication of a point nobody knew before."""
    point = X25519PrivateKey.generate().public_key().public_bytes_raw()

    def run() -> None:
        for _ in range(2):
            sha512(bytes(160)).digest()
            scalar = X25519PrivateKey.from_private_bytes(os.urandom(32))
            for _ in range(2):
                scalar.exchange(X25519PublicKey.from_public_bytes(point))
            sha512(bytes(160)).digest()

    return run


def kem_floor() -> None:
    """One run of ML-KEM-768, both sides."""
    private = MLKEM768PrivateKey.from_seed_bytes(os.urandom(64))
    private.decapsulate(private.public_key().encapsulate()[1])


def both(*parts: Work) -> Work:
    def run() -> None:
        for part in parts:
            part()

    return run


def pairing(method: Method = Method.PASSKEY, policy: Policy = CLASSICAL) -> Work:
    """One pairing with empty stores, to the bond on both sides."""

    def run() -> None:
        world = World(method=method, policy=policy)
        join(*world.pairing())
        assert world.phone_shelf.book.bonds
        assert world.watch_shelf.book.bonds

    return run


def reconnect() -> Work:
    """One reconnect of two that are bonded, to where both may talk."""
    world = World().bonded()
    return lambda: join(*world.reconnecting())


async def _smp_s() -> float:
    return median([await pairing_s() for _ in range(SMP_EACH)])


def with_smp(batches: tuple[Mapping[str, float], ...]) -> tuple[dict[str, float], ...]:
    """The same, and bumble's pairing beside it: it needs an event loop, and so takes no turns with the others."""
    return tuple({**batch, "bumble SMP": asyncio.run(_smp_s())} for batch in batches)


def test_pairing(tmp_path: Path, report: Callable[[Figures], None]) -> None:
    least, tls = both(floor(XXPSK3), cpace_floor()), Tls(tmp_path)
    work: dict[str, Work] = {"floor": least, "passkey": pairing(), "TLS 1.3, mutual": tls.handshake}
    batches = measure_batches(work, rounds=ROUNDS, number=NUMBER, batches=BATCHES)
    report(Figures("pairing by passkey", with_smp(batches)))


def test_pairing_with_ml_kem(report: Callable[[Figures], None]) -> None:
    work: dict[str, Work] = {
        "floor": both(floor(XXPSK3), cpace_floor(), kem_floor),
        "passkey, ML-KEM": pairing(policy=Policy(hybrid=True)),
    }
    report(Figures("pairing with ML-KEM-768", measure_batches(work, rounds=ROUNDS, number=NUMBER, batches=BATCHES)))


def test_pairing_by_words(report: Callable[[Figures], None]) -> None:
    work: dict[str, Work] = {"floor": floor(XXPSK3), "words": pairing(Method.WORDS)}
    report(Figures("pairing by words", measure_batches(work, rounds=ROUNDS, number=NUMBER, batches=BATCHES)))


def test_reconnect(tmp_path: Path, report: Callable[[Figures], None]) -> None:
    tls = Tls(tmp_path)
    session = tls.session()
    assert tls.handshake(session).client.session_reused
    work: dict[str, Work] = {
        "floor": floor(KKPSK0),
        "reconnect": reconnect(),
        "TLS resumption": lambda: tls.handshake(session),
    }
    report(Figures("reconnect", measure_batches(work, rounds=ROUNDS, number=NUMBER, batches=BATCHES)))
