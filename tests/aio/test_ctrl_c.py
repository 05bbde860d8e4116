"""A person presses Ctrl-C, once or twice, at moments all over pairing and reconnect: both stores stay whole."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from blechannel.errors import BlechannelError
from tests.aio.rooms import Room, room

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


@pytest.fixture(scope="module")
def remains(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """What every interrupted process left behind."""
    root = tmp_path_factory.mktemp("ctrl-c")
    subprocess.run([sys.executable, "-m", "tests.aio.ctrl_c", str(root)], cwd=ROOT, check=True, timeout=50)
    return sorted(folder for folder in root.iterdir() if folder.name != "undisturbed")


async def reconnects(r: Room) -> bool:
    try:
        channel = await r.phone.connect(await r.phone.find(timeout_s=0.2))
    except BlechannelError:
        return False
    await channel.close()
    return True


async def test_what_is_left_reconnects_or_pairs_again(remains: list[Path]) -> None:
    assert len(remains) >= 18, "many moments, each once and twice"
    reconnected = 0
    for folder in remains:
        async with room(folder) as r:
            confirmed = any(not bond.pending for bond in r.phone.store.book.bonds.values())
            again = await reconnects(r)
            assert again or not confirmed, f"a bond that stood was lost: {folder.name}"
            reconnected += again
            await (await r.pair()).close()
            assert await reconnects(r), folder.name
    assert 0 < reconnected < len(remains), "the moments lie before and after the bond stood"
