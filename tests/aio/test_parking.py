"""A channel with nothing to do rests, in little memory and without a timer of its own, and nobody notices."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from blechannel.aio.channel import Channel
from blechannel.aio.wheel import TICK_S, Wheel
from blechannel.config import Config
from blechannel.errors import BondSuperseded, FragmentFault, FragmentRefused, LinkLost, PeerTimedOut
from blechannel.limits import Patience
from blechannel.pairing.changes import SetDiscoveryKey
from blechannel.roles import Role
from blechannel.services import echo
from blechannel.transports.loopback.faults import Faults, Stall
from blechannel.transports.virtual_time import run_virtual
from tests.aio.rooms import Room, room
from tests.aio.virtual import now_s, on_virtual_clock

PATIENCE = Patience()
REST_S = 2 * PATIENCE.park_s + 2 * TICK_S
RESTLESS = Config("side", patience=replace(PATIENCE, park_s=float("inf")))


async def at_rest(r: Room) -> tuple[Channel, Channel]:
    """Both ends of a channel, after a message on a port that stays open both ways."""
    phone, watch = await r.pair(), await r.other_end()
    ours, theirs = phone.port("talk"), watch.port("talk")
    ours.open()
    theirs.open()
    await ours.send(b"once")
    assert await theirs.receive() == b"once"
    await asyncio.sleep(REST_S)
    assert phone.rests
    assert watch.rests
    return phone, watch


@on_virtual_clock
async def test_messages_wake_a_channel_that_rests_and_it_rests_again() -> None:
    async with room() as r:
        phone, watch = await at_rest(r)
        for _ in range(3):
            await phone.port("talk").send(b"to the watch")
            assert await watch.port("talk").receive() == b"to the watch"
            await watch.port("talk").send(b"to the phone")
            assert await phone.port("talk").receive() == b"to the phone"
            assert not phone.rests
            await asyncio.sleep(REST_S)
            assert phone.rests
            assert watch.rests


@on_virtual_clock
async def test_a_channel_that_talks_does_not_rest() -> None:
    async with room() as r:
        phone, watch = await at_rest(r)
        for _ in range(30):
            await phone.port("talk").send(b"again")
            assert await watch.port("talk").receive() == b"again"
            await asyncio.sleep(PATIENCE.park_s / 2)
            assert not phone.rests
            assert not watch.rests


@on_virtual_clock
async def test_whoever_waits_for_a_message_is_told_while_the_channel_rests() -> None:
    async with room() as r:
        phone, watch = await at_rest(r)
        waiting = asyncio.create_task(phone.port("talk").receive())
        await asyncio.sleep(500)
        assert phone.rests
        await watch.port("talk").send(b"at last")
        assert await waiting == b"at last"


@on_virtual_clock
async def test_ports_are_opened_served_and_shut_out_of_rest() -> None:
    async with room() as r:
        r.watch.serve(echo.PORT, echo.echo)
        phone, watch = await at_rest(r)
        async with phone.port(echo.PORT) as port:
            await port.send(b"hear")
            assert await port.receive() == b"hear"
        await asyncio.sleep(REST_S)
        assert watch.rests
        phone.port("talk").shut()
        assert [message async for message in watch.port("talk")] == []


@on_virtual_clock
async def test_probes_are_answered_at_rest_and_silence_is_noticed() -> None:
    async with room() as r:
        phone, watch = await at_rest(r)
        await asyncio.sleep(10 * PATIENCE.keepalive_s)
        assert phone.rests
        assert phone.is_open
        r.links[-1].faults = Faults([Stall(0, 10.0**6)])
        fell_silent_s = now_s()
        with pytest.raises(PeerTimedOut):
            await watch.port("talk").receive()
        assert now_s() - fell_silent_s <= PATIENCE.keepalive_s + PATIENCE.stall_s + TICK_S


@on_virtual_clock
async def test_a_lost_link_ends_a_channel_at_rest() -> None:
    async with room() as r:
        phone, _ = await at_rest(r)
        r.links[-1].drop("gone")
        with pytest.raises(LinkLost):
            await phone.port("talk").receive()


@on_virtual_clock
async def test_a_channel_at_rest_is_closed_in_order() -> None:
    async with room() as r:
        phone, watch = await at_rest(r)
        await phone.close()
        await watch.wait_over()
        assert phone.error is None
        assert watch.error is None


@on_virtual_clock
async def test_a_bond_that_is_removed_ends_a_channel_at_rest_at_once() -> None:
    async with room() as r:
        _, watch = await at_rest(r)
        [bond] = r.watch.members.bonds
        await r.watch.members.forget(bond.bond_id)
        assert isinstance(watch.error, BondSuperseded)


@on_virtual_clock
async def test_news_wake_the_channels_that_they_concern_and_no_other() -> None:
    async with room() as r:
        phone, watch = await at_rest(r)
        [bond] = r.watch.members.bonds
        r.phone.book_changed()
        r.watch.book_changed()
        assert phone.rests
        assert watch.rests
        await r.watch.store.apply(SetDiscoveryKey(bytes(32)))
        r.watch.book_changed()
        assert not watch.rests
        await asyncio.sleep(1)
        assert phone.bond.discovery_key == bytes(32)
        assert watch.bond == bond


@on_virtual_clock
async def test_a_link_that_carries_more_than_before_is_used_at_once() -> None:
    async with room(phone_max_fragment_bytes=100) as r:
        phone, watch = await at_rest(r)
        r.links[-1].set_max_fragment_bytes(244)
        longest: list[int] = []
        r.links[-1].on_air = lambda role, fragment: longest.append(len(fragment)) if role is Role.PHONE else None
        await phone.port("talk").send(bytes(1000))
        assert await watch.port("talk").receive() == bytes(1000)
        assert max(longest) == 244


@on_virtual_clock
async def test_a_channel_rests_only_where_the_configuration_says_so() -> None:
    async with room(config=RESTLESS) as r:
        phone, watch = await r.pair(), await r.other_end()
        await asyncio.sleep(1000)
        assert not phone.rests
        assert not watch.rests


def transcript(config: Config) -> list[tuple[float, Role, int]]:
    """When who sent how much, in an afternoon of little talk."""
    air: list[tuple[float, Role, int]] = []

    async def main() -> None:
        async with room(config=config) as r:
            phone, watch = await r.pair(), await r.other_end()
            ours, theirs = phone.port("talk"), watch.port("talk")
            ours.open()
            theirs.open()
            began_s = now_s()

            def listen(role: Role, fragment: bytes) -> None:
                air.append((round(now_s() - began_s, 6), role, len(fragment)))

            for end in (r.links[-1], r.links[-1]._far):
                end.on_air = listen
            for pause_s in (5.3, 30.7, 47.1, 100.9, 12.7, 230.3):  # at no moment that a deadline is at, too
                await asyncio.sleep(pause_s)
                await ours.send(bytes(int(pause_s)))
                await theirs.send(await theirs.receive())
                await ours.receive()

    run_virtual(main())
    return air


def test_the_air_does_not_tell_who_rests() -> None:
    assert transcript(Config("side")) == transcript(RESTLESS)


class Eye:
    """Notes when it was looked at."""

    def __init__(self) -> None:
        self.looked: list[tuple[int, float]] = []

    def look(self, tick: int) -> None:
        self.looked.append((tick, now_s()))


@on_virtual_clock
async def test_a_wheel_looks_at_all_with_one_timer_a_tick_and_never_late() -> None:
    loop = asyncio.get_running_loop()
    wheel, eyes, before = Wheel(loop), [Eye() for _ in range(100)], len(loop._scheduled)  # type: ignore[attr-defined]
    ticks = [wheel.add(5.0 + number / 100, eye) for number, eye in enumerate(eyes)]
    assert set(ticks) == {5}
    assert len(loop._scheduled) == before + 1  # type: ignore[attr-defined]
    await asyncio.sleep(10)
    assert all(eye.looked == [(5, 5.0)] for eye in eyes)


@on_virtual_clock
async def test_resting_channels_share_their_timers() -> None:
    async with room() as r:
        await at_rest(r)
        timers = [handle for handle in asyncio.get_running_loop()._scheduled if not handle.cancelled()]  # type: ignore[attr-defined]
        assert not [handle for handle in timers if "Pump" in repr(handle)]


@on_virtual_clock
async def test_what_the_channel_says_of_itself_does_not_wake_it() -> None:
    async with room() as r:
        phone, _ = await at_rest(r)
        assert "established" in repr(phone)
        assert phone.is_open
        assert phone.error is None
        assert phone.bond.peer_name == "side"
        assert phone.port("talk").name == "talk"
        assert phone.rests
        assert phone.max_message_bytes > 1000, "which wakes it"
        assert not phone.rests


@on_virtual_clock
async def test_a_peer_that_breaks_a_rule_at_rest_is_told_apart() -> None:
    async with room() as r:
        phone, _ = await at_rest(r)
        phone.pump.fragment_received(bytes((0x55, 0x80)))
        assert isinstance(phone.error, FragmentRefused)
        assert phone.error.fault is FragmentFault.GAP
