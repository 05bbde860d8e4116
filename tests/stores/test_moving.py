"""A bond that has moved works on the new phone alone, and who uses a copy of the file is noticed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from blechannel.aio.watch import CopyDetected
from blechannel.errors import BondNotFound, PairingRefused
from blechannel.stores.memory import MemoryStore
from blechannel.stores.transfer_file import export_bonds, import_bonds
from tests.aio.rooms import bond_of, happened, house
from tests.stores.made_stores import CHEAP

PASSPHRASE = "correct horse battery"


async def test_the_new_phone_is_known_and_the_old_one_is_not(tmp_path: Path) -> None:
    async with house() as h:
        watch, old, new = await h.add_watch(), await h.add_phone(), await h.add_phone()
        await (await h.pair(old, watch)).close()
        await export_bonds(old.store, tmp_path / "moving", passphrase=PASSPHRASE, cost=CHEAP)
        await import_bonds(new.store, tmp_path / "moving", passphrase=PASSPHRASE)
        found = await new.find()
        assert found.bond is not None
        assert (await new.connect(found)).resumed
        with pytest.raises(BondNotFound):
            await old.connect(await h.seen(old, watch))
        owner = watch.members.owner
        assert owner is not None
        assert owner.peer_name == "phone-1"


async def test_exporting_ends_the_channels_of_what_has_moved(tmp_path: Path) -> None:
    async with house() as h:
        watch, old = await h.add_watch(), await h.add_phone()
        channel = await h.pair(old, watch)
        await export_bonds(old.store, tmp_path / "moving", passphrase=PASSPHRASE, cost=CHEAP)
        old.book_changed()
        await channel.wait_over()
        assert channel.error is not None


async def test_a_second_phone_from_the_same_file_is_not_recognised_and_the_watch_has_evidence(tmp_path: Path) -> None:
    async with house() as h:
        watch, old, first = await h.add_watch(), await h.add_phone(), await h.add_phone()
        second = await h.add_phone(MemoryStore())
        await (await h.pair(old, watch)).close()
        await export_bonds(old.store, tmp_path / "moving", passphrase=PASSPHRASE, cost=CHEAP)
        shutil.copy(tmp_path / "moving", tmp_path / "copy")
        await import_bonds(first.store, tmp_path / "moving", passphrase=PASSPHRASE)
        await import_bonds(second.store, tmp_path / "copy", passphrase=PASSPHRASE)
        for _ in range(2):
            await (await first.connect(await h.seen(first, watch))).close()
        with pytest.raises(PairingRefused, match="copied or moved"):
            await second.connect(await h.seen(second, watch))
        event = await happened(watch, CopyDetected)
        assert isinstance(event, CopyDetected)
        assert event.bond == bond_of(watch, "phone-1")
        [overtaken] = second.store.book.bonds.values()
        assert overtaken.not_recognised_s is not None
        assert overtaken.copied_s is None
