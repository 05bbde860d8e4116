"""Passphrases: what is under them, what opens them, and that no file makes us pay more than we allow."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from blechannel.errors import LocalProtocolError, StoreError, WrongPassphrase
from blechannel.pairing.bonds import BondBook
from blechannel.pairing.changes import SetDiscoveryKey, StoreBond
from blechannel.roles import Role
from blechannel.stores.rows import SECRET_COLUMNS
from blechannel.stores.sealing import KdfCost, Sealed
from tests.pairing.made_bonds import bond, key
from tests.stores.made_stores import edit, full_watch_bond, open_watch, raw_bytes, secrets_of

TYPED = "correct horse"


async def make_sealed(path: Path, passphrase: str | None = TYPED) -> BondBook:
    async with await open_watch(path, passphrase=passphrase) as store:
        await store.apply(SetDiscoveryKey(key("discovery")))
        await store.apply(StoreBond(bond(2, Role.WATCH), gives_back_guess=False))
        return await store.apply(StoreBond(full_watch_bond(1), gives_back_guess=False))


async def read(path: Path, passphrase: str | None = TYPED) -> BondBook:
    async with await open_watch(path, passphrase=passphrase) as store:
        return store.book


async def test_the_passphrase_opens_what_it_sealed(path: Path) -> None:
    assert await read(path) == BondBook()
    sealed = await make_sealed(path)
    assert await read(path) == sealed


async def test_no_secret_is_in_the_file_and_the_names_are(path: Path) -> None:
    sealed = await make_sealed(path)
    stored = raw_bytes(path)
    assert not [secret for secret in secrets_of(sealed) if secret in stored]
    assert sealed.bonds[bond(1).bond_id].peer_name.encode() in stored


async def test_without_a_passphrase_secrets_are_stored_as_they_are(path: Path) -> None:
    """The negative control of the test above."""
    plain = await make_sealed(path, None)
    stored = raw_bytes(path)
    assert all(secret in stored for secret in secrets_of(plain))


@pytest.mark.parametrize("typed", ["Correct horse", None], ids=["wrong", "none"])
async def test_another_passphrase_is_wrong_not_damage(path: Path, typed: str | None) -> None:
    await make_sealed(path)
    with pytest.raises(WrongPassphrase) as caught:
        await read(path, typed)
    assert caught.value.path == str(path)


async def test_a_passphrase_for_a_file_that_has_none_is_refused(path: Path) -> None:
    """To open it would make people believe that it is sealed."""
    await make_sealed(path, None)
    with pytest.raises(WrongPassphrase, match="has no passphrase"):
        await read(path, TYPED)


async def test_an_empty_passphrase_is_refused(path: Path) -> None:
    with pytest.raises(LocalProtocolError, match="empty"):
        await open_watch(path, passphrase="")
    assert not path.exists()
    async with await open_watch(path) as store:
        with pytest.raises(LocalProtocolError, match="empty"):
            await store.change_passphrase("")


async def test_one_passphrase_in_two_normal_forms_is_the_same(path: Path) -> None:
    sealed = await make_sealed(path, "Stra\u00dfe \u00e9")
    assert await read(path, "Stra\u00dfe e\u0301") == sealed


@pytest.mark.parametrize("before", [None, "old"])
@pytest.mark.parametrize("after", [None, "new"])
async def test_the_passphrase_can_be_changed(path: Path, before: str | None, after: str | None) -> None:
    book = await make_sealed(path, before)
    async with await open_watch(path, passphrase=before) as store:
        await store.change_passphrase(after)
        in_the_clear = [secret for secret in secrets_of(book) if secret in raw_bytes(path)]
        assert in_the_clear == ([] if after else secrets_of(book))
        book = await store.apply(StoreBond(bond(3, Role.WATCH), gives_back_guess=False))
    assert await read(path, after) == book
    with pytest.raises(WrongPassphrase):
        await read(path, "something else")


async def test_a_sealed_value_is_of_no_use_in_another_place(path: Path) -> None:
    """Every secret of bond 1 is put in the place of bond 2's, then in each other column."""
    sealed = await make_sealed(path)
    own = sealed.bonds[bond(1).bond_id].bond_id
    moves = [
        f"UPDATE bonds SET {column} = (SELECT {column} FROM bonds WHERE bond_id = x'{own.hex()}')"
        for column in SECRET_COLUMNS
    ]
    moves += [
        f"UPDATE bonds SET {column} = {other}"
        for column in SECRET_COLUMNS
        for other in SECRET_COLUMNS
        if other != column
    ]
    moves += ["UPDATE store SET discovery_key = (SELECT discovery_key FROM bonds LIMIT 1)"]
    whole = path.read_bytes()
    for move in moves:
        edit(path, move)
        with pytest.raises(StoreError, match="not made for this place"):
            await read(path)
        path.write_bytes(whole)
    assert await read(path) == sealed


async def test_a_sealed_value_is_of_no_use_in_another_store(path: Path) -> None:
    await make_sealed(path)
    edit(path, "UPDATE store SET store_id = zeroblob(16)")
    with pytest.raises(WrongPassphrase):
        await read(path)


@pytest.mark.parametrize("column", [*SECRET_COLUMNS, "discovery_key"])
@pytest.mark.parametrize("value", ["x''", "zeroblob(11)", "zeroblob(20)", "zeroblob(60)"])
async def test_what_was_never_sealed_is_damage(path: Path, column: str, value: str) -> None:
    await make_sealed(path)
    edit(path, f"UPDATE bonds SET {column} = {value}")
    with pytest.raises(StoreError, match="damaged"):
        await read(path)


@pytest.mark.parametrize(
    "cost",
    [
        "kdf_memory_kib = 100 * 1024 * 1024",
        "kdf_memory_kib = 7",
        "kdf_iterations = 17",
        "kdf_iterations = 0",
        "kdf_iterations = -1",
        "kdf_lanes = 9",
        "kdf_lanes = 0",
        "kdf_lanes = 8, kdf_memory_kib = 63",
        "kdf_lanes = 'many'",
        "kdf_iterations = NULL",
        "kdf_salt = zeroblob(15)",
        "kdf_check = NULL",
    ],
)
async def test_a_file_cannot_name_a_cost_beyond_the_bounds(path: Path, cost: str) -> None:
    await make_sealed(path)
    edit(path, f"UPDATE store SET {cost}")
    with pytest.raises(StoreError, match="damaged") as caught:
        await read(path)
    assert not isinstance(caught.value, WrongPassphrase)


def test_the_usual_cost_is_the_recommended_one() -> None:
    """RFC 9106, section 4: the second recommended option."""
    assert KdfCost() == KdfCost(iterations=3, lanes=4, memory_kib=2**16)


def test_each_seal_takes_a_fresh_nonce() -> None:
    sealer = Sealed(key("key"), bytes(16), os.urandom)
    assert sealer.seal(b"secret", b"row", "column") != sealer.seal(b"secret", b"row", "column")
