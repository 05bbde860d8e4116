"""A bond store's passphrase, made by the machine and kept in the operating system's keyring.

The keyring is asked by the file's full path: a file that is moved needs its passphrase moved too.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from blechannel.errors import MissingExtra, StoreError, WrongPassphrase

SERVICE: Final = "blechannel"
PASSPHRASE_BYTES: Final = 32


async def keyring_passphrase(
    path: str | os.PathLike[str], *, make: bool = False, random: Callable[[int], bytes] = os.urandom
) -> str:
    """The passphrase that the keyring has for this bond store; one that is there is never replaced.

    Where it has none, one is made and kept if there is no such file yet, or with `make`, which is how a file
    without a passphrase gets one: `await store.change_passphrase(await keyring_passphrase(path, make=True))`.

    Raises:
        MissingExtra: the package `keyring` is not installed.
        WrongPassphrase: there is a file, but the keyring has no passphrase for it.
        StoreError: there is no keyring, or it does not answer or does not keep what it is given.
    """
    return await asyncio.to_thread(_recall_or_make, _entry(path), make, random)


async def forget_keyring_passphrase(path: str | os.PathLike[str]) -> None:
    """Take the passphrase of this bond store out of the keyring; without it the file's secrets are lost.

    Raises:
        MissingExtra: the package `keyring` is not installed.
        StoreError: there is no keyring, it does not answer, or it has no such passphrase.
    """
    await asyncio.to_thread(_forget, _entry(path))


def _entry(path: str | os.PathLike[str]) -> str:
    return str(Path(path).resolve())


def _recall_or_make(entry: str, make: bool, random: Callable[[int], bytes]) -> str:
    with _faults_of(entry):
        import keyring

        known = keyring.get_password(SERVICE, entry)
        if known is not None:
            return known
        if not make and _has_content(Path(entry)):
            raise WrongPassphrase("the keyring has no passphrase for this bond store; was it moved here?", entry)
        keyring.set_password(SERVICE, entry, random(PASSPHRASE_BYTES).hex())
        # Relied on only when it can be had again: some keyrings take everything and keep nothing.
        kept = keyring.get_password(SERVICE, entry)
        if kept is None:
            raise StoreError("this keyring keeps nothing; choose another one, or a passphrase", entry)
        return kept


def _forget(entry: str) -> None:
    with _faults_of(entry):
        import keyring

        keyring.delete_password(SERVICE, entry)


def _has_content(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


@contextmanager
def _faults_of(entry: str) -> Iterator[None]:
    try:
        from keyring.errors import KeyringError
    except ImportError as error:
        raise MissingExtra("keyring", "Keeping a passphrase in the keyring") from error
    try:
        yield
    except KeyringError as error:
        advice = "unlock or set up the keyring of this system, or give a passphrase"
        raise StoreError(f"the keyring does not help ({error}); {advice}", entry) from error
