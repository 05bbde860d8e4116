"""Three watches and two phones in one room: everybody finds their own."""

from __future__ import annotations

import asyncio

from blechannel.aio.phone import Phone
from blechannel.aio.watch import Watch
from blechannel.services import echo
from blechannel.transports.virtual_time import run_virtual
from tests.aio.rooms import House, house

ECHO = frozenset({echo.PORT})


async def furnish(h: House) -> tuple[list[Watch], list[Phone]]:
    """Phone 1 is bonded with watches 1 and 2, phone 2 with 2 and 3; all apart."""
    watches = [await h.add_watch(guest_ports=ECHO) for _ in range(3)]
    phones = [await h.add_phone() for _ in range(2)]
    for watch in watches:
        watch.serve(echo.PORT, echo.echo)
    for phone, its in ((phones[0], watches[:2]), (phones[1], watches[1:])):
        for watch in its:
            await (await h.pair(phone, watch)).close()
    return watches, phones


def test_each_phone_tells_its_watches_apart_and_knows_no_other() -> None:
    async def main() -> None:
        async with house() as h:
            watches, phones = await furnish(h)
            for phone in phones:
                seen = [await h.seen(phone, watch) for watch in watches]
                names = [found.bond.peer_name if found.bond else None for found in seen]
                assert names == (["watch-1", "watch-2", None] if phone is phones[0] else [None, "watch-2", "watch-3"])

    run_virtual(main())


def test_all_of_them_talk_at_once() -> None:
    async def main() -> None:
        async with house() as h:
            watches, phones = await furnish(h)

            async def talk(phone: Phone, watch: Watch, text: bytes) -> bytes:
                async with (
                    await phone.connect(await h.seen(phone, watch)) as channel,
                    channel.port(echo.PORT) as port,
                ):
                    await port.send(text)
                    return await port.receive()

            pairs = [(phones[0], watches[0]), (phones[0], watches[1]), (phones[1], watches[1]), (phones[1], watches[2])]
            said = [f"from {number}".encode() for number in range(len(pairs))]
            heard = await asyncio.gather(*(talk(*pair, text) for pair, text in zip(pairs, said, strict=True)))
            assert heard == said

    run_virtual(main())


def test_the_first_phone_of_each_watch_owns_it() -> None:
    async def main() -> None:
        async with house() as h:
            watches, _ = await furnish(h)
            owners = [watch.members.owner for watch in watches]
            assert [owner.peer_name for owner in owners if owner] == ["phone-1", "phone-1", "phone-2"]

    run_virtual(main())


def test_what_one_watch_forgets_the_others_keep() -> None:
    async def main() -> None:
        async with house() as h:
            watches, phones = await furnish(h)
            [guest] = [bond for bond in watches[1].members.bonds if bond.peer_name == "phone-2"]
            await watches[1].members.forget(guest.bond_id)
            assert (await phones[0].connect(await h.seen(phones[0], watches[0]))).is_open
            assert (await phones[0].connect(await h.seen(phones[0], watches[1]))).is_open
            assert (await phones[1].connect(await h.seen(phones[1], watches[2]))).is_open

    run_virtual(main())
