"""A peer falls silent at each fragment of pairing, talk, reconnect and close: everybody is told, in time and by name.

The link stays up, which is the hard case: only this side's patience ends the wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from itertools import count

import pytest

from blechannel.aio.channel import FINISH_S, Channel
from blechannel.errors import BlechannelError, FragmentFault, FragmentRefused, LinkLost, PeerTimedOut, UnexpectedFrame
from blechannel.limits import Patience
from blechannel.roles import Role
from blechannel.services import echo
from blechannel.transports.loopback.faults import Faults, Stall
from blechannel.transports.loopback.link import FLUSH_S, loopback_pair
from tests.aio.rooms import Room, room
from tests.aio.virtual import now_s, on_virtual_clock

PATIENCE = Patience()
LEAVING_S = PATIENCE.close_s + FINISH_S + FLUSH_S
"""CLOSE, what is queued, and the link's own queue."""
HANDSHAKE_S = PATIENCE.stall_s + PATIENCE.handshake_s + LEAVING_S
TALK_S = PATIENCE.keepalive_s + PATIENCE.stall_s + LEAVING_S
NEVER_S = 10.0**6
FEW_FRAGMENTS = 200


@dataclass
class Told:
    """What came of a run: the step that failed, if one did, and with what."""

    steps: list[str] = field(default_factory=list)
    error: BlechannelError | None = None


async def step(told: Told, name: str, work: Awaitable[object], within_s: float) -> object:
    began_s = now_s()
    told.steps.append(name)
    try:
        return await work
    finally:
        assert now_s() - began_s <= within_s, f"{name} took {now_s() - began_s:g} s"


async def talk(channel: Channel) -> None:
    async with channel.port(echo.PORT) as port:
        for _ in range(3):
            await port.send(bytes(600))
            await port.receive()


async def life(r: Room, told: Told) -> None:
    """Pair, talk, close; reconnect, talk, close."""
    for name, begin in (("pair", r.pair), ("connect", r.connect)):
        channel = await step(told, name, begin(), HANDSHAKE_S)
        assert isinstance(channel, Channel)
        await step(told, f"talk after {name}", talk(channel), TALK_S)
        await step(told, f"close after {name}", channel.close(), LEAVING_S)
        if channel.error is not None:
            raise channel.error


async def silent_from(silent: Role, fragment: int) -> Told:
    """A life in which one side's fragments stop, counted over both links."""
    told = Told()
    sent = 0
    async with room() as r:
        r.watch.serve(echo.PORT, echo.echo)

        def join() -> tuple[object, object]:
            ends = loopback_pair()
            r.links.append(ends[0])
            end = ends[silent is Role.WATCH]
            end.faults = Faults([Stall(max(0, fragment - sent), NEVER_S)])
            end.on_air = count_one
            return ends

        def count_one(_role: Role, _fragment: bytes) -> None:
            nonlocal sent
            sent += 1

        r._air.join = join  # type: ignore[assignment]
        try:
            await life(r, told)
        except BlechannelError as error:
            told.error = error
        await asyncio.sleep(PATIENCE.person_s + PATIENCE.handshake_s + LEAVING_S)
        assert not r.watch._channels, "the watch has noticed too"
        assert not r.phone._channels
        assert all(link.ended for link in r.links)
    return told


@pytest.mark.parametrize("silent", list(Role))
def test_silence_at_each_fragment_is_noticed(silent: Role) -> None:
    failed: dict[str, set[type[BlechannelError]]] = {}

    @on_virtual_clock
    async def run() -> None:
        for fragment in count():
            assert fragment < FEW_FRAGMENTS
            told = await silent_from(silent, fragment)
            if told.error is None:
                return
            failed.setdefault(told.steps[-1], set()).add(type(told.error))
            if isinstance(told.error, FragmentRefused):
                assert told.error.fault is FragmentFault.FRAME_TOO_SLOW

    run()
    assert {"pair", "talk after pair", "connect", "talk after connect"} <= set(failed), "silence came at every step"
    # UnexpectedFrame: a watch that gives up says so in the clear, and an established phone takes records only.
    assert set().union(*failed.values()) <= {PeerTimedOut, LinkLost, FragmentRefused, UnexpectedFrame}


@pytest.mark.parametrize("silent", list(Role))
def test_silence_while_nobody_talks_is_noticed(silent: Role) -> None:
    @on_virtual_clock
    async def run() -> None:
        async with room() as r:
            channel, other = await r.pair(), await r.other_end()
            await asyncio.sleep(10 * PATIENCE.keepalive_s)
            assert channel.is_open, "a peer that answers may say nothing for as long as it likes"
            assert other.is_open
            end = r.links[-1]
            (end if silent is Role.PHONE else end._far).faults = Faults([Stall(0, NEVER_S)])
            began_s = now_s()
            await channel.wait_over()
            await other.wait_over()
            assert now_s() - began_s <= TALK_S + PATIENCE.keepalive_s
            assert any(isinstance(end.error, PeerTimedOut) for end in (channel, other))
            assert channel.error is not None
            assert other.error is not None

    run()


@on_virtual_clock
async def test_a_phone_that_never_says_what_it_wants_is_let_go() -> None:
    async with room() as r:
        link = await r._air.phone().connect("watch-1")
        await asyncio.sleep(PATIENCE.person_s + PATIENCE.handshake_s + LEAVING_S)
        assert link.ended
        assert not r.watch._channels
