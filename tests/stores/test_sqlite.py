"""The store in a file: what it gives back, in which order, to whom, and what cancellation cannot break."""

from __future__ import annotations

import asyncio
import gc
import os
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blechannel.errors import BondError, BondNotFound, StoreError, StoreLocked
from blechannel.limits import MAX_BONDS
from blechannel.pairing.bonds import BondBook
from blechannel.pairing.changes import (
    AddCandidate,
    Advance,
    BondStore,
    Change,
    ConfirmBond,
    Forget,
    Promote,
    Rename,
    SetDiscoveryKey,
    SpendGuess,
    StoreBond,
    StorePending,
)
from blechannel.roles import Role
from blechannel.stores.memory import MemoryStore
from blechannel.stores.sqlite import SqliteStore
from tests.pairing.made_bonds import bond, bond_id, epoch, key
from tests.stores.made_stores import CHEAP, NOW_S, edit, full_watch_bond, open_watch, raw_bytes


async def read(path: Path) -> BondBook:
    async with await open_watch(path) as store:
        return store.book


class HeldRandom:
    """Randomness that can be made to wait, as a system's does that has just started. Sealing a write needs it."""

    def __init__(self) -> None:
        self._flows = threading.Event()
        self._flows.set()
        self.is_awaited = threading.Event()

    def __call__(self, length_bytes: int) -> bytes:
        if not self._flows.is_set():
            self.is_awaited.set()
            assert self._flows.wait(20)
        return os.urandom(length_bytes)

    @contextmanager
    def held(self) -> Iterator[None]:
        self._flows.clear()
        try:
            yield
        finally:
            self._flows.set()

    async def until_awaited(self) -> None:
        await asyncio.to_thread(self.is_awaited.wait, 20)


@pytest.fixture
def random() -> HeldRandom:
    return HeldRandom()


async def open_held(path: Path, random: HeldRandom) -> SqliteStore:
    return await SqliteStore.open(path, role=Role.WATCH, passphrase="typed", cost=CHEAP, random=random)


# --- what is given back ---------------------------------------------------------------------------------------


async def test_what_was_stored_is_there_after_opening_again(path: Path) -> None:
    store: BondStore = await open_watch(path)
    await store.apply(SetDiscoveryKey(key("discovery")))
    await store.apply(SpendGuess())
    await store.apply(SpendGuess())
    book = await store.apply(StoreBond(full_watch_bond(1), gives_back_guess=True))
    assert store.book is book
    await store.close()
    assert await read(path) == book
    stored = replace(full_watch_bond(1), created_s=NOW_S, last_seen_s=NOW_S)
    assert book == BondBook({bond_id(1): stored}, 1, key("discovery"))


async def test_bonds_keep_their_order(path: Path) -> None:
    async with await open_watch(path) as store:
        for seed in range(MAX_BONDS):
            await store.apply(StoreBond(bond(seed, Role.WATCH), gives_back_guess=False))
        await store.apply(Rename(bond_id(3), "Renamed"))
        with pytest.raises(BondError, match="no room"):
            await store.apply(StoreBond(bond(99, Role.WATCH), gives_back_guess=False))
        assert list(store.book.bonds) == [bond_id(seed) for seed in range(MAX_BONDS)]
    assert list((await read(path)).bonds) == list(store.book.bonds)


IDS = st.sampled_from([bond_id(1), bond_id(2), bond_id(3)])
NUMBERS = st.integers(0, 3)
CHANGES: st.SearchStrategy[Change] = st.one_of(
    st.just(SpendGuess()),
    st.builds(SetDiscoveryKey, st.sampled_from([key(1), key(2), b""])),
    st.builds(StoreBond, st.builds(full_watch_bond, st.integers(1, 3)), st.booleans()),
    st.builds(
        lambda n: StorePending(replace(bond(n, Role.WATCH), replaces=bond_id(n + 1)), gives_back_guess=False),
        st.integers(1, 3),
    ),
    st.builds(ConfirmBond, IDS, st.text(max_size=13), st.sampled_from([key(1), b""])),
    st.builds(lambda n, c: AddCandidate(bond_id(n), epoch(7, n).hint_key, epoch(8, n, c), 3), NUMBERS, NUMBERS),
    st.builds(lambda n, c: Promote(bond_id(n), epoch(8, n, c).hint_key), NUMBERS, st.sampled_from("ab")),
    st.builds(Advance, IDS, st.builds(epoch, st.integers(7, 9))),
    st.builds(Forget, IDS),
    st.builds(Rename, IDS, st.text(max_size=13)),
)


