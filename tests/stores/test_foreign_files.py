"""Files that are no bond store of ours: said so in words, and left as they were."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blechannel.errors import StoreError
from blechannel.pairing.changes import SpendGuess, StoreBond
from blechannel.roles import Role
from blechannel.stores.schema import APPLICATION_ID, MIGRATIONS, NewerSchema, migrate
from blechannel.stores.sqlite import SqliteStore
from tests.pairing.made_bonds import bond, bond_id
from tests.stores.conftest import someone_without_privileges
from tests.stores.made_stores import edit, full_watch_bond, open_watch

Untouched = Callable[[], AbstractContextManager[None]]


async def make_store(path: Path) -> None:
    async with await open_watch(path) as store:
        await store.apply(StoreBond(full_watch_bond(1), gives_back_guess=False))
        await store.apply(StoreBond(bond(2, Role.WATCH), gives_back_guess=False))


async def expect_refusal(path: Path, says: str) -> None:
    with pytest.raises(StoreError, match=says) as caught:
        await open_watch(path)
    assert caught.value.path == str(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [b"x", os.urandom(64), os.urandom(40_000), b"SQLite format 3\0", bytes(4096), b"text\n" * 1000],
    ids=["a byte", "short", "random", "only the magic", "zeros", "text"],
)
async def test_other_content_is_no_bond_store(path: Path, untouched: Untouched, content: bytes) -> None:
    path.write_bytes(content)
    with untouched():
        await expect_refusal(path, "no bond store")


async def test_a_store_whose_first_word_was_changed_is_no_bond_store(path: Path, untouched: Untouched) -> None:
    await make_store(path)
    path.write_bytes(b"X" + path.read_bytes()[1:])
    with untouched():
        await expect_refusal(path, "no bond store")


@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
async def test_the_database_of_another_program_is_left_alone(path: Path, untouched: Untouched, mode: str) -> None:
    """Even one that is in use and has a log: opening it with SQLite would clear that away."""
    with closing(sqlite3.connect(path)) as foreign:
        foreign.execute(f"PRAGMA journal_mode = {mode}")
        foreign.execute("CREATE TABLE bonds (a)")
        foreign.commit()
        foreign.execute("PRAGMA application_id = 1")
        foreign.commit()
        foreign.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        foreign.execute("INSERT INTO bonds VALUES (1)")
        foreign.commit()
        os.chmod(path, 0o644)
        with untouched():
            await expect_refusal(path, "another program")
        assert stat.S_IMODE(path.stat().st_mode) == 0o644


@pytest.mark.parametrize("kept", [0.2, 0.5, 0.9, 0.999])
async def test_a_truncated_store_is_damaged(path: Path, untouched: Untouched, kept: float) -> None:
    await make_store(path)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    with untouched():
        await expect_refusal(path, "damaged")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.integers(0, 16 * 1024 - 1), value=st.integers(1, 255))
async def test_a_flipped_byte_gives_a_book_or_a_refusal(path: Path, position: int, value: int) -> None:
    """Never another error, whatever byte it is."""
    if not path.exists():
        await make_store(path)
    whole = path.read_bytes()
    spoiled = bytearray(whole)
    spoiled[position % len(whole)] ^= value
    path.write_bytes(spoiled)
    [outcome] = await asyncio.gather(open_watch(path), return_exceptions=True)
    if isinstance(outcome, SqliteStore):
        await outcome.close()
    else:
        assert isinstance(outcome, StoreError)
        assert outcome.path == str(path)
        assert path.read_bytes() == spoiled
        assert [each.name for each in path.parent.iterdir()] == [path.name]
    path.write_bytes(whole)


@pytest.mark.parametrize(
    "nonsense",
    [
        "UPDATE store SET role = 'clock'",
        "UPDATE store SET role = 5",
        "UPDATE store SET store_id = x'00'",
        "UPDATE store SET guesses_spent = -1",
        "UPDATE store SET guesses_spent = 'many'",
        "UPDATE store SET discovery_key = x'00'",
        "UPDATE bonds SET bond_id = zeroblob(15) WHERE position = 1",
        "UPDATE bonds SET peer_name = zeroblob(4)",
        "UPDATE bonds SET peer_name = printf('%.*c', 49, 'x')",
        "UPDATE bonds SET peer_name = CAST(x'ff' AS TEXT)",
        "UPDATE bonds SET method = 9",
        "UPDATE bonds SET method = 'passkey'",
        "UPDATE bonds SET suite = 0",
        "UPDATE bonds SET version = 0",
        "UPDATE bonds SET epoch = -1",
        "UPDATE bonds SET pending = 2",
        "UPDATE bonds SET replaces = x'00'",
        "UPDATE bonds SET replaces = 5",
        "UPDATE bonds SET own_static = zeroblob(31)",
        "UPDATE bonds SET peer_static = zeroblob(33)",
        "UPDATE bonds SET psk = zeroblob(0)",
        "UPDATE bonds SET candidates = zeroblob(71)",
        "UPDATE bonds SET candidates = zeroblob(72 * 5)",
        "UPDATE bonds SET candidates = CAST(x'ff' || zeroblob(71) AS BLOB)",
        "UPDATE bonds SET retired = zeroblob(33)",
        "UPDATE bonds SET retired = zeroblob(32 * 17)",
        "UPDATE bonds SET discovery_key = zeroblob(1)",
        "UPDATE bonds SET created_s = 'yesterday'",
        "UPDATE bonds SET last_seen_s = 9e999",
        "ALTER TABLE bonds RENAME COLUMN psk TO secret",
        "DROP TABLE bonds",
        "DROP TABLE store",
        "PRAGMA user_version = 0",
        "PRAGMA user_version = -1",
    ],
)
async def test_nonsense_in_a_whole_file_is_refused(path: Path, untouched: Untouched, nonsense: str) -> None:
    await make_store(path)
    edit(path, nonsense)
    with untouched():
        await expect_refusal(path, "restore it from a copy")


async def test_a_giant_value_is_not_even_read(path: Path, untouched: Untouched) -> None:
    await make_store(path)
    edit(path, "UPDATE bonds SET psk = zeroblob(2 * 1024 * 1024)")
    with untouched():
        await expect_refusal(path, "too big")


@pytest.mark.parametrize("has_log", [False, True])
async def test_damage_that_no_reader_would_meet_is_found(path: Path, has_log: bool) -> None:
    """The index is not read with so few bonds; a later write would build on it."""
    await make_store(path)
    content = bytearray(path.read_bytes())
    content[content.rindex(bond_id(1)) + 5] ^= 1
    path.write_bytes(content)
    if has_log:
        path.with_name("bonds.db-wal").touch()
    await expect_refusal(path, "index")
    assert path.read_bytes() == content


async def test_more_bonds_than_there_may_be_are_refused(path: Path, untouched: Untouched) -> None:
    await make_store(path)
    copied = "peer_name, method, suite, version, peer_static, epoch, pending, replaces, created_s, last_seen_s"
    copied += ", own_static, psk, hint_key, candidates, retired, discovery_key"
    series = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40)"
    edit(
        path,
        f"INSERT INTO bonds (bond_id, {copied}) {series} SELECT randomblob(16), {copied} FROM n, bonds "
        "WHERE position = 1",
    )
    with untouched():
        await expect_refusal(path, "no room")


async def test_a_newer_store_is_not_touched(path: Path, untouched: Untouched) -> None:
    await make_store(path)
    edit(path, f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    with untouched():
        await expect_refusal(path, "newer blechannel")


async def test_an_empty_file_becomes_a_store(path: Path) -> None:
    path.touch(mode=0o644)
    async with await open_watch(path) as store:
        await store.apply(SpendGuess())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


# --- migrations -----------------------------------------------------------------------------------------------


async def test_a_later_step_brings_an_older_file_up(path: Path) -> None:
    await make_store(path)
    later = (*MIGRATIONS, ("ALTER TABLE bonds ADD COLUMN colour TEXT NOT NULL DEFAULT 'red'",))
    with closing(sqlite3.connect(path)) as connection:
        for _ in range(2):
            migrate(connection, later)
            connection.commit()
        assert connection.execute("SELECT colour FROM bonds").fetchall() == [("red",), ("red",)]
        assert connection.execute("PRAGMA user_version").fetchone() == (len(later),)
        with pytest.raises(NewerSchema):
            migrate(connection)


async def test_a_step_that_fails_leaves_the_older_file(path: Path) -> None:
    await make_store(path)
    later = (*MIGRATIONS, ("ALTER TABLE bonds ADD COLUMN colour TEXT", "ALTER TABLE nothing ADD COLUMN a"))
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        with pytest.raises(sqlite3.Error):
            migrate(connection, later)
        connection.execute("ROLLBACK")
    async with await open_watch(path) as store:
        assert len(store.book.bonds) == 2


async def test_the_file_says_whose_it_is(path: Path) -> None:
    await make_store(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


# --- rights ---------------------------------------------------------------------------------------------------


async def test_a_folder_is_no_file(path: Path) -> None:
    path.mkdir()
    await expect_refusal(path, "no file")


async def test_a_pipe_is_no_file(path: Path) -> None:
    os.mkfifo(path)
    await expect_refusal(path, "no file")


async def test_a_link_to_nowhere_and_a_path_through_a_file_are_refused(path: Path) -> None:
    path.symlink_to(path.with_name("nowhere"))
    await expect_refusal(path, "cannot be opened")
    path.with_name("file").touch()
    await expect_refusal(path.with_name("file") / "bonds.db", "cannot be opened")


async def test_our_own_file_is_closed_to_others(path: Path) -> None:
    await make_store(path)
    path.chmod(0o664)
    await (await open_watch(path)).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_a_file_that_may_not_be_read_is_said_so(public_folder: Path) -> None:
    path = public_folder / "bonds.db"
    await make_store(path)
    path.chmod(0o000)
    before = path.read_bytes() if os.geteuid() == 0 else b""
    with someone_without_privileges():
        await expect_refusal(path, "cannot be used")
    path.chmod(0o600)
    assert path.read_bytes().startswith(before)


async def test_a_folder_that_may_not_be_written_is_said_so(public_folder: Path) -> None:
    public_folder.chmod(0o555)
    with someone_without_privileges():
        await expect_refusal(public_folder / "bonds.db", "cannot be opened")
    public_folder.chmod(0o755)
    assert not list(public_folder.iterdir())


async def test_a_store_that_may_not_be_written_is_said_so(public_folder: Path) -> None:
    path = public_folder / "bonds.db"
    with someone_without_privileges_in(public_folder):
        await make_store(path)
        before = path.read_bytes()
        path.chmod(0o400)
        await expect_refusal(path, "check who owns it")
        assert path.read_bytes() == before


async def test_a_store_whose_folder_may_not_be_written_is_said_so(public_folder: Path) -> None:
    path = public_folder / "bonds.db"
    with someone_without_privileges_in(public_folder):
        await make_store(path)
    before = path.read_bytes()
    public_folder.chmod(0o555)
    with someone_without_privileges():
        await expect_refusal(path, "what its folder allows")
    public_folder.chmod(0o755)
    assert path.read_bytes() == before


def someone_without_privileges_in(folder: Path) -> AbstractContextManager[None]:
    """The same, in a folder of their own."""
    folder.chmod(0o777)
    return someone_without_privileges()


async def test_anothers_file_that_everybody_reads_is_refused(public_folder: Path) -> None:
    """Closing it is its owner's business, and what it holds may be known already."""
    if os.geteuid() != 0:
        pytest.skip("only an administrator can make a file of another owner")
    path = public_folder / "bonds.db"
    await make_store(path)
    path.chmod(0o666)
    before = path.read_bytes()
    with someone_without_privileges():
        await expect_refusal(path, "others may read")
    assert stat.S_IMODE(path.stat().st_mode) == 0o666
    assert path.read_bytes() == before
