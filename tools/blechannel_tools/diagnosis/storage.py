"""The bond stores: there, closed to others, free, readable, and of this time."""

from __future__ import annotations

import argparse
import os
import stat
from collections.abc import AsyncGenerator
from pathlib import Path

from blechannel.errors import BlechannelError, StoreLocked, WrongPassphrase
from blechannel.pairing.bonds import BondBook
from blechannel.roles import Role
from blechannel_tools.diagnosis.finding import Finding, fail, ok, warn
from blechannel_tools.sides import open_store, store_path

DAY_S = 86_400.0


async def store(options: argparse.Namespace, role: Role, now_unix_s: float) -> AsyncGenerator[Finding, None]:
    """What there is to say about one side's store. None is made where there is none."""
    path = store_path(options, role)
    subject = f"{role.value}'s bonds"
    if not path.exists():
        yield ok(subject, f"no store yet: {path}")
        return
    if others_may_read(path):
        yield warn(subject, f"others may read {path}", f"chmod 600 {path}; opening it does so too")
    try:
        async with await open_store(options, role) as opened:
            book = opened.book
    except StoreLocked:
        yield warn(subject, f"in use by another program: {path}", "close that one to look inside")
    except WrongPassphrase as error:
        yield warn(subject, str(error), "say --passphrase-file, --ask-passphrase or --keyring to look inside")
    except (BlechannelError, OSError) as error:
        yield fail(subject, str(error), "restore the file from a copy, or move it away and pair again")
    else:
        yield ok(subject, f"{len(book.bonds)} in {path}")
        for finding in contents(subject, book, now_unix_s):
            yield finding


def others_may_read(path: Path) -> bool:
    """Whether the mode lets anybody but the owner in; False where files have no such mode."""
    return os.name == "posix" and bool(stat.S_IMODE(path.stat().st_mode) & 0o077)


def contents(subject: str, book: BondBook, now_unix_s: float) -> list[Finding]:
    """What is odd about the bonds."""
    findings = []
    pending = sum(bond.pending for bond in book.bonds.values())
    if pending:
        advice = "connect once: that confirms it; or forget it and pair again"
        findings.append(warn(subject, f"{pending} not confirmed by the watch", advice))
    if any(bond.last_seen_s > now_unix_s + DAY_S for bond in book.bonds.values()):
        findings.append(warn(subject, "one was last seen in the future", "set this machine's clock"))
    return findings
