"""A phone that is removed is gone at once, cannot follow the watch any more, and takes nobody with it."""

from __future__ import annotations

import asyncio

import pytest

from blechannel.aio.phone import Phone
from blechannel.errors import BondError, BondNotFound, BondSuperseded, LinkLost, PairingRefused, WatchNotFound
from blechannel.pairing.bonds import Bond
from blechannel.stores.memory import MemoryStore
from blechannel.transports.virtual_time import run_virtual
from blechannel.wire.adverts import resolves
from tests.aio.rooms import WALL_S, House, bond_of, channel_of, house


def only(phone: Phone) -> Bond:
    [bond] = phone.store.book.bonds.values()
    return bond


async def told_newest(h: House, phone: Phone) -> None:
    """Wait until the phone has the first watch's newest key."""
    async with asyncio.timeout(5):
        while only(phone).discovery_key != h.watches[0].store.book.discovery_key:
            await asyncio.sleep(0.01)


def test_a_removed_phone_is_cut_off_in_the_same_step_and_the_others_talk_on() -> None:
    async def main() -> None:
        async with house() as h:
            watch, owner, guest = await h.add_watch(), await h.add_phone(), await h.add_phone()
            kept, removed = await h.pair(owner, watch), await h.pair(guest, watch)
            ours = channel_of(watch, "phone-2")
            await watch.members.forget(bond_of(watch, "phone-2").bond_id)
            assert not ours.is_open
            assert isinstance(ours.error, BondSuperseded)
            await removed.wait_over()
            assert isinstance(removed.error, LinkLost)
            assert kept.is_open
            await told_newest(h, owner)

    run_virtual(main())


def test_a_removed_phone_resolves_no_advertisement_and_is_not_recognised() -> None:
    async def main() -> None:
        async with house() as h:
            watch, owner, guest = await h.add_watch(), await h.add_phone(), await h.add_phone()
            await h.pair(owner, watch)
            await (await h.pair(guest, watch)).close()
            before = await h.seen(guest, watch)
            assert before.bond == only(guest)
            await watch.members.forget(bond_of(watch, "phone-2").bond_id)
            await told_newest(h, owner)
            assert (await h.seen(guest, watch)).bond is None
            assert (await h.seen(owner, watch)).bond == only(owner)
            with pytest.raises(PairingRefused, match="not recognised"):
                await guest.connect(before)
            assert only(guest).not_recognised_s is not None

    run_virtual(main())


def test_each_removal_and_each_reset_makes_a_key_that_nobody_had() -> None:
    async def main() -> None:
        async with house() as h:
            watch, other = await h.add_watch(), await h.add_watch()
            keys = [each.store.book.discovery_key for each in h.watches]
            for _ in range(3):
                await h.pair(await h.add_phone(), watch)
            for name in ("phone-3", "phone-2"):
                await watch.members.forget(bond_of(watch, name).bond_id)
                keys.append(watch.store.book.discovery_key)
            for each in (watch, other):
                await each.members.factory_reset()
                keys.append(each.store.book.discovery_key)
            assert len(set(keys)) == 6
            assert {len(key) for key in keys} == {32}

    run_virtual(main())


def test_the_advertisement_changes_with_the_key_and_with_time() -> None:
    async def main() -> None:
        async with house() as h:
            watch, owner = await h.add_watch(), await h.add_phone()
            await h.pair(owner, watch)
            scan = owner._transport.scan()
            adverts = {(await anext(scan)).service_data}
            for _ in range(3):
                await asyncio.sleep(600)
                adverts.add((await anext(scan)).service_data)
            await scan.aclose()
            assert len(adverts) == 4
            assert all(resolves(advert, only(owner).discovery_key, WALL_S) for advert in adverts)
            assert not set.intersection(*({advert[at : at + 4] for at in range(1, 10)} for advert in adverts))

    run_virtual(main())


def test_a_phone_that_was_away_finds_the_watch_although_it_lacks_the_newest_key() -> None:
    async def main() -> None:
        async with house() as h:
            watch, owner, away = await h.add_watch(), await h.add_phone(), await h.add_phone()
            gone = await h.add_phone()
            for phone in (owner, away, gone):
                await (await h.pair(phone, watch)).close()
            await watch.members.forget(bond_of(watch, "phone-3").bond_id)
            await asyncio.sleep(1)
            assert (await h.seen(away, watch)).bond is None
            channel = await away.connect(await away.find())
            assert channel.resumed
            await told_newest(h, away)
            assert (await h.seen(away, watch)).bond == only(away)

    run_virtual(main())


def test_watches_of_others_are_tried_once_and_learn_nothing_that_is_kept() -> None:
    async def main() -> None:
        async with house() as h:
            watch, owner = await h.add_watch(), await h.add_phone()
            await (await h.pair(owner, watch)).close()
            await watch.close()
            stranger = await h.add_watch()
            found = await owner.find()
            assert found.bond is None
            with pytest.raises(BondNotFound, match="somebody else's") as refused:
                await owner.connect(found)
            assert isinstance(refused.value.__cause__, PairingRefused)
            assert only(owner).not_recognised_s is None
            with pytest.raises(BondNotFound, match="no bond with that watch"):
                await owner.connect(found)
            with pytest.raises(WatchNotFound):
                await owner.find()
            assert not stranger.store.book.bonds

    run_virtual(main())


def test_at_most_four_bonds_are_tried_with_one_watch_and_the_last_used_first() -> None:
    async def main() -> None:
        clock = iter(range(100, 200))
        async with house() as h:
            phone = await h.add_phone(MemoryStore(wall_clock=lambda: float(next(clock))))
            for _ in range(6):
                watch = await h.add_watch()
                await (await h.pair(phone, watch)).close()
            stranger = await h.add_watch()
            found = await h.seen(phone, stranger)
            tried = phone._bonds_to_try(found)
            assert [bond.peer_name for bond in tried] == ["watch-6", "watch-5", "watch-4", "watch-3"]
            with pytest.raises(BondNotFound, match="somebody else's"):
                await phone.connect(found)
            assert [bond.peer_name for bond in phone._bonds_to_try(found)] == ["watch-2", "watch-1"]

    run_virtual(main())


def test_a_watch_without_a_phone_on_it_is_waited_for_before_a_stranger_is_tried() -> None:
    """Its own watch shows itself ten seconds after a stranger's: that one is found."""

    async def main() -> None:
        async with house() as h:
            watch, owner = await h.add_watch(), await h.add_phone()
            await (await h.pair(owner, watch)).close()
            await watch.close()
            await h.add_watch()
            finding = asyncio.create_task(owner.find())
            await asyncio.sleep(10)
            again = await h.add_watch(MemoryStore(watch.store.book))
            found = await finding
            assert found.bond == only(owner)
            assert found.address == f"watch-{h.watches.index(again) + 1}"

    run_virtual(main())


def test_the_owner_is_not_removed_before_another_is_made_the_owner() -> None:
    async def main() -> None:
        async with house() as h:
            watch, owner, guest = await h.add_watch(), await h.add_phone(), await h.add_phone()
            channel = await h.pair(owner, watch)
            await h.pair(guest, watch)
            first, second = (bond_of(watch, name).bond_id for name in ("phone-1", "phone-2"))
            with pytest.raises(BondError, match="make another one the owner first"):
                await watch.members.forget(first)
            assert channel.is_open
            await watch.members.make_owner(second)
            await watch.members.forget(first)
            assert watch.members.owner == bond_of(watch, "phone-2")

    run_virtual(main())
