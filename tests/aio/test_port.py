"""Ports that are opened again, and ports that are denied."""

from __future__ import annotations

import asyncio

import pytest

from blechannel.aio.channel import UNASKED_PORTS
from blechannel.aio.port import Port
from blechannel.errors import AccessDenied
from blechannel.limits import MAX_PORTS
from blechannel.services import echo
from blechannel.transports.virtual_time import run_virtual
from tests.aio.rooms import bond_of, channel_of, house

ECHO = frozenset({echo.PORT})


async def flood(port: Port) -> None:
    while True:
        await port.send(bytes(8000))
        await asyncio.sleep(0)


def test_a_port_can_be_opened_again_at_once() -> None:
    """The end of the peer's half comes when this side has opened the next one, and does not end that."""

    async def slowly(port: Port) -> None:
        message = await port.receive()
        await asyncio.sleep(1)
        await port.send(message)

    async def main() -> None:
        async with house() as h:
            watch, phone = await h.add_watch(), await h.add_phone()
            watch.serve("slow", slowly)
            channel = await h.pair(phone, watch)
            for number in range(10):
                async with channel.port("slow") as port:
                    await port.send(bytes([number]))
                    assert await port.receive() == bytes([number])

    run_virtual(main())


def test_a_service_sees_the_end_of_a_port_that_was_shut_before_it_could_begin() -> None:
    async def main() -> None:
        heard: list[list[bytes]] = []

        async def collect(port: Port) -> None:
            heard.append([message async for message in port])

        async with house() as h:
            watch, phone = await h.add_watch(), await h.add_phone()
            watch.serve("collect", collect)
            channel = await h.pair(phone, watch)
            for _ in range(2):
                async with channel.port("collect") as port:
                    await port.send(b"one")
                    await port.send(b"two")
                await asyncio.sleep(1)
        assert heard == [[b"one", b"two"]] * 2

    run_virtual(main())


def test_a_channel_that_ends_ends_a_port_that_waits_for_the_peers_half() -> None:
    async def main() -> None:
        async with house() as h:
            watch, phone = await h.add_watch(), await h.add_phone()
            channel = await h.pair(phone, watch)
            for _ in range(2):
                async with channel.port("unserved") as port:
                    await port.send(b"anybody?")
            port.open()
            await watch.close()
            with pytest.raises(EOFError):
                await port.receive()

    run_virtual(main())


def test_what_a_phone_sent_before_its_port_was_withdrawn_is_not_read_after() -> None:
    async def main() -> None:
        async with house() as h:
            watch, owner, guest = await h.add_watch(guest_ports=ECHO), await h.add_phone(), await h.add_phone()
            await h.pair(owner, watch)
            channel = await h.pair(guest, watch)
            async with channel.port(echo.PORT) as port:
                await port.send(b"read in time")
                await port.send(b"unread")
                theirs = channel_of(watch, "phone-2").port(echo.PORT)
                assert await theirs.receive() == b"read in time"
                await watch.members.permit(bond_of(watch, "phone-2").bond_id, frozenset())
                with pytest.raises(AccessDenied):
                    await theirs.receive()

    run_virtual(main())


def test_what_was_taken_of_a_withdrawn_port_is_not_given_back_on_the_next() -> None:
    async def main() -> None:
        async with house() as h:
            watch, owner, guest = await h.add_watch(guest_ports=ECHO), await h.add_phone(), await h.add_phone()
            await h.pair(owner, watch)
            channel = await h.pair(guest, watch)
            theirs, bond_id = channel_of(watch, "phone-2").port(echo.PORT), bond_of(watch, "phone-2").bond_id
            async with channel.port(echo.PORT) as port:
                await port.send(bytes(100))
                await port.send(b"unread")
                assert await theirs.receive() == bytes(100)
                await watch.members.permit(bond_id, frozenset())
                await asyncio.sleep(1)
            await watch.members.permit(bond_id, ECHO)
            async with channel.port(echo.PORT) as port:
                await port.send(b"hello")
                await asyncio.sleep(1)
                assert await theirs.receive() == b"hello"

    run_virtual(main())


def test_messages_of_two_halves_that_wait_together_are_given_back_to_each() -> None:
    async def main() -> None:
        async with house() as h:
            watch, phone = await h.add_watch(), await h.add_phone()
            channel = await h.pair(phone, watch)
            for _ in range(2):
                async with channel.port("notes") as port:
                    await port.send(b"one")
                    await port.send(b"two")
            await asyncio.sleep(1)
            reader = channel_of(watch, "phone-1").port("notes")
            assert [await reader.receive() for _ in range(4)] == [b"one", b"two"] * 2

    run_virtual(main())


def test_a_denied_port_ends_for_readers_and_writers_and_can_be_tried_again() -> None:
    async def main() -> None:
        async with house() as h:
            watch, owner, guest = await h.add_watch(), await h.add_phone(), await h.add_phone()
            watch.serve(echo.PORT, echo.echo)
            await h.pair(owner, watch)
            channel = await h.pair(guest, watch)
            async with channel.port(echo.PORT) as port:
                reading = asyncio.create_task(port.receive())
                with pytest.raises(AccessDenied) as denied:
                    await flood(port)
                assert denied.value.port == echo.PORT
                with pytest.raises(AccessDenied):
                    await reading
            [bond] = [each for each in watch.members.bonds if not each.access.is_owner]
            await watch.members.permit(bond.bond_id, ECHO)
            async with channel.port(echo.PORT) as port:
                await port.send(b"hello")
                assert await port.receive() == b"hello"

    run_virtual(main())


def test_a_port_that_was_withdrawn_is_read_again_once_it_is_allowed_again() -> None:
    """By who never opened this side's half."""

    async def main() -> None:
        async with house() as h:
            watch, owner, guest = await h.add_watch(), await h.add_phone(), await h.add_phone()
            await h.pair(owner, watch)
            channel = await h.pair(guest, watch)
            bond_id = bond_of(watch, "phone-2").bond_id
            theirs = channel_of(watch, "phone-2").port(echo.PORT)
            for _ in range(2):
                await watch.members.permit(bond_id, ECHO)
                async with channel.port(echo.PORT) as port:
                    await asyncio.sleep(1)
                    reading = asyncio.create_task(theirs.receive())
                    await asyncio.sleep(1)
                    await port.send(b"hello")
                    assert await reading == b"hello"
                    reading = asyncio.create_task(theirs.receive())
                    await asyncio.sleep(1)
                    await watch.members.permit(bond_id, None)
                    with pytest.raises(AccessDenied):
                        await reading

    run_virtual(main())


def test_ports_that_a_peer_opens_for_ever_do_not_pile_up() -> None:
    async def main() -> None:
        async with house() as h:
            watch, phone = await h.add_watch(), await h.add_phone()
            channel = await h.pair(phone, watch)
            theirs = channel_of(watch, "phone-1")
            unread = channel.port("unread")
            async with unread:
                await unread.send(b"kept")
            held = channel.port("held")
            held.open()
            for number in range(UNASKED_PORTS + 2 * MAX_PORTS):
                async with channel.port(str(number)):
                    pass
                if not number % MAX_PORTS:
                    await asyncio.sleep(1)
            await asyncio.sleep(1)
            assert len(theirs._unasked or {}) == UNASKED_PORTS
            assert not theirs._ports
            await held.send(b"still open")
            assert await theirs.port("held").receive() == b"still open"
            assert [message async for message in theirs.port("unread")] == [b"kept"]
            last = str(UNASKED_PORTS + 2 * MAX_PORTS - 1)
            assert [message async for message in theirs.port(last)] == []

    run_virtual(main())
