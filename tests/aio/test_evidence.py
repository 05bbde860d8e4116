"""Copied bonds and lost ones: what each side shows, on what evidence, and that nothing is deleted or tried again."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from blechannel.aio.phone import Phone
from blechannel.aio.watch import CopyDetected, Declined, Watch
from blechannel.config import Config, Policy
from blechannel.errors import BondNotFound, PairingRefused, StoreError
from blechannel.methods import Assurance
from blechannel.pairing.bonds import Bond, BondBook
from blechannel.pairing.changes import Change, MarkNotRecognised, StorePending
from blechannel.stores.memory import MemoryStore
from blechannel.transports.virtual_time import run_virtual
from tests.aio.rooms import House, bond_of, happened, house, typing
from tests.pairing.made_bonds import bond


def only(phone: Phone) -> Bond:
    [bond] = phone.store.book.bonds.values()
    return bond


async def copied(h: House) -> tuple[Watch, Phone, Phone]:
    """A watch, its phone, and a thief with a copy of the phone's store that the phone has overtaken."""
    watch, phone = await h.add_watch(), await h.add_phone()
    await (await h.pair(phone, watch)).close()
    copy = MemoryStore(phone.store.book)
    for _ in range(2):
        await (await phone.connect(await h.seen(phone, watch))).close()
    return watch, phone, await h.add_phone(copy)


def test_the_use_of_a_copy_is_shown_on_the_watch_and_stays_on_the_bond() -> None:
    async def main() -> None:
        async with house() as h:
            watch, _, thief = await copied(h)
            with pytest.raises(PairingRefused, match="not recognised"):
                await thief.connect(await h.seen(thief, watch))
            event = await happened(watch, CopyDetected)
            assert isinstance(event, CopyDetected)
            assert event.bond == bond_of(watch, "phone-1")
            assert event.bond.copied_s is not None
            assert isinstance(await happened(watch, Declined), Declined)
            assert only(thief).copied_s is None

    run_virtual(main())


