"""One scan for all: bounded, ended when nobody looks, begun anew in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from blechannel.aio.link import Sighting
from blechannel.aio.phone import FoundWatch
from blechannel.aio.shared_scan import MAX_STRANGERS, SharedScan
from blechannel.errors import TransportError
from tests.aio.virtual import on_virtual_clock
from tests.pairing.made_bonds import bond

MINE = bond(1)


class Air:
    """Sightings that a test makes; an end of the scan takes a moment."""

    def __init__(self) -> None:
        self.sightings: asyncio.Queue[Sighting | None] = asyncio.Queue()
        self.scans = self.most = 0

    async def scan(self) -> AsyncGenerator[Sighting, None]:
        self.scans += 1
        self.most = max(self.most, self.scans)
        try:
            while (sighting := await self.sightings.get()) is not None:
                yield sighting
        finally:
            await asyncio.sleep(1)
            self.scans -= 1

    def shared(self) -> SharedScan:
        return SharedScan(self.scan, resolve)


def resolve(sighting: Sighting) -> FoundWatch | None:
    """What the address says: mine, nobody's watch, or none."""
    kind, _, _ = sighting.address.partition("-")
    if kind == "noise":
        return None
    return FoundWatch(sighting.address, None, MINE if kind == "mine" else None, False)


@on_virtual_clock
async def test_who_looks_is_told_of_the_next_sighting_and_nobody_else() -> None:
    air = Air()
    scan = air.shared()
    looking = [asyncio.create_task(scan.seen(MINE.bond_id)) for _ in range(2)]
    other = asyncio.create_task(scan.seen(b"another bond"))
    for address in ("noise-1", "stranger-1", "mine-1"):
        air.sightings.put_nowait(Sighting(address, b""))
    assert [found.address for found in await asyncio.gather(*looking)] == ["mine-1", "mine-1"]
    assert list(scan.strangers) == ["stranger-1"]
    assert not other.done()
    other.cancel()
    await asyncio.wait({other})
    await scan.close()
    assert (air.scans, air.most) == (0, 1)


@on_virtual_clock
async def test_a_scan_begins_after_the_end_of_the_one_before() -> None:
    air = Air()
    scan = air.shared()
    for _ in range(4):
        look = asyncio.create_task(scan.seen(MINE.bond_id))
        await asyncio.sleep(0.1)
        look.cancel()
        await asyncio.sleep(0.1)
    await scan.close()
    assert (air.scans, air.most) == (0, 1)


@on_virtual_clock
async def test_the_end_of_a_scan_is_an_error_to_who_looks_and_the_next_one_scans_again() -> None:
    air = Air()
    scan = air.shared()
    air.sightings.put_nowait(None)
    with pytest.raises(TransportError, match="ended"):
        await scan.seen(MINE.bond_id)
    air.sightings.put_nowait(Sighting("mine-2", b""))
    assert (await scan.seen(MINE.bond_id)).address == "mine-2"
    await scan.close()


@on_virtual_clock
async def test_so_many_strangers_are_remembered_and_the_first_one_is_forgotten() -> None:
    air = Air()
    scan = air.shared()
    look = asyncio.create_task(scan.seen(MINE.bond_id))
    for number in range(2 * MAX_STRANGERS):
        air.sightings.put_nowait(Sighting(f"stranger-{number}", b""))
    air.sightings.put_nowait(Sighting("mine-1", b""))
    await look
    assert list(scan.strangers) == [f"stranger-{number}" for number in range(MAX_STRANGERS, 2 * MAX_STRANGERS)]
    await scan.close()
