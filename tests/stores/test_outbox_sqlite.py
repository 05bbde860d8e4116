"""Durable queues: what was written is there again, all or none of a change, and a full disk is an error."""

from __future__ import annotations

import asyncio
import dataclasses
import sqlite3
import stat
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from blechannel.delivery import changes as to
from blechannel.delivery.events import Span
from blechannel.delivery.ledger import Lane, Ledger
from blechannel.delivery.policies import MessageId
from blechannel.errors import LocalProtocolError, StoreError, StoreLocked, WrongPassphrase
from blechannel.stores.outbox_memory import MemoryQueues
from blechannel.stores.outbox_rows import PART_BYTES
from blechannel.stores.outbox_schema import MIGRATIONS, OUTBOX
from blechannel.stores.outbox_sqlite import SqliteQueues
from blechannel.stores.sealing import KdfCost

S, T = b"s" * 16, b"t" * 16
LARGE = bytes(range(256)) * 700
CHEAP = KdfCost(1, 1, 8)

LIFE: Sequence[to.Change] = (
    to.AddLane(1, b"a" * 16, "journal"),
    to.AddLane(2, b"b" * 16, "journal"),
    to.AddLane(3, b"a" * 16, "gauge"),
    to.Succeed(b"a" * 16, b"c" * 16),
    to.AddToken(1, b"1" * 16),
    to.AddToken(2, b"2" * 16),
    to.Remember(1, b"p" * 16),
    to.Put(1, 1, MessageId(S, 1), None, b"one"),
    to.Put(1, 2, MessageId(S, 2), 12.5, LARGE),
    to.Put(2, 3, MessageId(S, 1), None, b""),
    to.Know(1, T),
    to.Keep(1, 4, MessageId(T, 1), 5, 0, 0, b"whole"),
    to.Keep(1, 5, MessageId(T, 3), 9, 1, 0, b"gone"),
    to.Keep(1, 6, MessageId(T, 4), 9, 1, 0, b"part"),
    to.Keep(1, 6, MessageId(T, 4), 9, 1, 4, b"-"),
    to.Know(3, T),
    to.Keep(3, 7, MessageId(T, 1), 3, 0, 0, b"old", replaces=True),
    to.Keep(3, 8, MessageId(T, 2), 3, 1, 0, b"new", replaces=True),
    to.Put(3, 9, MessageId(S, 5), None, b"value"),
    to.Put(3, 10, MessageId(S, 6), None, b"newer", (9,)),
    to.Know(2, b"u" * 16),
    to.Keep(2, 11, MessageId(b"u" * 16, 1), 9, 0, 0, b"another"),
    to.Drop(1, (1,)),
    to.MergeLane(2, 1),
    to.MoveLane(1, b"c" * 16),
    to.Keep(1, 6, MessageId(T, 4), 9, 1, 5, b"rest"),
    to.Take(1, 4),
    to.RemoveLane(3),
)


def put(row: int, body: bytes) -> to.Put:
    return to.Put(1, row, MessageId(S, row), None, body)


async def rows(queues: SqliteQueues) -> set[int]:
    """That the file has pieces of."""
    found: set[int] = set()
    await queues.write((), lambda at: found.update(row for (row,) in at.execute("SELECT row FROM parts")))
    return found


def lanes(ledger: Ledger) -> list[Lane]:
    """Without the bytes that queues in memory keep in their ledger."""
    bare = [dataclasses.replace(lane) for lane in ledger.lanes.values()]
    for lane in bare:
        for entry in (*lane.waiting.entries.values(), *lane.untaken.entries.values(), *filter(None, [lane.partial])):
            entry.body = None
    return bare