def test_the_phone_says_copied_once_its_watch_has_told_it(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with house() as h:
            watch, phone, thief = await copied(h)
            with pytest.raises(PairingRefused):
                await thief.connect(await h.seen(thief, watch))
            with caplog.at_level(logging.WARNING, "blechannel"):
                channel = await phone.connect(await h.seen(phone, watch))
                await channel.close()
            assert "was copied" in caplog.text
            assert channel.bond.copied_s is not None

    run_virtual(main())


def test_a_phone_that_was_overtaken_by_its_copy_says_not_recognised_and_never_copied() -> None:
    async def main() -> None:
        async with house() as h:
            watch, phone = await h.add_watch(), await h.add_phone()
            await (await h.pair(phone, watch)).close()
            thief = await h.add_phone(MemoryStore(phone.store.book))
            for _ in range(2):
                await (await thief.connect(await h.seen(thief, watch))).close()
            with pytest.raises(PairingRefused, match="not recognised"):
                await phone.connect(await h.seen(phone, watch))
            assert only(phone).copied_s is None
            assert only(phone).not_recognised_s is not None
            assert bond_of(watch, "phone-1").copied_s is not None

    run_virtual(main())


def test_a_bond_that_the_watch_has_lost_is_dated_kept_and_not_tried_by_itself() -> None:
    async def main() -> None:
        async with house() as h:
            watch, phone = await h.add_watch(), await h.add_phone()
            await (await h.pair(phone, watch)).close()
            found, bond = await h.seen(phone, watch), only(phone)
            await watch.members.factory_reset()
            for _ in range(2):
                with pytest.raises(PairingRefused, match="not recognised"):
                    await phone.connect(found)
            assert only(phone).bond_id == bond.bond_id
            assert only(phone).not_recognised_s is not None
            declined = [event for event in _drain(watch) if isinstance(event, Declined)]
            assert len(declined) == 2

    run_virtual(main())


def test_a_refusal_for_another_reason_does_not_say_that_the_bond_is_unknown() -> None:
    async def main() -> None:
        async with house() as h:
            watch, phone = await h.add_watch(), await h.add_phone()
            await (await h.pair(phone, watch)).close()
            await watch.close()
            policy = Policy(min_assurance=Assurance.COMPARED)
            strict = Watch(watch.store, h.air.watch(), config=Config("strict", policy=policy), world=h.world)
            async with strict:
                with pytest.raises(PairingRefused) as refused:
                    await phone.connect(await phone.find())
            assert refused.value.reason == "unsupported"
            assert only(phone).not_recognised_s is None

    run_virtual(main())


def test_a_bond_that_works_again_is_recognised_again() -> None:
    async def main() -> None:
        async with house() as h:
            watch, phone = await h.add_watch(), await h.add_phone()
            await (await h.pair(phone, watch)).close()
            await phone.store.apply(MarkNotRecognised(only(phone).bond_id))
            await phone.connect(await h.seen(phone, watch))
            assert only(phone).not_recognised_s is None

    run_virtual(main())


def test_pairing_again_keeps_the_old_bond_until_the_new_one_stands() -> None:
    async def main() -> None:
        async with house() as h:
            watch, phone = await h.add_watch(), await h.add_phone()
            await (await h.pair(phone, watch)).close()
            old = only(phone)
            found = await h.seen(phone, watch)
            with pytest.raises(PairingRefused, match="not open for pairing"):
                await phone.pair(found, typing(lambda: "000000"))
            assert only(phone) == old
            await (await h.pair(phone, watch)).close()
            assert only(phone).bond_id != old.bond_id
            assert not only(phone).pending

    run_virtual(main())


def test_that_a_pending_bond_is_not_recognised_is_expected_and_leaves_no_mark() -> None:
    async def main() -> None:
        async with house() as h:
            watch, phone = await h.add_watch(), await h.add_phone()
            await phone.store.apply(StorePending(replace(bond(1), pending=True), gives_back_guess=False))
            for _ in range(2):
                with pytest.raises(PairingRefused, match="not recognised"):
                    await phone.connect(await h.seen(phone, watch))
            assert only(phone).pending
            assert only(phone).not_recognised_s is None

    run_virtual(main())


def test_a_pairing_again_that_was_cut_off_leaves_no_mark_and_the_old_bond_in_use() -> None:
    async def main() -> None:
        async with house() as h:
            watch, phone = await h.add_watch(), await h.add_phone()
            await (await h.pair(phone, watch)).close()
            again = replace(bond(1), pending=True, replaces=only(phone).bond_id)
            await phone.store.apply(StorePending(again, gives_back_guess=False))
            assert (await phone.connect(await h.seen(phone, watch))).is_open
            assert [each.not_recognised_s for each in phone.store.book.bonds.values()] == [None, None]

    run_virtual(main())


def test_what_a_pairing_has_left_keeps_a_phone_from_its_own_watch_no_more_than_once() -> None:
    """A neighbour's watch is seen first and, for all the phone knows, may have stored the pending bond."""

    async def main() -> None:
        async with house() as h:
            neighbours, own, phone = await h.add_watch(), await h.add_watch(), await h.add_phone()
            await (await h.pair(phone, own)).close()
            await phone.store.apply(StorePending(replace(bond(1), pending=True), gives_back_guess=False))
            seen = [await phone.find()]
            with pytest.raises((PairingRefused, BondNotFound)):
                await phone.connect(seen[0])
            seen.append(await phone.find())
            assert [found.address for found in seen] == ["watch-1", "watch-2"]
            assert (await phone.connect(seen[1])).is_open
            assert not neighbours.channels

    run_virtual(main())


class Grudging(MemoryStore):
    """A store that takes everything but the mark of a refusal."""

    async def apply(self, change: Change) -> BondBook:
        if isinstance(change, MarkNotRecognised):
            raise StoreError("disk full")
        return await super().apply(change)


def test_a_refusal_is_told_even_where_it_cannot_be_kept() -> None:
    async def main() -> None:
        async with house() as h:
            watch, phone = await h.add_watch(), await h.add_phone(Grudging())
            await (await h.pair(phone, watch)).close()
            found = await h.seen(phone, watch)
            await watch.members.factory_reset()
            with pytest.raises(PairingRefused, match="not recognised"):
                await phone.connect(found)

    run_virtual(main())


def _drain(watch: Watch) -> list[object]:
    reader = watch._events.join()
    events: list[object] = [reader.get_nowait() for _ in range(reader.qsize())]
    watch._events.leave(reader)
    return events
