"""What a bond store's file says, read and written as a whole or by its differences."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Final

from blechannel.errors import StoreError
from blechannel.limits import MAX_PHONE_BONDS
from blechannel.pairing.bonds import BondBook
from blechannel.roles import Role
from blechannel.stores.rows import BOND_COLUMNS, LOCK_COLUMNS, Cells, bond_row, lock_row, read_bond, read_lock
from blechannel.stores.sealing import Lock, Seal
from blechannel.values import dataclass

STORE_COLUMNS: Final = ("store_id", "role", "guesses_spent", "discovery_key", *LOCK_COLUMNS)

READ_STORE: Final = "SELECT {} FROM store".format(", ".join(STORE_COLUMNS))
READ_BONDS: Final = "SELECT {} FROM bonds ORDER BY position LIMIT {}".format(
    ", ".join(BOND_COLUMNS), MAX_PHONE_BONDS + 1
)
PUT_STORE: Final = "INSERT OR REPLACE INTO store (row, {}) VALUES (1, {})".format(
    ", ".join(STORE_COLUMNS), ", ".join("?" * len(STORE_COLUMNS))
)
PUT_BOND: Final = "INSERT INTO bonds ({}) VALUES ({}) ON CONFLICT (bond_id) DO UPDATE SET {}".format(
    ", ".join(BOND_COLUMNS),
    ", ".join("?" * len(BOND_COLUMNS)),
    ", ".join(f"{column} = excluded.{column}" for column in BOND_COLUMNS),
)


@dataclass(frozen=True, slots=True)
class Content:
    """All that a file says."""

    store_id: bytes
    """16 random bytes: ties sealed values to this file."""
    role: Role
    seal: Seal
    book: BondBook


def read_content(
    connection: sqlite3.Connection, role: Role, unlock: Callable[[Lock | None, bytes], Seal]
) -> Content | None:
    """What the file says, None where it was only just made; `unlock` is given the lock and the store's identity.

    Raises:
        StoreError: the file is not of this `role`, or `unlock` refuses.
        ValueError, struct.error, BondError: the file says what no store would write.
        sqlite3.Error: the file cannot be read.
    """
    row: Sequence[object] | None = connection.execute(READ_STORE).fetchone()
    if row is None:
        return None
    cells = Cells(STORE_COLUMNS, row)
    if role is not (found := Role(cells.of("role", str))):
        raise StoreError(f"this is a {found.value}'s bond store; a {role.value} needs another one")
    store_id = cells.identity("store_id")
    seal = unlock(read_lock(cells), store_id)
    # All at once: a cursor that a traceback keeps alive would keep the file's lock beyond the connection's end.
    rows: list[Sequence[object]] = connection.execute(READ_BONDS).fetchall()
    bonds = [read_bond(each, role, seal.sealer) for each in rows]
    discovery_key = seal.sealer.unseal(cells.of("discovery_key", bytes), b"", "discovery_key")
    book = BondBook({bond.bond_id: bond for bond in bonds}, cells.of("guesses_spent", int), discovery_key)
    return Content(store_id, role, seal, book)


def write_content(connection: sqlite3.Connection, before: Content | None, after: Content) -> None:
    """Write the rows in which `after` differs, inside the caller's transaction. Raises sqlite3.Error."""
    known = before.book.bonds if before and before.seal is after.seal else {}
    stored = before.book.bonds if before else {}
    for bond_id in stored.keys() - after.book.bonds.keys():
        connection.execute("DELETE FROM bonds WHERE bond_id = ?", (bond_id,))
    for bond_id, bond in after.book.bonds.items():
        if known.get(bond_id) != bond:
            connection.execute(PUT_BOND, bond_row(bond, after.seal.sealer))
    if before is None or _store_row_differs(before, after):
        connection.execute(PUT_STORE, _store_row(after))


def _store_row_differs(before: Content, after: Content) -> bool:
    old, new = before.book, after.book
    return (
        before.seal is not after.seal
        or old.guesses_spent != new.guesses_spent
        or old.discovery_key != new.discovery_key
    )


def _store_row(content: Content) -> list[bytes | str | int | float | None]:
    discovery_key = content.seal.sealer.seal(content.book.discovery_key, b"", "discovery_key")
    own = [content.store_id, content.role.value, content.book.guesses_spent, discovery_key]
    return [*own, *lock_row(content.seal.lock)]