@pytest.mark.parametrize("passphrase", [None, "correct horse"])
async def test_the_file_says_what_the_ledger_said_after_every_change(tmp_path: Path, passphrase: str | None) -> None:
    memory = MemoryQueues()
    path = tmp_path / "queues"
    for length in range(len(LIFE) + 1):
        async with await SqliteQueues.open(path, passphrase=passphrase, cost=CHEAP) as queues:
            assert lanes(queues.ledger) == lanes(memory.ledger)
            assert queues.ledger.held_bytes == memory.ledger.held_bytes
            assert queues.ledger.successors == memory.ledger.successors
            for change in LIFE[length : length + 1]:
                await queues.write((change,))
                await memory.write((change,))
            assert lanes(queues.ledger) == lanes(memory.ledger)


async def test_bytes_are_read_again_whole_and_in_pieces(tmp_path: Path) -> None:
    async with await SqliteQueues.open(tmp_path / "queues") as queues:
        await queues.write(
            (LIFE[0], to.Put(1, 1, MessageId(S, 1), None, LARGE), to.Put(1, 2, MessageId(S, 2), None, b""))
        )
        spans = [
            Span(1, 1, 0, len(LARGE)),
            Span(1, 1, PART_BYTES - 3, 7),
            Span(1, 1, 5, 0),
            Span(1, 2, 0, 0),
            Span(1, 9, 0, 1),
        ]
        whole, across, nothing, empty, gone = await queues.read(spans)
        assert whole == LARGE
        assert across == LARGE[PART_BYTES - 3 : PART_BYTES + 4]
        assert (nothing, empty, gone) == (b"", b"", None)


async def test_what_is_written_together_shares_a_transaction_and_fails_alone(tmp_path: Path) -> None:
    async with await SqliteQueues.open(tmp_path / "queues") as queues:
        await queues.write((LIFE[0],))
        begun: list[str] = []
        await queues.write((), lambda at: at.set_trace_callback(begun.append))
        begun.clear()

        def refuse(_at: sqlite3.Connection) -> None:
            raise ZeroDivisionError

        writes = [queues.write((to.Put(1, row, MessageId(S, row), None, b"x"),)) for row in range(1, 101)]
        writes.insert(50, queues.write((to.Put(1, 200, MessageId(S, 200), None, b"x"),), refuse))
        writes.insert(60, queues.write((to.Take(77, 1), to.Put(77, 300, MessageId(S, 300), None, b"x"))))
        results = await asyncio.gather(*writes, return_exceptions=True)
        assert begun.count("COMMIT") == 1
        assert [type(each) for each in results if each is not None] == [ZeroDivisionError, StoreError]
        assert list(queues.ledger.lanes[1].waiting.entries) == list(range(1, 101))
    async with await SqliteQueues.open(tmp_path / "queues") as queues:
        assert list(queues.ledger.lanes[1].waiting.entries) == list(range(1, 101))


async def test_an_act_stands_with_its_change_or_falls_with_it(tmp_path: Path) -> None:
    async with await SqliteQueues.open(tmp_path / "queues") as queues:
        await queues.write((LIFE[0],), lambda at: at.execute("CREATE TABLE app (number INTEGER UNIQUE)"))
        await queues.write(
            (to.Put(1, 1, MessageId(S, 1), None, b"x"),), lambda at: at.execute("INSERT INTO app VALUES (1)")
        )
        with pytest.raises(StoreError, match="UNIQUE"):
            await queues.write(
                (to.Put(1, 2, MessageId(S, 2), None, b"x"),), lambda at: at.execute("INSERT INTO app VALUES (1)")
            )
        assert list(queues.ledger.lanes[1].waiting.entries) == [1]
        counted: list[int] = []
        await queues.write((), lambda at: counted.extend(at.execute("SELECT count(*) FROM app").fetchone()))
        assert counted == [1]


def fill(at: sqlite3.Connection) -> None:
    """The file may grow no more."""
    [(pages,)] = at.execute("PRAGMA page_count").fetchall()
    at.execute(f"PRAGMA max_page_count = {pages}")


