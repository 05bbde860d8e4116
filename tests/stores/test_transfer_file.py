"""Bonds move to another phone in a file: durable first, forgotten then; and a file that is none changes nothing."""

from __future__ import annotations

import hashlib
import os
import stat
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from blechannel.errors import BondError, BondSuperseded, LocalProtocolError, StoreError, WrongPassphrase
from blechannel.limits import MAX_PHONE_BONDS
from blechannel.pairing.bonds import BondBook
from blechannel.pairing.changes import Advance, Change, MoveIn, MoveOut
from blechannel.roles import Role
from blechannel.stores import transfer_file
from blechannel.stores.memory import MemoryStore
from blechannel.stores.sealing import Lock
from blechannel.stores.sqlite import SqliteStore
from blechannel.stores.transfer_file import export_bonds, import_bonds
from tests.pairing.made_bonds import bond, bond_id, book, epoch
from tests.stores.made_stores import CHEAP, full_watch_bond, raw_bytes, secrets_of

PASSPHRASE = "correct horse battery"
BONDS = (replace(full_watch_bond(1), role=Role.PHONE), bond(2))


def seeded(seed: str = "seed") -> Callable[[int], bytes]:
    """Reproducible bytes; each draw differs."""
    draws = iter(range(1000))
    return lambda count: hashlib.shake_256(f"{seed}{next(draws)}".encode()).digest(count)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "moving.bonds"


async def export(target: Path, store: MemoryStore | None = None) -> MemoryStore:
    store = store or MemoryStore(book(*BONDS))
    await export_bonds(store, target, passphrase=PASSPHRASE, cost=CHEAP, random=seeded())
    return store


# --- moving -----------------------------------------------------------------------------------------------------


async def test_bonds_move_whole_and_stay_nowhere_else(target: Path) -> None:
    old = await export(target)
    assert old.book == BondBook()
    new = MemoryStore()
    moved = await import_bonds(new, target, passphrase=PASSPHRASE)
    assert moved.bonds == BONDS
    assert not moved.file_remains
    assert new.book == book(*BONDS)
    assert not target.exists()


async def test_between_two_files_nothing_readable_is_left(tmp_path: Path, target: Path) -> None:
    old = await SqliteStore.open(tmp_path / "old.db", role=Role.PHONE)
    await old.apply(MoveIn(BONDS))
    await export_bonds(old, target, passphrase=PASSPHRASE, cost=CHEAP)
    await old.close()
    async with await SqliteStore.open(tmp_path / "new.db", role=Role.PHONE) as new:
        await import_bonds(new, target, passphrase=PASSPHRASE)
        assert new.book == book(*BONDS)
    left = raw_bytes(tmp_path / "old.db")
    assert not [secret for secret in secrets_of(book(*BONDS)) if secret in left]


async def test_the_file_is_its_owners_alone_and_shows_no_secret(target: Path) -> None:
    await export(target)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    content = target.read_bytes()
    assert not [secret for secret in secrets_of(book(*BONDS)) if secret in content]
    assert b"Peer" not in content


async def test_the_file_is_on_the_disk_before_the_old_phone_forgets(target: Path) -> None:
    seen: list[tuple[type[Change], bool]] = []

    class Watching(MemoryStore):
        async def apply(self, change: Change) -> BondBook:
            seen.append((type(change), target.exists() and target.stat().st_size > 500))
            return await super().apply(change)

    await export(target, Watching(book(*BONDS)))
    assert seen == [(MoveOut, True)]


async def test_a_bond_that_is_used_meanwhile_stays_and_the_file_goes(target: Path) -> None:
    class Busy(MemoryStore):
        async def apply(self, change: Change) -> BondBook:
            if isinstance(change, MoveOut):
                await super().apply(Advance(bond_id(2), epoch(1, "meanwhile")))
            return await super().apply(change)

    store = Busy(book(*BONDS))
    with pytest.raises(BondSuperseded, match="try again"):
        await export(target, store)
    assert not target.exists()
    assert len(store.book.bonds) == 2


async def test_a_store_that_cannot_forget_keeps_its_bonds_and_the_file_goes(target: Path) -> None:
    class Full(MemoryStore):
        async def apply(self, change: Change) -> BondBook:
            raise StoreError(f"disk full: no {type(change).__name__}")

    store = Full(book(*BONDS))
    with pytest.raises(StoreError, match="disk full"):
        await export(target, store)
    assert not target.exists()
    assert store.book == book(*BONDS)


async def test_a_file_that_cannot_be_written_leaves_the_bonds(target: Path) -> None:
    target.write_bytes(b"precious")
    store = MemoryStore(book(*BONDS))
    with pytest.raises(StoreError, match="already"):
        await export(target, store)
    assert store.book == book(*BONDS)
    assert target.read_bytes() == b"precious"


@pytest.mark.parametrize("held", [book(), book(bond(1, Role.WATCH))], ids=["nothing", "a watch's"])
async def test_only_the_bonds_of_a_phone_move(target: Path, held: BondBook) -> None:
    with pytest.raises(BondError, match="nothing to move"):
        await export(target, MemoryStore(held))
    assert not target.exists()


async def test_an_empty_passphrase_protects_nothing(target: Path) -> None:
    with pytest.raises(LocalProtocolError, match="empty passphrase"):
        await export_bonds(MemoryStore(book(*BONDS)), target, passphrase="")


# --- what is refused --------------------------------------------------------------------------------------------


async def expect_refusal(target: Path, error: type[BondError], says: str, passphrase: str = PASSPHRASE) -> None:
    store, before = MemoryStore(book(bond(9))), target.read_bytes() if target.is_file() else None
    with pytest.raises(error, match=says) as caught:
        await import_bonds(store, target, passphrase=passphrase)
    assert store.book == book(bond(9))
    assert before is None or target.read_bytes() == before
    assert str(target) in str(caught.value)


