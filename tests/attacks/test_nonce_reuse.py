"""No key ever seals two records under one nonce, whatever the schedule; nor do two directions share a key.

Published: Joux, "Authentication Failures in NIST Version of GCM", 2006; Vanhoef and Piessens, "Key Reinstallation
Attacks", 2017.
Stopped by: implicit counters that only go up, one key a direction, a rekey that keeps counting, no key stored.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from blechannel.noise import functions
from blechannel.session import records
from blechannel.session.events import Established, Failed
from tests.session.sides import Side, World, join

REKEY_NONCE = bytes(4) + b"\xff" * 8

Used = set[tuple[bytes, bytes]]


class Instrumented:
    """ChaCha20-Poly1305 that remembers under which key and nonce it sealed."""

    used: Used

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._aead = ChaCha20Poly1305(key)

    def encrypt(self, nonce: bytes, data: bytes, ad: bytes) -> bytes:
        # REKEY seals the same zeros on both sides, under the nonce that is kept for it.
        assert nonce == REKEY_NONCE or (self._key, nonce) not in self.used, "a nonce was used twice"
        assert nonce != REKEY_NONCE or data == bytes(32), "the nonce of REKEY was used for something else"
        self.used.add((self._key, nonce))
        return self._aead.encrypt(nonce, data, ad)

    def decrypt(self, nonce: bytes, data: bytes, ad: bytes) -> bytes:
        return self._aead.decrypt(nonce, data, ad)


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch) -> Iterator[Used]:
    Instrumented.used = set()
    object.__setattr__(functions.CHACHAPOLY, "load", Instrumented)
    monkeypatch.setattr(records, "REKEY_EVERY", 8)
    monkeypatch.setattr(records, "_REKEY_MASK", 7)
    yield Instrumented.used
    object.__setattr__(functions.CHACHAPOLY, "load", ChaCha20Poly1305)


def wander(random: Random, sides: tuple[Side, Side]) -> None:
    """Ports opened and messages sent, by either side, carried over now and then."""
    ports: tuple[list[int], list[int]] = ([], [])
    for _ in range(60):
        which = random.randrange(2)
        traffic, own = sides[which].session.traffic, ports[which]
        action = random.random()
        if action < 0.15:
            join(*sides)
        elif action < 0.3 and len(own) < 4:
            own.append(traffic.open(f"port {len(own)}"))
        elif own:
            traffic.send(random.choice(own), random.randbytes(20))


@pytest.mark.parametrize("seed", range(12))
def test_random_schedules_never_repeat_a_nonce(seed: int, used: Used) -> None:
    random = Random(seed)
    world = World(f"nonces {seed}").bonded()
    for _ in range(4):
        phone, watch = world.reconnecting()
        join(phone, watch)
        assert phone.told(Established)
        wander(random, (phone, watch))
        join(phone, watch)
        assert not phone.told(Failed)
    assert len({key for key, _ in used}) > 20, "sessions, directions and rekeys each have keys of their own"
    assert len(used) > 150