async def test_a_full_disk_is_an_error_to_who_writes_and_nothing_is_lost(tmp_path: Path) -> None:
    async with await SqliteQueues.open(tmp_path / "queues") as queues:
        await queues.write((LIFE[0], to.Put(1, 1, MessageId(S, 1), None, b"kept")))
        await queues.write((), fill)
        large = queues.write((to.Put(1, 2, MessageId(S, 2), None, LARGE),))
        small = queues.write((to.Put(1, 3, MessageId(S, 3), None, b"fits"),))
        with pytest.raises(StoreError, match="no room left for the outbox"):
            await large
        await small
        assert list(queues.ledger.lanes[1].waiting.entries) == [1, 3]
    async with await SqliteQueues.open(tmp_path / "queues") as queues:
        assert list(queues.ledger.lanes[1].waiting.entries) == [1, 3]
        await queues.write((to.Put(1, 4, MessageId(S, 4), None, LARGE),))


@pytest.mark.parametrize(
    "piece",
    [
        to.Keep(1, 5, MessageId(T, 2), 3, 1, 0, b"gap"),
        to.Keep(1, 5, MessageId(T, 0), 3, 0, 0, b"old"),
        to.Keep(1, 5, MessageId(S, 1), 3, 0, 0, b"unknown stream"[:3]),
        to.Keep(1, 5, MessageId(T, 1), 6, 0, 3, b"gap"),
        to.Keep(9, 5, MessageId(T, 1), 3, 0, 0, b"no lane"[:3]),
    ],
)
async def test_a_piece_that_does_not_follow_is_not_stored(tmp_path: Path, piece: to.Keep) -> None:
    async with await SqliteQueues.open(tmp_path / "queues") as queues:
        await queues.write((LIFE[0], to.Know(1, T)))
        with pytest.raises(StoreError, match="does not follow"):
            await queues.write((piece,))
        known = lanes(queues.ledger)
    async with await SqliteQueues.open(tmp_path / "queues") as queues:
        assert lanes(queues.ledger) == known
        assert 5 not in await rows(queues)


async def test_the_file_is_its_owners_and_held_by_one(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "queues"
    async with await SqliteQueues.open(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        with pytest.raises(StoreLocked, match="has the outbox open already"):
            await SqliteQueues.open(path)
    async with await SqliteQueues.open(path):
        pass


async def test_messages_are_sealed_under_a_passphrase(tmp_path: Path) -> None:
    path = tmp_path / "queues"
    async with await SqliteQueues.open(path, passphrase="one", cost=CHEAP) as queues:
        await queues.write(
            (LIFE[0], to.Put(1, 1, MessageId(S, 1), None, b"in the clear"), to.Put(1, 2, MessageId(S, 2), None, LARGE))
        )
        assert await queues.read([Span(1, 1, 0, 12), Span(1, 2, 3, 9)]) == [b"in the clear", LARGE[3:12]]
    content = path.read_bytes()
    assert b"in the clear" not in content
    assert LARGE[:64] not in content
    for wrong in (None, "two"):
        with pytest.raises(WrongPassphrase):
            await SqliteQueues.open(path, passphrase=wrong)
    with pytest.raises(LocalProtocolError, match="empty passphrase"):
        await SqliteQueues.open(path, passphrase="")


async def test_a_message_that_was_moved_to_another_row_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "queues"
    async with await SqliteQueues.open(path, passphrase="one", cost=CHEAP) as queues:
        puts = [to.Put(1, row, MessageId(S, row), None, b"message %d" % row) for row in (1, 2)]
        await queues.write((LIFE[0], *puts))
    with closing(sqlite3.connect(path)) as opened:
        opened.execute("UPDATE messages SET body = (SELECT body FROM messages WHERE row = 1) WHERE row = 2")
        opened.commit()
    async with await SqliteQueues.open(path, passphrase="one", cost=CHEAP) as queues:
        with pytest.raises(StoreError, match="was not made for this place"):
            await queues.read([Span(1, 2, 0, 9)])


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        ("UPDATE lanes SET port = ''", "without a port"),
        ("UPDATE lanes SET remembered = x'00'", "token that is none"),
        ("UPDATE messages SET size = -1", "no size"),
        ("UPDATE messages SET have = size + 1", "no size"),
        ("UPDATE messages SET lane = 9", "damaged"),
        ("UPDATE messages SET stream = 'text'", "stream is no bytes"),
        ("DELETE FROM store; INSERT INTO store (row, store_id) VALUES (1, x'00')", "store_id"),
        ("PRAGMA user_version = 99", "newer blechannel"),
        ("PRAGMA application_id = 7", "another program"),
    ],
)
async def test_a_file_that_no_store_would_write_is_refused(tmp_path: Path, sql: str, error: str) -> None:
    path = tmp_path / "queues"
    async with await SqliteQueues.open(path) as queues:
        await queues.write((LIFE[0], to.Put(1, 1, MessageId(S, 1), None, b"x")))
    with closing(sqlite3.connect(path)) as opened:
        opened.executescript(sql)
    with pytest.raises(StoreError, match=error):
        await SqliteQueues.open(path)


