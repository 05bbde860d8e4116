"""Memory a session: one end of a channel, awake and at rest, beyond its transport and its store."""

from __future__ import annotations

import subprocess
import sys

import pytest

from blechannel.transports.virtual_time import run_virtual
from blechannel_tools.fleet.fleet import fleet_of
from blechannel_tools.fleet.memory import AEAD_BYTES
from blechannel_tools.fleet.rest import RESTING, Rested, let_rest

pytestmark = pytest.mark.bench

HOT_BYTES, PARKED_BYTES = 12_000, 2_000
SESSIONS = 100
AEADS = """
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from blechannel_tools.fleet.resources import resident_bytes
kept = [None] * 20_000
ChaCha20Poly1305(bytes(32)).encrypt(bytes(12), b"", None)
before = resident_bytes()
for number in range(len(kept)):
    kept[number] = ChaCha20Poly1305(bytes(32))
    kept[number].encrypt(bytes(12), b"", None)
print((resident_bytes() - before) // len(kept))
"""
"""Makes many in a process of their own, whose memory nothing else has used before."""


def test_memory_a_session() -> None:
    async def main() -> Rested:
        async with fleet_of(SESSIONS, patience=RESTING) as fleet:
            return await let_rest(fleet, 60.0)

    found = run_virtual(main())
    print(f"\nmemory a session, bytes: awake {found.hot_bytes:,} (at most {HOT_BYTES:,})", end=", ")
    print(f"at rest {found.parked_bytes:,} (at most {PARKED_BYTES:,})")
    assert found.hot_bytes <= HOT_BYTES
    assert found.parked_bytes <= PARKED_BYTES


@pytest.mark.skipif(sys.platform != "linux", reason="memory that Python does not count is read from /proc")
def test_what_openssl_keeps_for_a_cipher_is_what_is_counted_for_it() -> None:
    ran = subprocess.run([sys.executable, "-c", AEADS], capture_output=True, text=True, check=True, timeout=60)
    assert AEAD_BYTES // 2 < int(ran.stdout) <= AEAD_BYTES
