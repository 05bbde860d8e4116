"""The tables of a file of queues."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from blechannel.stores.custody import FileKind

OUTBOX: Final = FileKind("outbox", 0x424C4551)
"""SQLite's mark: "BLEQ"."""

MIGRATIONS: Final[Sequence[Sequence[str]]] = (
    (
        f"PRAGMA application_id = {OUTBOX.application_id}",
        """
        CREATE TABLE store (
            row INTEGER PRIMARY KEY,
            store_id BLOB NOT NULL,
            kdf_salt BLOB,
            kdf_iterations INTEGER,
            kdf_lanes INTEGER,
            kdf_memory_kib INTEGER,
            kdf_check BLOB
        )
        """,
        """
        CREATE TABLE lanes (
            lane INTEGER PRIMARY KEY,
            bond_id BLOB NOT NULL,
            port TEXT NOT NULL,
            remembered BLOB NOT NULL,
            UNIQUE (bond_id, port)
        )
        """,
        "CREATE TABLE successors (number INTEGER PRIMARY KEY, old BLOB NOT NULL UNIQUE, new BLOB NOT NULL)",
        "CREATE TABLE tokens (number INTEGER PRIMARY KEY, lane INTEGER NOT NULL, token BLOB NOT NULL)",
        """
        CREATE TABLE marks (
            number INTEGER PRIMARY KEY,
            lane INTEGER NOT NULL,
            stream BLOB NOT NULL,
            stored INTEGER NOT NULL,
            UNIQUE (lane, stream)
        )
        """,
        # A message is whole when all of its size is there. A short one's bytes are here, those of others in parts.
        """
        CREATE TABLE messages (
            row INTEGER PRIMARY KEY,
            lane INTEGER NOT NULL,
            incoming INTEGER NOT NULL,
            stream BLOB NOT NULL,
            sequence INTEGER NOT NULL,
            size INTEGER NOT NULL,
            have INTEGER NOT NULL,
            expires_s REAL,
            body BLOB
        )
        """,
        """
        CREATE TABLE parts (
            row INTEGER NOT NULL,
            offset INTEGER NOT NULL,
            length INTEGER NOT NULL,
            body BLOB NOT NULL,
            PRIMARY KEY (row, offset)
        )
        """,
    ),
)
"""Step n brings a file of version n to version n + 1; a new file runs them all. A step, once released, stays."""