async def test_a_piece_that_is_missing_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "queues"
    async with await SqliteQueues.open(path) as queues:
        await queues.write((LIFE[0], to.Put(1, 1, MessageId(S, 1), None, LARGE)))
    with closing(sqlite3.connect(path)) as opened:
        opened.execute("DELETE FROM parts WHERE offset > 0")
        opened.commit()
    async with await SqliteQueues.open(path) as queues:
        with pytest.raises(StoreError, match="a piece of a message is missing"):
            await queues.read([Span(1, 1, 0, len(LARGE))])


async def test_no_bond_store_and_no_other_file_is_an_outbox(tmp_path: Path) -> None:
    path = tmp_path / "other"
    path.write_bytes(b"something else" * 50)
    with pytest.raises(StoreError, match="no outbox"):
        await SqliteQueues.open(path)
    assert path.read_bytes() == b"something else" * 50


async def test_a_closed_store_says_so(tmp_path: Path) -> None:
    queues = await SqliteQueues.open(tmp_path / "queues")
    last = queues.write((LIFE[0],))
    await queues.close()
    await queues.close()
    await last
    for refused in (queues.write(()), queues.read(())):
        with pytest.raises(StoreError, match="the outbox is closed"):
            await refused


async def test_an_opening_that_is_cancelled_leaves_the_file_free(tmp_path: Path) -> None:
    opening = asyncio.ensure_future(SqliteQueues.open(tmp_path / "queues"))
    await asyncio.sleep(0)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    async with asyncio.timeout(10):
        while True:
            try:
                await (await SqliteQueues.open(tmp_path / "queues")).close()
            except StoreLocked:
                await asyncio.sleep(0.001)
            else:
                break


async def test_queues_in_memory_know_no_transaction_and_close() -> None:
    queues = MemoryQueues()
    with pytest.raises(StoreError, match="no transaction"):
        await queues.write((), lambda _at: None)
    assert await queues.read([Span(1, 1, 0, 1)]) == [None]
    await queues.close()
    with pytest.raises(StoreError, match="closed"):
        await queues.write(())


async def test_a_disk_and_a_ledger_that_disagree_leave_nobody_waiting(tmp_path: Path) -> None:
    async with await SqliteQueues.open(tmp_path / "queues") as queues:
        await queues.write((LIFE[0],))
        queues.ledger.lanes.clear()
        with pytest.raises(StoreError, match="bond was removed"):
            await queues.write((put(1, b"x"),))


async def test_a_write_whose_caller_went_away_is_made(tmp_path: Path) -> None:
    async with await SqliteQueues.open(tmp_path / "queues") as queues:
        queues.write((LIFE[0],)).cancel()
        await queues.write(())
        assert 1 in queues.ledger.lanes


def test_the_mark_of_the_file_is_its_own() -> None:
    assert OUTBOX.application_id.to_bytes(4) == b"BLEQ"
    assert len(MIGRATIONS) == 1
