"""The phone's contract: what finding, pairing, connecting and closing raise, and that a link is let go each time."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from blechannel.aio.link import Sighting
from blechannel.aio.person import Certificate
from blechannel.aio.phone import CONNECT_S, FIND_S, FoundWatch
from blechannel.errors import (
    BondNotFound,
    FragmentRefused,
    LocalProtocolError,
    PairingRefused,
    PeerTimedOut,
    TransportError,
    WatchNotFound,
)
from blechannel.limits import MIN_FRAGMENT_BYTES
from blechannel.transports.loopback.link import LoopbackLink, loopback_pair
from tests.aio.rooms import room, typing
from tests.aio.virtual import now_s, on_virtual_clock

STRANGER = FoundWatch("watch-1", None, None, pairing_open=False)


@on_virtual_clock
async def test_finding_nothing_takes_so_long_and_no_longer() -> None:
    async with room() as r:
        began_s = now_s()
        with pytest.raises(WatchNotFound):
            await r.phone.find()
        assert now_s() - began_s == pytest.approx(FIND_S)
        assert r.air_is_quiet()


@on_virtual_clock
async def test_a_closed_phone_finds_pairs_and_connects_no_more() -> None:
    async with room() as r:
        await (await r.pair()).close()
        found = await r.phone.find()
        await r.phone.close()
        for call in (r.phone.find(), r.phone.pair(found, typing(lambda: "123456")), r.phone.connect(found)):
            with pytest.raises(TransportError, match="closed"):
                await call


@on_virtual_clock
async def test_what_is_no_advertisement_of_ours_is_passed_over() -> None:
    async with room() as r:
        for service_data in (b"", b"\xff" * 13, b"\x01"):
            assert r.phone.resolve(Sighting("watch-9", service_data)) is None


@on_virtual_clock
async def test_a_watch_that_is_not_there_any_more() -> None:
    async with room() as r:
        r.watch.open_pairing()
        found = await r.phone.find()
        await r.watch.close()
        with pytest.raises(TransportError, match="is the watch running"):
            await r.phone.pair(found, typing(lambda: "123456"))


@on_virtual_clock
async def test_no_window_no_bond_no_certificate() -> None:
    async with room() as r:
        with pytest.raises(PairingRefused):
            await r.phone.pair(STRANGER, typing(lambda: "123456"))
        with pytest.raises(BondNotFound, match="pair first"):
            await r.phone.connect(STRANGER)
        with pytest.raises(LocalProtocolError, match="identity"):
            await r.phone.pair(STRANGER, Certificate())
        assert not r.phone._channels


@on_virtual_clock
async def test_a_link_that_never_comes_about_is_given_up() -> None:
    async with room() as r:
        await (await r.pair()).close()
        found = await r.phone.find()

        async def never(_address: str) -> LoopbackLink:
            await asyncio.Event().wait()
            raise AssertionError("it never comes")

        r.phone._transport.connect = never  # type: ignore[assignment, method-assign]
        began_s = now_s()
        with pytest.raises(PeerTimedOut, match="did not answer within"):
            await r.phone.connect(found)
        assert now_s() - began_s == pytest.approx(CONNECT_S)


@on_virtual_clock
async def test_a_link_that_carries_too_little_is_let_go() -> None:
    async with room() as r:
        r.watch.open_pairing()
        found = await r.phone.find()
        ends = loopback_pair()
        ends[0].max_fragment_bytes = MIN_FRAGMENT_BYTES - 1
        r._air.join = lambda: ends
        with pytest.raises(FragmentRefused):
            await r.phone.pair(found, typing(lambda: "123456"))
        assert ends[0].ended


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="this system does not list open files")
async def test_no_file_is_left_open(tmp_path: Path) -> None:
    def open_files() -> set[str]:
        return {os.readlink(f"/proc/self/fd/{name}") for name in os.listdir("/proc/self/fd") if _is_open(name)}

    before = open_files()
    for _ in range(3):
        async with room(tmp_path) as r:
            await (await r.pair()).close()
            await (await r.connect()).close()
            assert any(str(tmp_path) in name for name in open_files()), "the stores are open meanwhile"
    assert open_files() == before


def _is_open(name: str) -> bool:
    try:
        os.readlink(f"/proc/self/fd/{name}")
    except OSError:  # the listing itself
        return False
    return True
