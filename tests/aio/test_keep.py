"""Watches that a phone keeps: over links that break, watches that go away, refusals that nobody signed, and ends."""

from __future__ import annotations

import asyncio

from blechannel.aio.keep import Connected, Connecting, KeptState, Searching, Stopped, Waiting
from blechannel.services import echo
from tests.aio.rooms import house
from tests.aio.virtual import on_virtual_clock


def kinds(states: list[KeptState]) -> list[type[KeptState]]:
    return [type(state) for state in states]


@on_virtual_clock
async def test_a_kept_watch_is_connected_to_and_again_when_the_link_is_lost() -> None:
    async with house() as h:
        watch, phone = await h.add_watch(), await h.add_phone()
        watch.serve(echo.PORT, echo.echo)
        await (await h.pair(phone, watch)).close()
        [bond_id] = phone.store.book.bonds
        async with phone.keep(bond_id) as kept:
            seen: list[KeptState] = []

            async def read() -> None:
                async for state in kept.states():
                    seen.append(state)

            reading = asyncio.create_task(read())
            first = await kept.channel()
            async with first.port(echo.PORT) as port:
                await port.send(b"a")
                assert await port.receive() == b"a"
            h.watches[0].channels[0]._link.drop("lost")  # type: ignore[attr-defined]
            await first.wait_over()
            second = await kept.channel()
            assert second is not first
            assert second.is_open
        await reading
        assert kinds(seen) == [Searching, Connecting, Connected, Waiting, Searching, Connecting, Connected, Stopped]
