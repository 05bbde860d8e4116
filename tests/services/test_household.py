"""The owner's phone decides over the channel; nobody else's phone can, and none goes on after it lost the ownership."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blechannel.aio.channel import Channel
from blechannel.aio.port import Port
from blechannel.codec import decode, encode
from blechannel.errors import AccessDenied, BondError, MalformedFrame, PeerTimedOut
from blechannel.pairing.access import Standing
from blechannel.pairing.changes import MarkCopied, SpendGuess
from blechannel.services import echo, household
from blechannel.services.household import Act, Answer, Choice, Mark, Member, Owner, Request, Verdict
from blechannel.transports.virtual_time import run_virtual
from tests.aio.rooms import House, bond_of, channel_of, house

ECHO = frozenset({echo.PORT})


@asynccontextmanager
async def family() -> AsyncGenerator[tuple[House, Channel, Channel], None]:
    """A watch with the channels of its owner, phone 1, and of a guest, phone 2."""
    async with house() as h:
        watch = await h.add_watch()
        watch.serve(household.PORT, household.serving(watch.members))
        watch.serve(echo.PORT, echo.echo)
        yield h, await h.pair(await h.add_phone(), watch), await h.pair(await h.add_phone(), watch)


def live(test: Coroutine[Any, Any, None]) -> None:
    run_virtual(test)


async def echoes(channel: Channel) -> bool:
    async with channel.port(echo.PORT) as port:
        await port.send(b"hello")
        try:
            return await port.receive() == b"hello"
        except AccessDenied:
            return False


def test_the_owner_sees_who_belongs_to_the_watch() -> None:
    async def main() -> None:
        async with family() as (h, owners, _), owners.port(household.PORT) as port:
            listed = await Owner(port).members()
            assert [(each.name, each.standing, each.mark) for each in listed] == [
                ("phone-1", Standing.OWNER, Mark.NONE),
                ("phone-2", Standing.GUEST, Mark.NONE),
            ]
            assert [each.bond_id for each in listed] == [bond.bond_id for bond in h.watches[0].members.bonds]
            assert listed[1].permitted is None

    live(main())


def test_the_owner_sees_which_bond_was_copied() -> None:
    async def main() -> None:
        async with family() as (h, owners, _), owners.port(household.PORT) as port:
            await h.watches[0].store.apply(MarkCopied(bond_of(h.watches[0], "phone-2").bond_id))
            assert [each.mark for each in await Owner(port).members()] == [Mark.NONE, Mark.COPIED]

    live(main())


def test_the_owner_allows_a_guest_a_port_and_takes_it_back() -> None:
    async def main() -> None:
        async with family() as (h, owners, guests), owners.port(household.PORT) as port:
            owner, guest = Owner(port), bond_of(h.watches[0], "phone-2").bond_id
            assert not await echoes(guests)
            await owner.permit(guest, ECHO)
            assert await echoes(guests)
            assert [each.permitted for each in await owner.members()] == [None, ECHO]
            async with guests.port(echo.PORT) as open_port:
                await open_port.send(b"hello")
                await open_port.receive()
                await owner.permit(guest, None)
                with pytest.raises(AccessDenied):
                    await open_port.receive()
                with pytest.raises(AccessDenied):
                    await open_port.send(b"hello")
            assert guests.is_open
            assert owners.is_open

    live(main())


def test_the_owner_renames_and_removes_a_guest() -> None:
    async def main() -> None:
        async with family() as (h, owners, guests), owners.port(household.PORT) as port:
            owner, guest = Owner(port), bond_of(h.watches[0], "phone-2").bond_id
            await owner.rename(guest, "Visitor")
            assert bond_of(h.watches[0], "Visitor").bond_id == guest
            await owner.forget(guest)
            await guests.wait_over()
            assert [each.name for each in await owner.members()] == ["phone-1"]

    live(main())


def test_the_owner_forgets_the_guesses_on_the_watch() -> None:
    async def main() -> None:
        async with family() as (h, owners, _), owners.port(household.PORT) as port:
            store = h.watches[0].store
            for _ in range(3):
                await store.apply(SpendGuess())
            assert h.watches[0].locked_for_s > 0
            await Owner(port).reset_guesses()
            assert h.watches[0].locked_for_s == 0

    live(main())


def test_a_transfer_makes_the_guest_the_owner_and_the_owner_a_guest_at_once() -> None:
    async def main() -> None:
        async with family() as (h, owners, guests):
            async with owners.port(household.PORT) as port:
                await Owner(port).make_owner(bond_of(h.watches[0], "phone-2").bond_id)
                with pytest.raises(AccessDenied):
                    await Owner(port).members()
            async with owners.port(household.PORT) as port:
                with pytest.raises(AccessDenied):
                    await Owner(port).members()
            async with guests.port(household.PORT) as port:
                standings = [each.standing for each in await Owner(port).members()]
            assert standings == [Standing.GUEST, Standing.OWNER]
            assert owners.is_open

    live(main())


def test_a_transfer_to_the_owner_changes_nothing() -> None:
    async def main() -> None:
        async with family() as (h, owners, _), owners.port(household.PORT) as port:
            await Owner(port).make_owner(bond_of(h.watches[0], "phone-1").bond_id)
            assert len(await Owner(port).members()) == 2

    live(main())


def test_a_guest_cannot_open_the_port_and_keeps_its_channel() -> None:
    async def main() -> None:
        async with family() as (h, _, guests):
            async with guests.port(household.PORT) as port:
                with pytest.raises(AccessDenied, match="port household"):
                    await Owner(port).make_owner(bond_of(h.watches[0], "phone-2").bond_id)
            owner = h.watches[0].members.owner
            assert owner is not None
            assert owner.peer_name == "phone-1"
            assert guests.is_open

    live(main())


def test_a_request_that_waits_when_the_ownership_goes_is_not_carried_out() -> None:
    """Sent by the owner, in time, and due after the transfer."""

    async def main() -> None:
        async with family() as (h, owners, _):
            watch = h.watches[0]
            first, second = (bond_of(watch, name).bond_id for name in ("phone-1", "phone-2"))
            async with owners.port(household.PORT) as port:
                for act, bond_id in ((Act.MAKE_OWNER, second), (Act.MAKE_OWNER, first), (Act.FORGET, second)):
                    await port.send(encode(Request(act, bond_id, "", Choice.OF_THE_WATCH, b"")))
                port.shut()
                with pytest.raises(EOFError):
                    await port.receive()
            assert watch.members.owner == bond_of(watch, "phone-2")

    live(main())


def test_the_service_itself_serves_nobody_but_the_owner() -> None:
    """Under a name that guests may open, by mistake: the session lets them through."""

    async def main() -> None:
        async with house() as h:
            watch = await h.add_watch(guest_ports=frozenset({"other"}))
            watch.serve("other", household.serving(watch.members))
            await h.pair(await h.add_phone(), watch)
            guests = await h.pair(await h.add_phone(), watch)
            async with guests.port("other") as port:
                with pytest.raises(EOFError):
                    await Owner(port).rename(bond_of(watch, "phone-1").bond_id, "mine")
            assert bond_of(watch, "phone-1").access.is_owner

    live(main())


def test_the_service_serves_nobody_who_was_the_owner_when_the_port_opened() -> None:
    """Under a name that guests may open, again: the port stays open when the ownership goes."""

    async def main() -> None:
        async with house() as h:
            watch = await h.add_watch(guest_ports=frozenset({"other"}))
            watch.serve("other", household.serving(watch.members))
            owners = await h.pair(await h.add_phone(), watch)
            await h.pair(await h.add_phone(), watch)
            first, second = (bond_of(watch, name).bond_id for name in ("phone-1", "phone-2"))
            async with owners.port("other") as port:
                await Owner(port).rename(first, "mine")
                await watch.members.make_owner(second)
                with pytest.raises(EOFError):
                    await Owner(port).make_owner(first)
            assert watch.members.owner == bond_of(watch, "phone-2")

    run_virtual(main())


@pytest.mark.parametrize("act", ["forget", "rename", "permit", "make_owner"])
def test_what_the_watch_refuses_is_said_and_the_port_goes_on(act: str) -> None:
    async def main() -> None:
        async with family() as (h, owners, _), owners.port(household.PORT) as port:
            owner, nobody = Owner(port), bytes(16)
            asks = {
                "forget": owner.forget(bond_of(h.watches[0], "phone-1").bond_id),
                "rename": owner.rename(nobody, "name"),
                "permit": owner.permit(bond_of(h.watches[0], "phone-1").bond_id, ECHO),
                "make_owner": owner.make_owner(nobody),
            }
            says = {"forget": "make another one the owner", "permit": "only a guest's", "rename": "no bond 00000000"}
            with pytest.raises(BondError, match=says.get(act, "no bond 00000000")):
                await asks.pop(act)
            for left in asks.values():
                left.close()
            assert len(await owner.members()) == 2

    live(main())


def test_names_that_no_port_has_are_refused_before_anything_is_sent() -> None:
    async def main() -> None:
        async with family() as (_, owners, _guests), owners.port(household.PORT) as port:
            with pytest.raises(BondError):
                await Owner(port).permit(bytes(16), frozenset({"x" * 300}))

    live(main())


@pytest.mark.parametrize(
    "junk",
    [b"", b"junk", encode(Request(Act.PERMIT, bytes(16), "", Choice.LISTED, b"\x05echo"))],
    ids=["empty", "junk", "ports that are none"],
)
def test_what_is_no_request_ends_the_port_alone(junk: bytes) -> None:
    async def main() -> None:
        async with family() as (_, owners, _guests):
            async with owners.port(household.PORT) as port:
                await port.send(junk)
                with pytest.raises(EOFError):
                    await port.receive()
            assert owners.is_open

    live(main())


def test_a_watch_that_does_not_answer_is_not_waited_for_for_ever() -> None:
    async def main() -> None:
        async def silent(port: Port) -> None:
            async for _ in port:
                pass

        async with family() as (h, owners, _):
            channel_of(h.watches[0], "phone-1").serve("other", silent)
            async with owners.port("other") as port:
                with pytest.raises(PeerTimedOut):
                    await Owner(port).members()

    live(main())


def test_an_answer_that_is_none_is_refused() -> None:
    async def main() -> None:
        async def babbling(port: Port) -> None:
            async for _ in port:
                await port.send(b"junk")

        async with family() as (h, owners, _):
            channel_of(h.watches[0], "phone-1").serve("other", babbling)
            async with owners.port("other") as port:
                with pytest.raises(MalformedFrame):
                    await Owner(port).members()

    live(main())


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (Request(Act.RENAME, bytes(range(16)), "é", Choice.OF_THE_WATCH, b""), f"03{bytes(range(16)).hex()}02c3a900"),
        (Request(Act.PERMIT, bytes(16), "", Choice.LISTED, b"\x01a"), f"04{bytes(16).hex()}00010161"),
        (Answer(Verdict.REFUSED, 0, "no"), "0100026e6f"),
        (Member(bytes(16), Standing.GUEST, Mark.COPIED, "a", Choice.LISTED, b""), f"{bytes(16).hex()}0201016101"),
    ],
)
def test_the_bytes_stay_what_they_are(value: object, written: str) -> None:
    assert encode(value).hex() == written


@pytest.mark.parametrize("cls", [Request, Answer, Member])
@given(data=st.binary(max_size=64))
def test_any_bytes_are_read_or_refused(cls: type[object], data: bytes) -> None:
    try:
        value = decode(cls, data)
    except MalformedFrame:
        return
    assert encode(value) == data
