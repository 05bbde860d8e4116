"""A file that moves a phone's bonds to another phone, under a passphrase.

`export_bonds` moves and does not copy: the file is on the disk first, then the old phone forgets the bonds in one
change, so that two phones never use one bond. Who keeps a copy of the file and uses it is noticed by the ratchet
(protocol, "Reconnect"). Format: a header in the clear (what this is, what a passphrase costs to try, a salt, the
file's identity, a check of the passphrase), then the bonds, sealed and bound to the header.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import stat
import struct
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from blechannel.errors import BondError, LocalProtocolError, StoreError, WrongPassphrase
from blechannel.pairing.bonds import Bond
from blechannel.pairing.changes import BondStore, MoveIn, MoveOut
from blechannel.roles import Role
from blechannel.stores.packed_bonds import pack_bonds, unpack_bonds
from blechannel.stores.private_file import write_private
from blechannel.stores.sealing import KdfCost, Lock, new_lock, open_lock
from blechannel.values import dataclass

MAGIC: Final = b"blechannel bonds"
VERSION: Final = 1
COLUMN: Final = "bonds"
FILE_ID_BYTES: Final = 16
MAX_FILE_BYTES: Final = 1 << 16
"""More than 16 bonds need; a longer file is refused before it is read."""
_HEADER: Final = struct.Struct(">16sBBBI16s16s28s")
"""Magic, version, iterations, lanes, KiB of memory, salt, the file's identity, the passphrase's check."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What was moved."""

    bonds: tuple[Bond, ...]
    file_remains: bool
    """Import: whether the file could not be removed. Who finds it needs the passphrase, and is noticed."""


async def export_bonds(
    store: BondStore,
    path: str | os.PathLike[str],
    *,
    passphrase: str,
    cost: KdfCost | None = None,
    random: Callable[[int], bytes] = secrets.token_bytes,
) -> Moved:
    """Move every bond of a phone's store into a new file, mode 0600; no channel may be open under them.

    Raises:
        LocalProtocolError: the passphrase is empty.
        BondError: there is no bond, or the store is a watch's.
        BondSuperseded: a bond was used meanwhile; the file is gone again, nothing changed.
        StoreError: the file exists or cannot be written, or the store cannot; the file is gone again.
    """
    if not passphrase:
        raise LocalProtocolError("an empty passphrase protects nothing")
    bonds = tuple(store.book.bonds.values())
    if not bonds or any(bond.role is not Role.PHONE for bond in bonds):
        raise BondError("there is nothing to move: only the bonds of a phone can be, and this store has none")
    target = Path(path)
    content = await asyncio.to_thread(_seal, bonds, passphrase, cost or KdfCost(), random)
    await asyncio.to_thread(write_private, target, content)
    try:
        await store.apply(MoveOut(bonds))
    except BondError:
        with suppress(OSError):
            target.unlink()
        raise
    return Moved(bonds, file_remains=True)


async def import_bonds(store: BondStore, path: str | os.PathLike[str], *, passphrase: str) -> Moved:
    """Take over the bonds of a transfer file, all or none, and remove the file once they are durable.

    Raises:
        WrongPassphrase: another one opens this file.
        StoreError: no transfer file, a newer, cut off or damaged one, or it cannot be read.
        BondError: the store has one of the bonds already, has no room for all, or is a watch's; nothing changed.
    """
    target = Path(path)
    bonds = await asyncio.to_thread(_open, target, passphrase)
    await store.apply(MoveIn(bonds))
    with suppress(OSError):
        target.unlink()
    return Moved(bonds, file_remains=target.exists())


def _seal(bonds: Sequence[Bond], passphrase: str, cost: KdfCost, random: Callable[[int], bytes]) -> bytes:
    file_id = random(FILE_ID_BYTES)
    lock, sealer = new_lock(passphrase, file_id, cost=cost, random=random)
    price = cost.iterations, cost.lanes, cost.memory_kib
    header = _HEADER.pack(MAGIC, VERSION, *price, lock.salt, file_id, lock.check)
    return header + sealer.seal(pack_bonds(bonds), header, COLUMN)


def _open(path: Path, passphrase: str) -> tuple[Bond, ...]:
    content = _read(path)
    header, sealed = content[: _HEADER.size], content[_HEADER.size :]
    lock, file_id = _read_header(header, path)
    sealer = open_lock(lock, passphrase, file_id, random=secrets.token_bytes)
    if sealer is None:
        raise WrongPassphrase("this passphrase does not open the file, or it is damaged; try again", str(path))
    try:
        return unpack_bonds(sealer.unseal(sealed, header, COLUMN))
    except (ValueError, struct.error, BondError) as error:
        raise _damaged(error, path) from error


def _read(path: Path) -> bytes:
    try:
        # Opening a pipe would wait for its other end.
        if not stat.S_ISREG(path.stat().st_mode):
            raise StoreError("this is no file", str(path))
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise StoreError(f"the file cannot be read ({error.strerror})", str(path)) from error
    if len(content) > MAX_FILE_BYTES or not content.startswith(MAGIC):
        raise StoreError("this is no file of moved bonds; name the one that was exported", str(path))
    return content


def _read_header(header: bytes, path: Path) -> tuple[Lock, bytes]:
    """The cost is checked here, before any memory is taken: whoever wrote the file chose it."""
    if len(header) > len(MAGIC) and header[len(MAGIC)] > VERSION:
        raise StoreError("a newer blechannel made this file; update blechannel", str(path))
    try:
        _, _, iterations, lanes, memory_kib, salt, file_id, check = _HEADER.unpack(header)
        return Lock(salt, KdfCost(iterations, lanes, memory_kib), check), file_id
    except (ValueError, struct.error) as error:
        raise _damaged(error, path) from error


def _damaged(error: Exception, path: Path) -> StoreError:
    return StoreError(f"this file is cut off or damaged ({error}); export the bonds again", str(path))
