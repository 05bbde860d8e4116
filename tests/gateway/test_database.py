"""One file: its owner's, one user at a time, all or nothing, and an error where the disk is full."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from pathlib import Path

import pytest

from blechannel_gateway.database import Database
from blechannel_gateway.errors import CloudStoreError

SCHEMA = "CREATE TABLE IF NOT EXISTS t(x INTEGER);"


async def _rows(database: Database) -> list[int]:
    return [x for (x,) in await database.transact(lambda db: db.execute("SELECT x FROM t").fetchall())]


async def test_what_raises_leaves_its_neighbours_alone(tmp_path: Path) -> None:
    async with await Database.open(tmp_path / "f", SCHEMA) as database:

        def spoiled(db: sqlite3.Connection) -> None:
            db.execute("INSERT INTO t VALUES(2)")
            raise KeyError("mine")

        outcomes = await asyncio.gather(
            database.transact(lambda db: db.execute("INSERT INTO t VALUES(1)").rowcount),
            database.transact(spoiled),
            database.transact(lambda db: db.execute("INSERT INTO t VALUES(3)").rowcount),
            return_exceptions=True,
        )
        assert outcomes[0] == outcomes[2] == 1
        assert isinstance(outcomes[1], KeyError)
        assert await _rows(database) == [1, 3]
    async with await Database.open(tmp_path / "f", SCHEMA) as database:
        assert await _rows(database) == [1, 3]
    with pytest.raises(CloudStoreError, match="closed"):
        await database.transact(lambda db: db.total_changes)


async def test_who_is_cancelled_has_asked_all_the_same(tmp_path: Path) -> None:
    async with await Database.open(tmp_path / "f", SCHEMA) as database:
        learned: list[int] = []
        insert = "INSERT INTO t VALUES(7)"
        asking = asyncio.ensure_future(database.transact(lambda db: db.execute(insert).rowcount, learned.append))
        await asyncio.sleep(0)
        asking.cancel()
        await asyncio.wait([asking])
        assert await _rows(database) == [7]
        assert (asking.cancelled(), learned) == (True, [1])
        with pytest.raises(sqlite3.IntegrityError):
            await database.transact(_fails, learned.append)
        assert learned == [1], "nothing was done"


def _fails(_db: sqlite3.Connection) -> int:
    raise sqlite3.IntegrityError("no")


async def test_a_full_disk_is_an_error_and_nothing_is_half_done(tmp_path: Path) -> None:
    async with await Database.open(tmp_path / "f", SCHEMA) as database:
        await database.transact(lambda db: db.execute("INSERT INTO t VALUES(1)").rowcount)
        (pages,) = await database.transact(lambda db: db.execute("PRAGMA page_count").fetchone())
        await database.transact(lambda db: db.execute(f"PRAGMA max_page_count={pages}").fetchone())
        with pytest.raises(CloudStoreError, match="full"):
            await database.transact(lambda db: db.executemany("INSERT INTO t VALUES(?)", [(x,) for x in range(5000)]))
        assert await _rows(database) == [1]


async def test_a_file_has_one_user_who_alone_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.touch(0o644)
    async with await Database.open(path, SCHEMA):
        if os.name == "posix":
            assert path.stat().st_mode & 0o777 == 0o600
        with pytest.raises(CloudStoreError, match="another program uses it"):
            await Database.open(path, SCHEMA)


async def test_files_of_others_are_left_alone(tmp_path: Path) -> None:
    other, text = tmp_path / "other", tmp_path / "text"
    connection = sqlite3.connect(other)
    connection.execute("CREATE TABLE theirs(x)")
    connection.commit()
    connection.close()
    before = other.read_bytes()
    with pytest.raises(CloudStoreError, match="another program"):
        await Database.open(other, SCHEMA)
    assert other.read_bytes() == before
    text.write_text("no database, and longer than a header of one " * 20)
    with pytest.raises(CloudStoreError, match="damaged"):
        await Database.open(text, SCHEMA)
    with pytest.raises(CloudStoreError, match="cannot be opened"):
        await Database.open(tmp_path, SCHEMA)