@settings(max_examples=30, deadline=None)
@given(st.lists(CHANGES, max_size=12), st.sampled_from([None, "typed"]))
def test_it_does_what_the_store_in_memory_does(changes: list[Change], passphrase: str | None) -> None:
    """Also refuses what that refuses, and nothing of a refused change is left when the file is opened again."""

    async def compare(path: Path) -> None:
        memory = MemoryStore(wall_clock=lambda: NOW_S)
        async with await open_watch(path, passphrase) as store:
            for change in changes:
                outcomes = await asyncio.gather(memory.apply(change), store.apply(change), return_exceptions=True)
                assert type(outcomes[0]) is type(outcomes[1])
                assert memory.book == store.book
        async with await open_watch(path, passphrase) as store:
            assert memory.book == store.book

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(compare(Path(folder) / "bonds.db"))


async def test_the_other_sides_bonds_are_refused(path: Path) -> None:
    async with await open_watch(path) as store:
        with pytest.raises(BondError, match="watch's"):
            await store.apply(StoreBond(bond(1, Role.PHONE), gives_back_guess=False))
        assert store.book == BondBook()


async def test_only_the_rows_that_differ_are_written(path: Path) -> None:
    """Under a passphrase a row that is written looks different each time."""
    async with await open_watch(path, "typed") as store:
        for seed in (1, 2):
            await store.apply(StoreBond(full_watch_bond(seed), gives_back_guess=False))
    before = path.read_bytes()
    async with await open_watch(path, "typed") as store:
        await store.apply(Rename(bond_id(1), "Renamed"))
        await store.apply(Rename(bond_id(1), full_watch_bond(1).peer_name))
    after = path.read_bytes()
    place = before.index(bond_id(2) + b"Peer 2")
    assert after.count(before[place : place + 600]) == 1


async def test_an_old_epoch_leaves_the_disk(path: Path) -> None:
    """Whoever finds the file must not read what was said before; the log would tell."""
    async with await SqliteStore.open(path, role=Role.PHONE) as store:
        await store.apply(StorePending(bond(1), gives_back_guess=False))
        assert bond(1).epoch.psk in raw_bytes(path)
        await store.apply(Advance(bond_id(1), epoch(1)))
        await asyncio.sleep(0)
        await store.apply(SpendGuess())  # the worker has come past the clearing of the one before
        stored = raw_bytes(path)
        assert epoch(1).psk in stored
        assert bond(1).epoch.psk not in stored
        assert bond(1).epoch.hint_key not in stored
        await store.apply(Forget(bond_id(1)))
        await store.apply(SpendGuess())
        assert epoch(1).psk not in raw_bytes(path)


# --- who may have it ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("umask", [0o000, 0o777])
async def test_only_the_owner_may_read_whatever_the_umask(path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        async with await open_watch(path) as store:
            await store.apply(SpendGuess())
            modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
    finally:
        os.umask(before)
    assert modes == {"bonds.db": 0o600, "bonds.db-wal": 0o600}
    assert [each.name for each in path.parent.iterdir()] == ["bonds.db"]


async def test_missing_folders_are_made_for_the_owner_alone(path: Path) -> None:
    store = await open_watch(path.parent / "new" / "bonds.db")
    await store.close()
    assert stat.S_IMODE((path.parent / "new").stat().st_mode) == 0o700


async def test_a_store_opens_once_in_a_process_by_whatever_name(path: Path) -> None:
    async with await open_watch(path) as store:
        os.link(path, path.with_name("hard.db"))
        path.with_name("soft.db").symlink_to(path)
        for name in ("bonds.db", "hard.db", "soft.db"):
            with pytest.raises(StoreLocked, match="this program"):
                await open_watch(path.with_name(name))
        await expect_locked_elsewhere(path)  # a look inside from here would have dropped the lock
        await store.apply(SpendGuess())
    assert (await read(path)).guesses_spent == 1


async def test_another_process_is_told_which_file_and_what_to_do(path: Path) -> None:
    async with await open_watch(path):
        said = await expect_locked_elsewhere(path)
    assert str(path) in said
    assert "close that one" in said


async def expect_locked_elsewhere(path: Path) -> str:
    """What an opener in a new process is told."""
    command = [sys.executable, "-m", "tests.stores.writer", str(path), "0"]
    ended = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=30)
    assert "StoreLocked" in ended.stderr
    return ended.stderr


