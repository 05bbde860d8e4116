"""The target that is a file: a bond store that somebody else may have written."""

from __future__ import annotations

import asyncio
import os
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

from blechannel.errors import StoreError
from blechannel.pairing.changes import StoreBond
from blechannel.roles import Role
from blechannel.stores.bond_file import BondFile, Opening
from tests.fuzz.reading import Reader
from tests.stores.made_stores import CHEAP, full_watch_bond, open_watch

IS_WHOLE_FILE = 0xFF


def store(script: bytes) -> None:
    """A store with bytes changed at places that the script names, cut off where it says; or a file of its own."""
    steps = Reader(script)
    content = steps.rest() if steps.u8() == IS_WHOLE_FILE else _edited(_good_store(), steps)
    path = _folder() / "bonds.db"
    path.write_bytes(content)
    with suppress(StoreError):
        opened = BondFile(Opening(path=path, role=Role.WATCH, passphrase=None, cost=CHEAP, random=os.urandom))
        opened.close()
        path.unlink()
        return
    assert path.read_bytes() == content
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def _edited(whole: bytes, steps: Reader) -> bytes:
    content = bytearray(whole[: len(whole) - steps.u8() ** 2])
    while steps:
        at, new = steps.u16() % len(whole), steps.take(1 + steps.u8() % 16)
        content[at : at + len(new)] = new
    return bytes(content)


@cache
def _folder() -> Path:
    # In memory where the system has such a folder: each run writes a file.
    where = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    return Path(_keep(tempfile.TemporaryDirectory(dir=where)).name)


@cache
def _keep(folder: tempfile.TemporaryDirectory[str]) -> tempfile.TemporaryDirectory[str]:
    return folder


@cache
def _good_store() -> bytes:
    async def make() -> None:
        async with await open_watch(path) as made:
            await made.apply(StoreBond(full_watch_bond(1), gives_back_guess=False))

    path = _folder() / "bonds.db"
    asyncio.run(make())
    whole = path.read_bytes()
    path.unlink()
    return whole
