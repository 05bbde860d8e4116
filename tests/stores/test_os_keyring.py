"""Passphrases in the keyring, with a keyring of the library's own kind."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail, null
from keyring.errors import KeyringLocked, PasswordDeleteError

from blechannel.errors import MissingExtra, StoreError, WrongPassphrase
from blechannel.stores.os_keyring import forget_keyring_passphrase, keyring_passphrase
from tests.stores.made_stores import open_watch


class MemoryKeyring(KeyringBackend):
    """Keeps passphrases as long as the test runs."""

    priority = 1

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.kept.pop((service, username), None) is None:
            raise PasswordDeleteError("not there")


class LockedKeyring(MemoryKeyring):
    """The person did not unlock it."""

    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked(f"{service} {username}: locked")


@pytest.fixture
def memory() -> Iterator[MemoryKeyring]:
    before = keyring.get_keyring()
    keyring.set_keyring(made := MemoryKeyring())
    yield made
    keyring.set_keyring(before)


async def test_a_new_store_gets_a_passphrase_that_opens_it_again(path: Path, memory: MemoryKeyring) -> None:
    made = await keyring_passphrase(path)
    assert len(bytes.fromhex(made)) == 32
    assert memory.kept == {("blechannel", str(path.resolve())): made}
    for _ in range(2):
        store = await open_watch(path, await keyring_passphrase(path))
        await store.close()


@pytest.mark.usefixtures("memory")
async def test_each_store_has_its_own(path: Path) -> None:
    assert await keyring_passphrase(path) != await keyring_passphrase(path.with_name("other.db"))


async def test_no_passphrase_is_made_up_for_a_file_that_is_there(path: Path, memory: MemoryKeyring) -> None:
    await (await open_watch(path, "typed")).close()
    with pytest.raises(WrongPassphrase, match="moved"):
        await keyring_passphrase(path)
    assert not memory.kept


@pytest.mark.usefixtures("memory")
async def test_a_store_can_be_put_under_the_keyring(path: Path) -> None:
    async with await open_watch(path) as store:
        await store.change_passphrase(await keyring_passphrase(path, make=True))
    store = await open_watch(path, await keyring_passphrase(path, make=True))
    await store.close()


async def test_a_passphrase_can_be_forgotten(path: Path, memory: MemoryKeyring) -> None:
    await keyring_passphrase(path)
    await forget_keyring_passphrase(path)
    assert not memory.kept
    with pytest.raises(StoreError, match="not there"):
        await forget_keyring_passphrase(path)


@pytest.mark.usefixtures("memory")
@pytest.mark.parametrize(
    ("backend", "says"),
    [(fail.Keyring, "set up the keyring"), (null.Keyring, "keeps nothing"), (LockedKeyring, "unlock")],
    ids=["none", "keeps nothing", "locked"],
)
async def test_a_keyring_that_does_not_work_is_said_so(
    path: Path, backend: Callable[[], KeyringBackend], says: str
) -> None:
    keyring.set_keyring(backend())
    with pytest.raises(StoreError, match=says) as caught:
        await keyring_passphrase(path)
    assert caught.value.path == str(path.resolve())


async def test_without_the_package_the_extra_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring.errors", None)
    with pytest.raises(MissingExtra, match=r"blechannel\[keyring\]"):
        await keyring_passphrase(path)
    with pytest.raises(MissingExtra):
        await forget_keyring_passphrase(path)