async def test_another_passphrase_is_said_and_can_be_typed_again(target: Path) -> None:
    await export(target)
    await expect_refusal(target, WrongPassphrase, "does not open the file", "correct horse")
    await import_bonds(MemoryStore(), target, passphrase=PASSPHRASE)


@pytest.mark.parametrize("content", [b"", b"text\n" * 20, b"SQLite format 3\0" + bytes(100), os.urandom(70_000)])
async def test_another_file_is_said(target: Path, content: bytes) -> None:
    target.write_bytes(content)
    await expect_refusal(target, StoreError, "no file of moved bonds")


async def test_a_longer_file_is_not_read_to_its_end(target: Path) -> None:
    await export(target)
    with target.open("ab") as file:
        file.write(bytes(transfer_file.MAX_FILE_BYTES))
    await expect_refusal(target, StoreError, "no file of moved bonds")


async def test_every_cut_is_noticed(target: Path) -> None:
    await export(target)
    content = target.read_bytes()
    for kept in (len(transfer_file.MAGIC), 17, 40, 82, 83, 90, 200, len(content) - 1):
        target.write_bytes(content[:kept])
        await expect_refusal(target, StoreError, "cut off or damaged")


async def test_every_altered_byte_is_noticed(target: Path) -> None:
    """What the passphrase costs may be altered up to what this program takes at most: not tried here."""
    await export(target)
    content = target.read_bytes()
    costs = range(17, 23)
    for at in [*(each for each in range(110) if each not in costs), len(content) // 2, len(content) - 1]:
        target.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        await expect_refusal(target, StoreError, "damaged|no file of moved bonds|cut off|newer")


@pytest.mark.parametrize(
    "price", [(255, 1, 8), (0, 1, 8), (1, 0, 8), (1, 9, 72), (1, 1, 2**32 - 1), (1, 1, 7)], ids=str
)
async def test_a_price_that_is_too_high_is_refused_before_it_is_paid(
    target: Path, monkeypatch: pytest.MonkeyPatch, price: tuple[int, int, int]
) -> None:
    await export(target)
    content = target.read_bytes()
    target.write_bytes(content[:17] + struct.pack(">BBI", *price) + content[23:])

    def pay(_lock: Lock, _passphrase: str) -> bytes:
        raise AssertionError("the key was derived")

    monkeypatch.setattr(Lock, "key", pay)
    await expect_refusal(target, StoreError, "cut off or damaged")


async def test_a_newer_file_says_so(target: Path) -> None:
    await export(target)
    content = target.read_bytes()
    target.write_bytes(content[:16] + b"\2" + content[17:])
    await expect_refusal(target, StoreError, "newer blechannel")


@pytest.mark.parametrize("kind", ["nothing", "folder", "pipe"])
async def test_what_is_no_file_is_said_and_not_waited_for(target: Path, kind: str) -> None:
    if kind == "folder":
        target.mkdir()
    elif kind == "pipe":
        if not hasattr(os, "mkfifo"):
            pytest.skip("this system has no named pipes")
        os.mkfifo(target)
    await expect_refusal(target, StoreError, "cannot be read" if kind == "nothing" else "no file")


async def test_a_bond_that_is_here_already_stops_all_of_them(target: Path) -> None:
    await export(target)
    store = MemoryStore(book(BONDS[1]))
    with pytest.raises(BondError, match="here already"):
        await import_bonds(store, target, passphrase=PASSPHRASE)
    assert store.book == book(BONDS[1])
    assert target.exists()


async def test_a_full_store_takes_none(target: Path) -> None:
    await export(target)
    full = book(*(bond(seed) for seed in range(3, 3 + MAX_PHONE_BONDS)))
    store = MemoryStore(full)
    with pytest.raises(BondError, match="no room"):
        await import_bonds(store, target, passphrase=PASSPHRASE)
    assert store.book == full


async def test_a_file_that_cannot_be_removed_is_reported(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await export(target)

    def refuse(_path: Path) -> None:
        raise PermissionError("read-only medium")

    monkeypatch.setattr(Path, "unlink", refuse)
    moved = await import_bonds(MemoryStore(), target, passphrase=PASSPHRASE)
    assert moved.file_remains


# --- the format -------------------------------------------------------------------------------------------------


async def test_the_format_is_what_its_documentation_says(target: Path) -> None:
    """Opened with the primitives alone."""
    await export(target)
    content = target.read_bytes()
    magic, version, iterations, lanes, kib, salt, file_id, check = struct.unpack(">16sBBBI16s16s28s", content[:83])
    assert (magic, version) == (b"blechannel bonds", 1)
    key = Argon2id(salt=salt, length=32, iterations=iterations, lanes=lanes, memory_cost=kib).derive(
        PASSPHRASE.encode()
    )
    cipher = ChaCha20Poly1305(key)

    def opened(sealed: bytes, row: bytes, column: bytes) -> bytes:
        place = b"blechannel/1 sealed" + b"\x10" + file_id + bytes([len(row)]) + row + column
        return cipher.decrypt(sealed[:12], sealed[12:], place)

    assert opened(check, b"", b"check") == b""
    bonds = opened(content[83:], content[:83], b"bonds")
    assert bonds[:19] == b"\1\0\x10" + bond_id(1)


FROZEN = "ac6f29d7781843421d95f68642ffff19f0f1ffd3569e286da453806b454396e2"


async def test_a_file_of_this_version_stays_readable(target: Path) -> None:
    """The digest of a whole file from reproducible randomness: a change of the format changes its version."""
    await export(target)
    assert hashlib.sha256(target.read_bytes()).hexdigest() == FROZEN
