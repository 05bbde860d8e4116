"""What each side sends, and how it writes down what it sent and received: in the transaction of the queue itself."""

from __future__ import annotations

import hashlib
import random
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from blechannel.delivery.policies import BestEffort, Latest, Ordered, Policy

POLICIES: Final[dict[str, Policy]] = {
    "journal": Ordered(max_messages=400, max_bytes=600_000),
    "gauge": Latest(),
    "motion": BestEffort(),
}
TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS app_sent (port TEXT, number INTEGER, PRIMARY KEY (port, number))",
    "CREATE TABLE IF NOT EXISTS app_received (place INTEGER PRIMARY KEY, port TEXT, number INTEGER, digest BLOB)",
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run sends."""

    seed: int
    large_bytes: int
    """Of the longest messages on the ordered port."""
    pause_s: float
    """Between two messages of a port, on average."""


def body(plan: Plan, sender: str, port: str, number: int) -> bytes:
    """The message of this number: anybody can make it again, so that what arrived can be checked."""
    chance = random.Random(f"{plan.seed} {sender} {port} {number}")
    longest = 200
    if port == "journal" and chance.random() < 1 / 25:
        longest = plan.large_bytes
    return number.to_bytes(8) + chance.randbytes(chance.randrange(longest))


def make_tables(at: sqlite3.Connection) -> None:
    for table in TABLES:
        at.execute(table)


def number_of(message: bytes) -> int:
    return int.from_bytes(message[:8])


def digest_of(message: bytes) -> bytes:
    return hashlib.sha256(message).digest()


def note_sent(port: str, number: int) -> Callable[[sqlite3.Connection], object]:
    return lambda at: at.execute("INSERT INTO app_sent VALUES (?, ?)", (port, number))


def note_received(port: str, message: bytes) -> Callable[[sqlite3.Connection], object]:
    row = (port, number_of(message), digest_of(message))
    return lambda at: at.execute("INSERT INTO app_received (port, number, digest) VALUES (?, ?, ?)", row)
