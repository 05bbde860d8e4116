"""Secrets under a passphrase: Argon2id (RFC 9106) makes the key, ChaCha20-Poly1305 seals each value.

What a sealed value is bound to (store, row, column) is its associated data, so that none can be moved to another
place. Whoever can write the file can still put an older value back in its place: that is what the ratchet notices.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import field
from typing import Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from blechannel.errors import WrongPassphrase
from blechannel.values import dataclass

SALT_BYTES: Final = 16
NONCE_BYTES: Final = 12
CHECK_COLUMN: Final = "check"
LABEL: Final = b"blechannel/1 sealed"


@dataclass(frozen=True, slots=True)
class KdfCost:
    """What it costs to try a passphrase; the default is RFC 9106's second recommendation.

    Raises:
        ValueError: outside the bounds. They hold before memory is taken, because the file names the cost.
    """

    iterations: int = 3
    lanes: int = 4
    memory_kib: int = 64 * 1024

    def __post_init__(self) -> None:
        if not (1 <= self.iterations <= 16 and 1 <= self.lanes <= 8):
            raise ValueError("Argon2id takes 1 to 16 iterations and 1 to 8 lanes here")
        if not 8 * self.lanes <= self.memory_kib <= 256 * 1024:
            raise ValueError("Argon2id takes 8 KiB a lane to 256 MiB here")


class Sealer(Protocol):
    """Turns secrets into what is stored, and back. `row` is a bond's identity, empty for the store itself."""

    def seal(self, secret: bytes, row: bytes, column: str, /) -> bytes:
        """What to store for `secret`."""

    def unseal(self, stored: bytes, row: bytes, column: str, /) -> bytes:
        """The secret again. Raises ValueError where `stored` was not sealed for this place."""


class Unsealed:
    """Secrets are stored as they are."""

    def seal(self, secret: bytes, _row: bytes, _column: str, /) -> bytes:
        """See `Sealer.seal`."""
        return secret

    def unseal(self, stored: bytes, _row: bytes, _column: str, /) -> bytes:
        """See `Sealer.unseal`."""
        return stored


class Sealed:
    """Secrets are stored as nonce ‖ ciphertext ‖ tag under a 32-byte key."""

    def __init__(self, key: bytes, store_id: bytes, random: Callable[[int], bytes]) -> None:
        self._cipher = ChaCha20Poly1305(key)
        self._store_id = store_id
        self._random = random

    def seal(self, secret: bytes, row: bytes, column: str, /) -> bytes:
        """See `Sealer.seal`. A fresh nonce each time."""
        nonce = self._random(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret, self._place(row, column))

    def unseal(self, stored: bytes, row: bytes, column: str, /) -> bytes:
        """See `Sealer.unseal`."""
        nonce, sealed = stored[:NONCE_BYTES], stored[NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, sealed, self._place(row, column))
        except InvalidTag:
            raise ValueError(f"the sealed {column} was not made for this place") from None

    def _place(self, row: bytes, column: str) -> bytes:
        return LABEL + bytes([len(self._store_id)]) + self._store_id + bytes([len(row)]) + row + column.encode()


@dataclass(frozen=True, slots=True)
class Lock:
    """What the file keeps of a passphrase: how to make the key from it, and how to tell a wrong one."""

    salt: bytes
    cost: KdfCost
    check: bytes = field(default=b"", repr=False)

    def key(self, passphrase: str) -> bytes:
        """32 bytes. Takes a good part of a second, and the memory of `cost`."""
        # A passphrase typed on another system may come in another normal form of Unicode.
        typed = unicodedata.normalize("NFC", passphrase).encode("utf-8", "surrogatepass")
        cost = self.cost
        return Argon2id(
            salt=self.salt,
            length=32,
            iterations=cost.iterations,
            lanes=cost.lanes,
            memory_cost=cost.memory_kib,
        ).derive(typed)


@dataclass(frozen=True, slots=True)
class Seal:
    """How a store's secrets are kept: under a lock, or as they are."""

    lock: Lock | None
    sealer: Sealer


def new_seal(passphrase: str | None, store_id: bytes, *, cost: KdfCost, random: Callable[[int], bytes]) -> Seal:
    """A seal with a fresh salt; secrets stay as they are where `passphrase` is None."""
    if passphrase is None:
        return Seal(None, Unsealed())
    return Seal(*new_lock(passphrase, store_id, cost=cost, random=random))


def new_lock(passphrase: str, store_id: bytes, *, cost: KdfCost, random: Callable[[int], bytes]) -> tuple[Lock, Sealed]:
    """A lock with a fresh salt, and what seals under it; both are of the store, or file, of that identity."""
    salt = random(SALT_BYTES)
    sealer = Sealed(Lock(salt, cost).key(passphrase), store_id, random)
    return Lock(salt, cost, sealer.seal(b"", b"", CHECK_COLUMN)), sealer


def open_lock(lock: Lock, passphrase: str, store_id: bytes, *, random: Callable[[int], bytes]) -> Sealed | None:
    """What was sealed under the lock; None where the passphrase is another one."""
    sealer = Sealed(lock.key(passphrase), store_id, random)
    try:
        sealer.unseal(lock.check, b"", CHECK_COLUMN)
    except ValueError:
        return None
    return sealer


def open_seal(lock: Lock | None, passphrase: str | None, store_id: bytes, *, random: Callable[[int], bytes]) -> Seal:
    """The seal that a file names.

    Raises:
        WrongPassphrase: the file was sealed under another one, or under none.
    """
    if lock is None:
        if passphrase is not None:
            raise WrongPassphrase("this bond store has no passphrase; open it without, then change_passphrase")
        return Seal(None, Unsealed())
    if passphrase is None:
        raise WrongPassphrase("this bond store is under a passphrase; open it with that")
    sealer = open_lock(lock, passphrase, store_id, random=random)
    if sealer is None:
        raise WrongPassphrase("the passphrase does not open this bond store; try again")
    return Seal(lock, sealer)