async def test_it_opens_again_after_a_refusal_whose_error_is_kept(path: Path) -> None:
    async with await open_watch(path) as store:
        await store.apply(StoreBond(full_watch_bond(1), gives_back_guess=False))
    whole = path.read_bytes()
    edit(path, "UPDATE bonds SET psk = x''")
    with pytest.raises(StoreError) as kept:
        await open_watch(path)
    path.write_bytes(whole)
    assert await read(path) == store.book
    assert kept.value.path == str(path)


async def test_the_other_role_is_refused(path: Path) -> None:
    await (await open_watch(path)).close()
    with pytest.raises(StoreError, match="watch's"):
        await SqliteStore.open(path, role=Role.PHONE)
    await (await open_watch(path)).close()


# --- order, cancellation, closing -----------------------------------------------------------------------------


async def test_changes_are_made_in_the_order_of_the_calls(path: Path) -> None:
    async with await open_watch(path) as store:
        await store.apply(StoreBond(bond(1, Role.WATCH), gives_back_guess=False))
        names = [f"Name {n}" for n in range(30)]
        books = await asyncio.gather(*(store.apply(Rename(bond_id(1), name)) for name in names))
    assert [book.bond(bond_id(1)).peer_name for book in books] == names
    assert store.book is books[-1]


async def test_a_slow_disk_does_not_hold_the_event_loop(path: Path, random: HeldRandom) -> None:
    async with await open_held(path, random) as store:
        with random.held():
            write = asyncio.create_task(store.apply(StoreBond(bond(1, Role.WATCH), gives_back_guess=False)))
            await random.until_awaited()
            for _ in range(50):
                await asyncio.sleep(0.001)
            assert not write.done()
            assert store.book == BondBook()
        book = await write
        assert store.book is book
        assert set(store.book.bonds) == {bond_id(1)}


async def test_a_cancelled_call_is_finished_and_shown(path: Path, random: HeldRandom) -> None:
    async with await open_held(path, random) as store:
        with random.held():
            write = asyncio.create_task(store.apply(StoreBond(bond(1, Role.WATCH), gives_back_guess=False)))
            await random.until_awaited()
            write.cancel()
            with pytest.raises(asyncio.CancelledError):
                await write
            assert not store.book.bonds
        await store.apply(SpendGuess())
        assert set(store.book.bonds) == {bond_id(1)}


async def test_closing_waits_for_what_is_under_way(path: Path, random: HeldRandom) -> None:
    store = await open_held(path, random)
    with random.held():
        write = asyncio.create_task(store.apply(StoreBond(bond(1, Role.WATCH), gives_back_guess=False)))
        await random.until_awaited()
        write.cancel()
        closing = [asyncio.create_task(store.close()) for _ in range(2)]
        await asyncio.sleep(0.01)
        closing[0].cancel()
        assert not closing[1].done()
    await closing[1]
    assert set(store.book.bonds) == {bond_id(1)}
    with pytest.raises(StoreError, match="closed"):
        await store.apply(SpendGuess())
    with pytest.raises(StoreError, match="closed"):
        await store.change_passphrase(None)
    async with await open_held(path, random) as again:
        assert again.book == store.book


async def test_a_cancelled_call_that_is_refused_makes_no_noise(path: Path, random: HeldRandom) -> None:
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    async with await open_held(path, random) as store:
        with random.held():
            first = asyncio.create_task(store.apply(StoreBond(bond(1, Role.WATCH), gives_back_guess=False)))
            await random.until_awaited()
            refused = asyncio.create_task(store.apply(Forget(bond_id(2))))
            await asyncio.sleep(0)
            refused.cancel()
        await first
        with suppress(asyncio.CancelledError):
            await refused
        with pytest.raises(BondNotFound):
            await store.apply(Forget(bond_id(2)))
    assert complaints == []


async def test_a_cancelled_opening_lets_the_file_go(path: Path, random: HeldRandom) -> None:
    with random.held():
        opening = asyncio.create_task(open_held(path, random))
        await random.until_awaited()
        opening.cancel()
        await asyncio.sleep(0.01)
    with pytest.raises(asyncio.CancelledError):
        await opening
    await (await open_held(path, random)).close()


async def test_an_opening_that_is_cancelled_and_refused_makes_no_noise(path: Path) -> None:
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    path.mkdir()
    opening = asyncio.create_task(open_watch(path))
    await asyncio.sleep(0)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    del opening
    await asyncio.sleep(0.01)
    gc.collect()  # an error that nobody asked for is told when its future goes
    assert complaints == []
