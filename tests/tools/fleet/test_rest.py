"""What a channel holds in memory: awake and at rest, both within what docs/scale.md promises."""

from __future__ import annotations

import os

from blechannel.transports.virtual_time import run_virtual
from blechannel_tools.fleet.fleet import fleet_of
from blechannel_tools.fleet.memory import held_bytes
from blechannel_tools.fleet.resources import Resources, resident_bytes
from blechannel_tools.fleet.rest import RESTING, Rested, let_rest

HOT_BYTES, PARKED_BYTES = 12_000, 2_000
"""Of one end, with a port open both ways, beyond its transport and its store."""


def rested(watches: int) -> Rested:
    async def main() -> Rested:
        async with fleet_of(watches, patience=RESTING) as fleet:
            return await let_rest(fleet, 60.0)

    return run_virtual(main())


def test_memory_of_a_session() -> None:
    found = rested(20)
    assert found.parked_bytes <= PARKED_BYTES
    assert found.hot_bytes <= HOT_BYTES
    assert found.hot_bytes > found.parked_bytes + 2 * 1000, "two ciphers and what is around them"


def test_what_a_channel_holds_is_counted_and_what_it_shares_is_not() -> None:
    async def main() -> tuple[int, int, int]:
        async with fleet_of(2) as fleet:
            one, other = (pair.phone for pair in fleet.pairs)
            before = held_bytes(one, fleet.phones[0], besides=other)
            port = one.port("larger")
            port._inbox.append(bytes(5000))  # type: ignore[arg-type]
            after = held_bytes(one, fleet.phones[0], besides=other)
            return before, after, held_bytes(one, fleet.phones[0], besides=one)

    before, after, alone = run_virtual(main())
    assert after - before in range(5000, 5600)
    assert alone == 0


def test_resources_grow() -> None:
    before = Resources.now()
    kept = os.urandom(1 << 24)
    after = Resources.now()
    assert after.cpu_s > before.cpu_s
    if before.rss_bytes is not None:
        assert (resident_bytes() or 0) - before.rss_bytes > len(kept) // 2
