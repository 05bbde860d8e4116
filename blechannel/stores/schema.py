"""The file's tables, and how older files come to have them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

from blechannel.pairing.access import Standing
from blechannel.roles import Role

APPLICATION_ID: Final = 0x424C4543
"""SQLite's mark of whose file it is: "BLEC"."""

MIGRATIONS: Final[Sequence[Sequence[str]]] = (
    (
        f"PRAGMA application_id = {APPLICATION_ID}",
        """
        CREATE TABLE store (
            row INTEGER PRIMARY KEY,
            store_id BLOB NOT NULL,
            role TEXT NOT NULL,
            guesses_spent INTEGER NOT NULL,
            discovery_key BLOB NOT NULL,
            kdf_salt BLOB,
            kdf_iterations INTEGER,
            kdf_lanes INTEGER,
            kdf_memory_kib INTEGER,
            kdf_check BLOB
        )
        """,
        """
        CREATE TABLE bonds (
            position INTEGER PRIMARY KEY,
            bond_id BLOB NOT NULL UNIQUE,
            peer_name TEXT NOT NULL,
            method INTEGER NOT NULL,
            suite INTEGER NOT NULL,
            version INTEGER NOT NULL,
            peer_static BLOB NOT NULL,
            epoch INTEGER NOT NULL,
            pending INTEGER NOT NULL,
            replaces BLOB,
            created_s REAL NOT NULL,
            last_seen_s REAL NOT NULL,
            own_static BLOB NOT NULL,
            psk BLOB NOT NULL,
            hint_key BLOB NOT NULL,
            candidates BLOB NOT NULL,
            retired BLOB NOT NULL,
            discovery_key BLOB NOT NULL
        )
        """,
    ),
    ("ALTER TABLE bonds ADD COLUMN peer_certificate BLOB NOT NULL DEFAULT x''",),
    (
        f"ALTER TABLE bonds ADD COLUMN standing INTEGER NOT NULL DEFAULT {int(Standing.GUEST)}",
        "ALTER TABLE bonds ADD COLUMN ports BLOB",
        "ALTER TABLE bonds ADD COLUMN copied_s REAL",
        "ALTER TABLE bonds ADD COLUMN not_recognised_s REAL",
        # A watch had no owner before: the phone that has been there longest becomes it.
        f"""
        UPDATE bonds SET standing = {int(Standing.OWNER)}
        WHERE position = (SELECT min(position) FROM bonds) AND (SELECT role FROM store) = '{Role.WATCH.value}'
        """,
    ),
)
"""Step n brings a file of version n to version n + 1; a new file runs them all. A step, once released, stays."""


class NewerSchema(Exception):
    """The file was written by a newer program."""


def migrate(connection: sqlite3.Connection, steps: Sequence[Sequence[str]] = MIGRATIONS) -> None:
    """Run the steps that the file lacks, inside the caller's transaction.

    Raises:
        NewerSchema: the file has seen more steps than these.
        sqlite3.Error: a step failed; the caller rolls back.
    """
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > len(steps):
        raise NewerSchema
    for number, step in enumerate(steps[version:], start=version + 1):
        for statement in step:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {number}")
