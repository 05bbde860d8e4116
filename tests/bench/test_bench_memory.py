"""Memory a session: one end of a channel, awake and at rest, beyond its transport and its store."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import pytest

from blechannel.transports.virtual_time import run_virtual
from blechannel_tools.fleet.fleet import fleet_of
from blechannel_tools.fleet.memory import AEAD_BYTES
from blechannel_tools.fleet.rest import RESTING, Rested, let_rest
from tests.bench.ratio import Sizes

pytestmark = pytest.mark.bench

HOT_BYTES, PARKED_BYTES = 12_000, 2_000
SESSIONS = 100
CLOCKS: Mapping[str, Callable[[Coroutine[Any, Any, Rested]], Rested]] = {
    "a clock that stands still": run_virtual,
    "a real clock": asyncio.run,
}
"""Numbers that are alike on the first take memory on the second."""
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


@pytest.mark.parametrize("clock", CLOCKS)
def test_memory_a_session(clock: str, report: Callable[[Sizes], None]) -> None:
    async def main() -> Rested:
        async with fleet_of(SESSIONS, patience=RESTING) as fleet:
            return await let_rest(fleet, 1.0)

    found = CLOCKS[clock](main())
    sizes = {f"awake, {clock}": found.hot_bytes, f"at rest, {clock}": found.parked_bytes}
    report(Sizes("memory a session, one end", sizes, dict(zip(sizes, (HOT_BYTES, PARKED_BYTES), strict=True))))


@pytest.mark.skipif(sys.platform != "linux", reason="memory that Python does not count is read from /proc")
def test_what_openssl_keeps_for_a_cipher_is_what_is_counted_for_it() -> None:
    ran = subprocess.run([sys.executable, "-c", AEADS], capture_output=True, text=True, check=True, timeout=60)
    assert AEAD_BYTES // 2 < int(ran.stdout) <= AEAD_BYTES
