"""People who do not answer, and programs that ask them and do not let themselves be stopped."""

from __future__ import annotations

import asyncio
import logging

import pytest

from blechannel.aio.person import LEAVE_S
from blechannel.errors import PairingRefused
from blechannel.limits import Patience
from tests.aio.rooms import room
from tests.aio.virtual import now_s, on_virtual_clock

TOO_OFTEN = 10**5


def test_answers_that_are_none_and_come_at_once_do_not_stop_the_loop() -> None:
    """As from a keyboard that is closed: the person's time ends all the same. On the real clock, which goes on."""
    asked = 0

    async def ask() -> str:
        nonlocal asked
        asked += 1
        if asked == TOO_OFTEN:
            raise RuntimeError("the loop never comes to anything else")
        return ""

    async def run() -> None:
        async with room() as r:
            r.watch.open_pairing()
            pairing = asyncio.create_task(r.phone.pair(await r.phone.find(), ask))
            while not asked:
                await asyncio.sleep(0)
            pairing.cancel()
            await asyncio.wait({pairing})
            assert pairing.cancelled()

    asyncio.run(run())
    assert asked < TOO_OFTEN


def test_a_question_that_cannot_be_stopped_holds_nobody_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    asked, enough = asyncio.Event(), asyncio.Event()

    async def stubborn() -> str:
        asked.set()
        while not enough.is_set():
            try:
                await enough.wait()
            except asyncio.CancelledError:
                continue
        return "123456"

    @on_virtual_clock
    async def run() -> None:
        async with room() as r:
            r.watch.open_pairing()
            pairing = asyncio.create_task(r.phone.pair(await r.phone.find(), stubborn))
            await asked.wait()
            began_s = now_s()
            pairing.cancel()
            await asyncio.wait({pairing})
            assert pairing.cancelled()
            assert LEAVE_S <= now_s() - began_s < LEAVE_S + 5
            enough.set()
            await asyncio.sleep(0.01)
            assert not r.phone.channels, "an answer that comes late changes nothing"

    with caplog.at_level(logging.ERROR):
        run()
    assert "does not end though it was cancelled" in caplog.text


@on_virtual_clock
async def test_a_second_cancellation_while_the_first_is_under_way_leaves_no_channel() -> None:
    asked, leaving = asyncio.Event(), asyncio.Event()

    async def slow_to_leave() -> str:
        asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            leaving.set()
            await asyncio.sleep(1)
        return ""

    async with room() as r:
        r.watch.open_pairing()
        pairing = asyncio.create_task(r.phone.pair(await r.phone.find(), slow_to_leave))
        await asked.wait()
        pairing.cancel()
        await leaving.wait()
        pairing.cancel()
        await asyncio.wait({pairing})
        assert pairing.cancelled()
        assert all(channel.session.is_over for channel in r.phone._channels), "no channel is left as it was"


@on_virtual_clock
async def test_nobody_types_a_code() -> None:
    async def nobody() -> str:
        await asyncio.Event().wait()
        return ""

    async with room() as r:
        r.watch.open_pairing()
        began_s = now_s()
        with pytest.raises(PairingRefused) as refused:
            await r.phone.pair(await r.phone.find(), nobody)
        assert refused.value.reason == "no-code"
        assert now_s() - began_s < Patience().person_s + 5


@on_virtual_clock
async def test_whoever_asks_may_refuse_in_their_own_words() -> None:
    async def not_today() -> str:
        raise PairingRefused("no-answer", "not today")

    async with room() as r:
        r.watch.open_pairing()
        with pytest.raises(PairingRefused, match="not today"):
            await r.phone.pair(await r.phone.find(), not_today)
        assert r.watch.store.book.guesses_spent == 0, "nothing was guessed"
