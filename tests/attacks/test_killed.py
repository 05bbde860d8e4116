"""A process is killed, or its power cut, at every write of a store during pairing, ratchet and revocation.

Published: Pillai, Chidambaram, Alagappan et al., "All File Systems Are Not Created Equal", 2014 (crash consistency).
Stopped by: each change is one transaction, on the disk before anything relies on it, in an order that leaves a bond
that both sides know.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from blechannel.errors import BlechannelError
from blechannel.pairing.bonds import Bond
from tests.aio.rooms import Room, room

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


@pytest.fixture(scope="module")
def remains(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What every killed process left behind."""
    root = tmp_path_factory.mktemp("killed")
    script = Path(__file__).with_name("killed.py")
    subprocess.run([sys.executable, str(script), str(root)], check=True, timeout=50)
    return root


async def reconnects(r: Room) -> bool:
    try:
        channel = await r.phone.connect(await r.phone.find(timeout_s=0.2))
    except BlechannelError:
        return False
    await channel.close()
    return True


def confirmed(r: Room) -> list[Bond]:
    return [bond for bond in r.phone.store.book.bonds.values() if not bond.pending]


async def test_whoever_had_a_bond_has_one_that_works(remains: Path) -> None:
    killed = sorted(folder for folder in remains.iterdir() if not (folder / "survived").exists())
    assert len(killed) > 24, "pairings, reconnects and a revocation write more than twelve times"
    for folder in killed:
        async with room(folder) as r:
            had_one = bool(confirmed(r))
            assert await reconnects(r) or not had_one, folder.name
            # And whatever is left, a person can always pair again.
            await (await r.pair()).close()
            assert await reconnects(r), folder.name


async def test_nothing_was_written_by_halves(remains: Path) -> None:
    for folder in remains.iterdir():
        async with room(folder) as r:
            for bond in r.watch.store.book.bonds.values():
                assert not bond.pending
            assert r.watch.store.book.guesses_spent <= 1, "at most the guess of the run that was cut off"
