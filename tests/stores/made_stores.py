"""Stores and files for tests."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Final

from blechannel.pairing.access import Access, Standing
from blechannel.pairing.bonds import Bond, BondBook
from blechannel.roles import Role
from blechannel.stores.sealing import KdfCost
from blechannel.stores.sqlite import SqliteStore
from tests.pairing.made_bonds import bond, epoch, key

CHEAP: Final = KdfCost(iterations=1, lanes=1, memory_kib=8)
"""So that a test does not wait for Argon2id."""
NOW_S: Final = 1_800_000_000.25


async def open_watch(path: Path, passphrase: str | None = None) -> SqliteStore:
    return await SqliteStore.open(path, role=Role.WATCH, passphrase=passphrase, cost=CHEAP, wall_clock=lambda: NOW_S)


def full_watch_bond(seed: int) -> Bond:
    """A bond with something in every field."""
    return replace(
        bond(seed, Role.WATCH),
        epoch=epoch(7, seed),
        candidates=(epoch(8, seed, "a"), epoch(8, seed, "b")),
        retired=(key("retired", seed, 1), key("retired", seed, 2)),
        discovery_key=key("resolves", seed),
        pending=True,
        replaces=key("replaces", seed)[:16],
        created_s=1.5,
        last_seen_s=2.5,
        access=Access(Standing.OWNER, frozenset({"echo", "größer"})),
        copied_s=3.5,
        not_recognised_s=4.5,
    )


def secrets_of(book: BondBook) -> list[bytes]:
    """Everything in a book that must not be read by others."""
    secrets = [book.discovery_key]
    for each in book.bonds.values():
        secrets += [each.own_static, each.discovery_key, *each.retired]
        secrets += [key for keys in (each.epoch, *each.candidates) for key in (keys.psk, keys.hint_key)]
    return [secret for secret in secrets if secret]


def raw_bytes(path: Path) -> bytes:
    """All that is on the disk, log included."""
    return b"".join(each.read_bytes() for each in sorted(path.parent.glob(f"{path.name}*")))


def edit(path: Path, *statements: str) -> None:
    """What somebody with another program could do to a closed store."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)
