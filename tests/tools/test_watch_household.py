"""The household on the watch's face: keys are pressed, and a real store changes or does not."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from blechannel.aio.membership import Membership
from blechannel.limits import MAX_BONDS
from blechannel.pairing.access import Access, Standing
from blechannel.pairing.bonds import Bond
from blechannel.pairing.changes import Forget
from blechannel.roles import Role
from blechannel.stores.memory import MemoryStore
from blechannel_tools.watch_household import CHOICES, WatchHousehold
from blechannel_tools.watch_state import Menu, Told
from tests.pairing.made_bonds import bond, bond_id, book, key

OWNER = replace(bond(1, Role.WATCH), peer_name="mum", access=Access(Standing.OWNER))
GUEST = replace(bond(2, Role.WATCH), peer_name="kid")
ESCAPE = "\x1b"


class Face:
    """A watch's household, its store, and what was told."""

    def __init__(self, *bonds: Bond) -> None:
        self.store = MemoryStore(book(*bonds))
        self.changes = 0
        members = Membership(self.store, random=os.urandom, changed=self._changed)
        served = ("household", "echo", "battery")
        self.household = WatchHousehold(members, served=served, guest_ports=frozenset({"battery"}))
        self.told: list[Told] = []

    def _changed(self) -> None:
        self.changes += 1

    def press(self, keys: str) -> Menu | None:
        for pressed in keys:
            self.household.pressed(pressed)
        return self.household.menu()

    async def until_told(self, count: int) -> list[str]:
        async with asyncio.timeout(5):
            while len(self.told) < count:
                await asyncio.sleep(0)
        return [str(told.shown) for told in self.told]


@asynccontextmanager
async def face(*bonds: Bond) -> AsyncGenerator[Face, None]:
    """With its menu open."""
    made = Face(*(bonds or (OWNER, GUEST)))
    running = asyncio.ensure_future(made.household.run(made.told.append))
    made.household.open()
    try:
        yield made
    finally:
        running.cancel()
        await asyncio.wait({running})


async def test_all_phones_are_shown() -> None:
    async with face() as shown:
        menu = shown.press("")
        assert menu is not None
        assert menu.rows == (
            ("1:", "mum", OWNER.bond_id.hex()[:8], "may use everything", "owner"),
            ("2:", "kid", GUEST.bond_id.hex()[:8], "may use battery (as every guest)", "guest"),
        )
        assert menu.keys == "1-2: choose a phone   x: forget all   h: back"
        assert shown.press("9?z") == menu
        assert shown.press("h") is None
        assert not shown.household.is_open
    async with face(replace(OWNER, copied_s=1.0)) as shown:
        menu = shown.press("")
        assert menu is not None
        assert menu.rows[0][-1] == "owner, copied"


async def test_a_watch_without_phones() -> None:
    made = Face()
    assert made.household.menu() is None
    made.household.open()
    assert made.press("x1") == Menu("the phones of this watch", (("no phone is bonded yet",),), "h: back")


def test_every_bond_that_a_watch_can_hold_has_a_key() -> None:
    assert len(CHOICES) == MAX_BONDS
    assert "h" not in CHOICES


async def test_a_guests_ports_are_switched() -> None:
    async with face() as shown:
        menu = shown.press("2")
        assert menu is not None
        assert menu.rows == (
            ("1:", "battery", "permitted"),
            ("2:", "echo", "not permitted"),
            ("d:", "as every guest", "battery (so it is)"),
        )
        shown.press("2")
        assert await shown.until_told(1) == ["kid may use battery, echo now"]
        assert shown.store.book.bonds[GUEST.bond_id].access.ports == frozenset({"battery", "echo"})
        shown.press("12")
        assert (await shown.until_told(3))[1:] == ["kid may use echo now", "kid may use battery now"]
        shown.press("1")
        await shown.until_told(4)
        menu = shown.press("")
        assert menu is not None
        assert [row[-1] for row in menu.rows] == ["not permitted", "not permitted", "battery"]
        assert (await shown.until_told(4))[3] == "kid may use nothing now"
        shown.press("d3")
        assert (await shown.until_told(5))[4] == "kid may use as every guest now"
        assert shown.store.book.bonds[GUEST.bond_id].access.ports is None
        assert shown.changes == 5


@pytest.mark.parametrize(("sure", "done"), [("y", True), ("n", False), (ESCAPE, False), ("h", False), ("?", False)])
async def test_a_phone_is_forgotten_by_who_is_sure(sure: str, done: bool) -> None:
    async with face() as shown:
        menu = shown.press("2f")
        assert menu is not None
        assert "forget kid?" in menu.rows[0][0]
        shown.press(sure)
        if done:
            assert await shown.until_told(1) == ["kid is forgotten"]
        else:
            shown.press("nh")
            assert shown.told == []
        assert (GUEST.bond_id in shown.store.book.bonds) is not done


async def test_the_watch_is_handed_over() -> None:
    async with face() as shown:
        shown.press("2oy")
        assert await shown.until_told(1) == ["kid is the owner's phone now"]
        assert shown.store.book.bonds[GUEST.bond_id].access.is_owner
        assert not shown.store.book.bonds[OWNER.bond_id].access.is_owner
        menu = shown.press("")
        assert menu is not None
        assert menu.title == "the phones of this watch"


async def test_the_owner_has_no_ports_to_switch_and_goes_last() -> None:
    async with face() as shown:
        menu = shown.press("1")
        assert menu is not None
        assert menu.keys == "f: forget   h: back"
        assert shown.press("12od") == menu
        shown.press("fy")
        [told] = await shown.until_told(1)
        assert told.startswith("nothing was changed: this phone is the owner's: make another one the owner first")
        assert len(shown.store.book.bonds) == 2


async def test_all_are_forgotten_and_the_wrong_codes_too() -> None:
    async with face() as shown:
        shown.press("xn")
        assert len(shown.store.book.bonds) == 2
        shown.press("xy")
        assert await shown.until_told(1) == ["every phone and every wrong code is forgotten"]
        assert shown.store.book.bonds == {}


async def test_a_phone_that_is_gone_meanwhile() -> None:
    async with face() as shown:
        shown.press("2")
        await shown.store.apply(Forget(bond_id(2), key("fresh")))
        menu = shown.press("")
        assert menu is not None
        assert menu.title == "the phones of this watch"
        shown.press("f")
        assert shown.press("y") == menu


async def test_back_goes_one_step() -> None:
    async with face() as shown:
        all_of_them = shown.press("")
        assert shown.press("2" + ESCAPE) == all_of_them
        assert shown.press(ESCAPE) is None
