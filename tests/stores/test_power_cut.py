"""What is left when the process is killed or the disk is full."""

from __future__ import annotations

import asyncio
import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from blechannel.errors import StoreError
from blechannel.pairing.changes import StoreBond
from blechannel.roles import Role
from blechannel.stores.sqlite import SqliteStore
from tests.pairing.made_bonds import bond, bond_id, epoch
from tests.stores.made_stores import full_watch_bond, open_watch

RUNS = 12


def write_and_kill(path: Path, after_s: float) -> int:
    """Kill a writer `after_s` after its first word; the last epoch that it reported."""
    command = [sys.executable, "-m", "tests.stores.writer", str(path), "100000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        reported = [writer.stdout.readline()]
        time.sleep(after_s)
        writer.kill()
        reported += writer.stdout.readlines()
    # The kill may have cut the last word short.
    return max(int(line) for line in reported if line.endswith(b"\n"))


async def test_a_killed_writer_loses_nothing_that_it_reported(path: Path) -> None:
    dice = random.Random(2)
    for _ in range(RUNS):
        reported = await asyncio.to_thread(write_and_kill, path, dice.uniform(0, 0.03))
        async with await SqliteStore.open(path, role=Role.PHONE) as store:
            found = store.book.bond(bond_id(1)).epoch
        assert found.number in (reported, reported + 1)
        assert found == epoch(found.number)
        assert [each.name for each in path.parent.iterdir()] == [path.name]


@contextmanager
def full_disk(limit_bytes: int) -> Iterator[None]:
    """No file of this process grows beyond the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("limit_bytes", [0, 1000, 5000])
async def test_on_a_full_disk_nothing_changes_and_later_changes_work(path: Path, limit_bytes: int) -> None:
    async with await open_watch(path) as store:
        before = await store.apply(StoreBond(full_watch_bond(1), gives_back_guess=False))
        await asyncio.sleep(0.05)
        with full_disk(limit_bytes):
            with pytest.raises(StoreError) as caught:
                await store.apply(StoreBond(full_watch_bond(2), gives_back_guess=False))
            with pytest.raises(StoreError):
                await store.change_passphrase("typed")
        assert caught.value.path == str(path)
        assert store.book is before
        after = await store.apply(StoreBond(bond(3, Role.WATCH), gives_back_guess=False))
    async with await open_watch(path) as store:
        assert store.book == after
    assert set(after.bonds) == {bond_id(1), bond_id(3)}


async def test_a_disk_too_full_for_a_new_store_leaves_a_path_that_works_later(path: Path) -> None:
    with full_disk(5000), pytest.raises(StoreError):
        await open_watch(path)
    await (await open_watch(path)).close()


async def test_a_log_that_cannot_be_emptied_does_no_harm(path: Path) -> None:
    """The change is durable in the log before the file itself is written, which the full disk refuses here."""
    async with await open_watch(path) as store:
        await store.apply(StoreBond(full_watch_bond(1), gives_back_guess=False))
        await asyncio.sleep(0.05)
        with full_disk(path.stat().st_size - 1):
            with suppress(StoreError):
                await store.apply(StoreBond(full_watch_bond(2), gives_back_guess=False))
            shown = store.book
            await asyncio.sleep(0.05)
        assert store.book is shown
        assert os.path.getsize(path)
    async with await open_watch(path) as store:
        assert store.book == shown
