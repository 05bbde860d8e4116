"""Which bond is meant, and which watch has it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest

from blechannel.aio.link import Sighting
from blechannel.aio.phone import Phone
from blechannel.aio.watch import Watch
from blechannel.errors import BondNotFound, LocalProtocolError, WatchNotFound
from blechannel.pairing.bonds import Bond
from blechannel.stores.memory import MemoryStore
from blechannel.transports.loopback import LoopbackAir
from blechannel_tools.selection import choose_bond, current_bonds, find_bonded, label, moment, short_id
from tests.pairing.made_bonds import bond, bond_id, book


def test_a_name_goes_before_an_id() -> None:
    plain = bond(1)
    called_like_it = replace(bond(2), peer_name=plain.bond_id.hex()[:8])
    assert choose_bond([plain, called_like_it], short_id(plain)) is called_like_it
    assert choose_bond([plain, bond(3)], short_id(plain).upper()) is plain
    with pytest.raises(BondNotFound):
        choose_bond([plain], "")
    with pytest.raises(LocalProtocolError, match=r"several bonds fit.*Peer 1"):
        choose_bond([plain, plain], "Peer 1")


def test_a_bond_that_is_being_replaced_is_not_current() -> None:
    newer = replace(bond(2), pending=True, replaces=bond_id(1))
    assert current_bonds(book(bond(1), newer)) == [newer]


def test_a_bond_without_a_name_has_a_label() -> None:
    assert label(replace(bond(1), peer_name="")) == f"unnamed {short_id(bond(1))}"


@pytest.mark.parametrize("strange", [0.0, 1e18, -1e18])
def test_a_time_that_none_is(strange: float) -> None:
    assert moment(strange) == "unknown"
    assert moment(1_800_000_000).startswith("2027-01-")


class Air:
    """A phone with the given bonds, near a watch that is bonded with none of them."""

    def __init__(self, *bonds: Bond) -> None:
        air = LoopbackAir()
        self.watch = Watch(MemoryStore(), air.watch())
        self.phone = Phone(MemoryStore(book(*bonds)), air.phone())

    async def found(self, wanted: str | None) -> str:
        async with self.watch, self.phone:
            return (await find_bonded(self.phone, wanted, timeout_s=0.1)).address


async def test_no_bond_and_several_bonds() -> None:
    with pytest.raises(BondNotFound, match="pair first"):
        await Air().found(None)
    with pytest.raises(LocalProtocolError, match="several"):
        await Air(bond(1), bond(2)).found(None)
    with pytest.raises(BondNotFound, match="'nobody'"):
        await Air(bond(1)).found("nobody")


async def test_a_strangers_watch_is_not_ours() -> None:
    with pytest.raises(WatchNotFound, match=r"'Peer 1'.*1 other"):
        await Air(bond(1), bond(2)).found("Peer 1")
    with pytest.raises(WatchNotFound, match=r"at AA:BB"):
        await Air(bond(1)).found("AA:BB")


async def test_a_watch_that_nothing_resolves_may_be_that_of_the_only_bond() -> None:
    """It may have forgotten another phone, and advertise under a key that this one has not been told."""
    assert await Air(bond(1)).found(None)


async def test_a_pending_bond_may_be_any_strangers() -> None:
    assert await Air(replace(bond(1), pending=True)).found(None)
    with pytest.raises(WatchNotFound):
        await Air(replace(bond(1), pending=True, replaces=bond_id(9))).found(None)


async def test_a_bond_that_was_never_confirmed_is_not_in_the_way() -> None:
    never = replace(bond(2), pending=True)
    assert await Air(bond(1), never).found(None)
    with pytest.raises(LocalProtocolError, match="several"):
        await Air(never, replace(bond(3), pending=True)).found(None)


async def test_a_scan_that_ends() -> None:
    class Silent:
        async def scan(self) -> AsyncGenerator[Sighting, None]:
            nothing: tuple[Sighting, ...] = ()
            for sighting in nothing:
                yield sighting

        async def connect(self, address: str) -> object:
            raise AssertionError(address)

        async def close(self) -> None:
            return

    phone = Phone(MemoryStore(book(bond(1))), Silent())  # type: ignore[arg-type]
    with pytest.raises(WatchNotFound, match="nothing seen at all"):
        await find_bonded(phone, None, timeout_s=1)
