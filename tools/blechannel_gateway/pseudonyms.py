"""What the broker calls a bond: nobody without the gateway's key can tell which bond it is."""

from __future__ import annotations

import hmac
import secrets
import sqlite3
from hashlib import sha256
from typing import Final

from blechannel_gateway.database import Database

SCHEMA: Final = (
    "CREATE TABLE IF NOT EXISTS pseudonym_key(one INTEGER PRIMARY KEY CHECK(one=1), key BLOB NOT NULL) STRICT;"
)
KEY_BYTES: Final = 32
PSEUDONYM_BYTES: Final = 16


class Pseudonyms:
    """HMAC-SHA-256 of the bond's id under a random key of this gateway, cut to 16 bytes, as hexadecimal digits."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def __repr__(self) -> str:
        return "Pseudonyms(…)"

    @classmethod
    async def open(cls, database: Database) -> Pseudonyms:
        """With the key of a database that was opened with `SCHEMA`, made at the first time."""
        return cls(await database.transact(_key))

    def of(self, bond_id: bytes) -> str:
        """32 hexadecimal digits, always the same for one bond."""
        return hmac.digest(self._key, b"blechannel gateway bond\0" + bond_id, sha256)[:PSEUDONYM_BYTES].hex()


def _key(db: sqlite3.Connection) -> bytes:
    db.execute("INSERT OR IGNORE INTO pseudonym_key VALUES(1, ?)", (secrets.token_bytes(KEY_BYTES),))
    key: bytes = db.execute("SELECT key FROM pseudonym_key").fetchone()[0]
    return key
