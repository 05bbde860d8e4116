"""Files of older versions are brought to this one when they are opened, and lose nothing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from blechannel.errors import StoreError
from blechannel.pairing.access import Access, Standing
from blechannel.pairing.bonds import BondBook
from blechannel.pairing.changes import MarkCopied, SetAccess
from blechannel.roles import Role
from blechannel.stores.schema import MIGRATIONS
from blechannel.stores.sqlite import SqliteStore
from tests.pairing.made_bonds import bond, bond_id, key
from tests.stores.made_stores import NOW_S, edit, full_watch_bond, open_watch

VERSION_1 = (Path(__file__).parent / "version_1.sql").read_text(encoding="utf-8")


def make_version_1(path: Path, text: str = VERSION_1) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(text)
    path.chmod(0o600)


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def as_stored(access: Access) -> BondBook:
    """What the frozen file says, in the words of this version."""
    first = replace(full_watch_bond(1), access=access, copied_s=None, not_recognised_s=None)
    first, second = (replace(each, created_s=NOW_S, last_seen_s=NOW_S) for each in (first, bond(2, Role.WATCH)))
    return BondBook({first.bond_id: first, second.bond_id: second}, 1, key("discovery"))


async def test_a_watch_of_version_1_keeps_everything_and_its_first_phone_becomes_the_owners(path: Path) -> None:
    make_version_1(path)
    async with await open_watch(path) as store:
        assert store.book == as_stored(Access(Standing.OWNER))
    assert version(path) == len(MIGRATIONS)


async def test_a_phone_of_version_1_keeps_everything_and_owns_nothing(path: Path) -> None:
    make_version_1(path, VERSION_1.replace("'watch'", "'phone'"))
    async with await SqliteStore.open(path, role=Role.PHONE) as store:
        assert store.book.bonds.keys() == as_stored(Access()).bonds.keys()
        assert store.book.owner is None
        assert store.book.bond(bond_id(1)).own_static == full_watch_bond(1).own_static


async def test_a_store_without_bonds_is_brought_forward_too(path: Path) -> None:
    without = [line for line in VERSION_1.splitlines() if "INTO bonds" not in line]
    make_version_1(path, "\n".join(without))
    async with await open_watch(path) as store:
        assert store.book == BondBook({}, 1, key("discovery"))


async def test_what_is_stored_in_a_migrated_file_is_there_after_opening_again(path: Path) -> None:
    make_version_1(path)
    async with await open_watch(path) as store:
        await store.apply(SetAccess(bond_id(2), frozenset({"echo"})))
        book = await store.apply(MarkCopied(bond_id(2)))
    async with await open_watch(path) as store:
        assert store.book == book
        assert store.book.bond(bond_id(2)).access.ports == frozenset({"echo"})


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE bonds SET standing = 3",
        "UPDATE bonds SET standing = 1",
        "UPDATE bonds SET standing = 'owner'",
        "UPDATE bonds SET ports = 'echo'",
        "UPDATE bonds SET ports = x'ff'",
        "UPDATE bonds SET ports = x'0161' || zeroblob(1)",
        "UPDATE bonds SET copied_s = 'yesterday'",
        "UPDATE bonds SET not_recognised_s = 9e999",
    ],
)
async def test_a_file_that_says_what_no_store_writes_is_damaged(path: Path, damage: str) -> None:
    make_version_1(path)
    await (await open_watch(path)).close()
    edit(path, damage)
    with pytest.raises(StoreError, match="damaged"):
        await open_watch(path)
