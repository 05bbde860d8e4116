"""Whose file this is: made so that only its owner reads it, held by one store at a time, recognised before use."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path
from typing import Final

from blechannel.errors import StoreError, StoreLocked
from blechannel.stores.schema import APPLICATION_ID
from blechannel.values import dataclass

OWNER_ONLY: Final = 0o600
EVERYONE_ELSE: Final = 0o077
HEADER_BYTES: Final = 100
MAGIC: Final = b"SQLite format 3\0"

FileIdentity = tuple[int, int]


@dataclass(frozen=True, slots=True)
class FileKind:
    """What a file is, for people, and SQLite's mark of it."""

    name: str
    application_id: int


BOND_STORE: Final = FileKind("bond store", APPLICATION_ID)

_held: set[FileIdentity] = set()
_holding = threading.Lock()


def claim(path: Path, kind: FileKind = BOND_STORE) -> FileIdentity:
    """Make the file where there is none, and hold it for one store of this process.

    POSIX drops all of a process's locks on a file as soon as the process closes any descriptor of it; so once a
    store has it open, nothing else here may even look inside. SQLite's own lock keeps other processes out.

    Raises:
        StoreLocked: another store of this process holds the file.
        StoreError: there is no file and none can be made.
    """
    with _holding:
        try:
            identity = _make_or_find(path)
        except OSError as error:
            raise StoreError(f"the {kind.name} cannot be opened ({error.strerror})", str(path)) from error
        if identity in _held:
            raise StoreLocked(f"this program has the {kind.name} open already; close that one first", str(path))
        _held.add(identity)
        return identity


def release(identity: FileIdentity) -> None:
    """Let another store hold the file."""
    with _holding:
        _held.discard(identity)


def recognise(path: Path, kind: FileKind = BOND_STORE) -> None:
    """Check that the file is empty or one of ours, then that nobody but its owner may read it.

    A file of ours that others may read is closed to them when we own it, and refused when we do not.

    Raises:
        StoreError: what the file is instead, or that it cannot be read; not a byte of it was changed.
    """
    try:
        # Opening a pipe would wait for its other end.
        _require(stat.S_ISREG(path.stat().st_mode), "this is no file", path)
        # For writing too: SQLite would fall back to reading, and fail later with a riddle.
        with path.open("r+b") as file:
            _check_header(file.read(HEADER_BYTES), path, kind)
            _close_to_others(file.fileno(), path, kind)
    except OSError as error:
        advice = "check who owns it and what its folder allows"
        raise StoreError(f"the {kind.name} cannot be used ({error.strerror}); {advice}", str(path)) from error


def _make_or_find(path: Path) -> FileIdentity:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    except FileExistsError:
        found = path.stat()
        return found.st_dev, found.st_ino
    try:
        if os.name == "posix":  # a umask may have taken the owner's own rights away
            os.fchmod(descriptor, OWNER_ONLY)
        made = os.fstat(descriptor)
        return made.st_dev, made.st_ino
    finally:
        os.close(descriptor)


def _check_header(header: bytes, path: Path, kind: FileKind) -> None:
    if not header:
        return
    advice = "choose another path, or move this file away"
    # After the size of a page: how to write and to read the file, 1 = with a journal, 2 = with a log.
    whole = len(header) == HEADER_BYTES and header.startswith(MAGIC) and header[18:20] in (b"\1\1", b"\2\2")
    _require(whole, f"this is no {kind.name}, or one that is damaged; {advice}", path)
    ours = int.from_bytes(header[68:72]) == kind.application_id
    _require(ours, f"this is the database of another program; {advice}", path)


def _close_to_others(descriptor: int, path: Path, kind: FileKind) -> None:
    if os.name != "posix":
        return
    status = os.fstat(descriptor)
    if not status.st_mode & EVERYONE_ELSE:
        return
    advice = f"its owner can close it: chmod 600 {path}"
    _require(status.st_uid == os.geteuid(), f"others may read this {kind.name}; {advice}", path)
    os.fchmod(descriptor, OWNER_ONLY)


def _require(fits: bool, what: str, path: Path) -> None:
    if not fits:
        raise StoreError(what, str(path))
