"""Household: the owner's phone sees who belongs to the watch, and decides what they may do.

The port is the owner's alone: a session denies it to every other phone before this service sees it, and each request
is checked again, because the ownership may have been transferred since the port was opened. The owner asks, the watch
answers each request in turn; a list is followed by as many members as it says. Who transfers the ownership is denied
the port from then on, which is the answer.
"""

from __future__ import annotations

import asyncio
from enum import IntEnum

from blechannel.aio.channel import Service
from blechannel.aio.membership import Membership
from blechannel.aio.port import Port
from blechannel.codec import REST, U8, decode, encode, octets, on_air, one_of, text
from blechannel.errors import AccessDenied, BondError, MalformedFrame, PeerTimedOut
from blechannel.pairing.access import Access, Standing, pack_ports, unpack_ports
from blechannel.pairing.bonds import BOND_ID_BYTES, Bond
from blechannel.values import dataclass

PORT = "household"
ANSWER_S = 10.0
MAX_REASON_BYTES = 200
NOBODY = bytes(BOND_ID_BYTES)


class Act(IntEnum):
    """What the owner asks for."""

    LIST = 1
    FORGET = 2
    RENAME = 3
    PERMIT = 4
    MAKE_OWNER = 5
    RESET_GUESSES = 6


class Choice(IntEnum):
    """Which ports a guest may use."""

    OF_THE_WATCH = 0
    LISTED = 1


class Verdict(IntEnum):
    """What became of a request."""

    DONE = 0
    REFUSED = 1


class Mark(IntEnum):
    """What the owner should know of a bond."""

    NONE = 0
    COPIED = 1


@dataclass(frozen=True, slots=True)
class Request:
    """Owner → watch."""

    act: Act = on_air(one_of(Act), "1 list, 2 forget, 3 rename, 4 permit, 5 make the owner, 6 reset guesses")
    bond_id: bytes = on_air(octets(BOND_ID_BYTES), "the phone that it is about; zeros in 1 and 6")
    name: str = on_air(text(), "in 3 the new name, else empty")
    choice: Choice = on_air(one_of(Choice), "in 4: 0 the ports that the watch allows every guest, 1 those listed")
    ports: bytes = on_air(REST, "with choice 1: the names of ports, sorted, each behind its length")


@dataclass(frozen=True, slots=True)
class Answer:
    """Watch → owner, one for each request."""

    verdict: Verdict = on_air(one_of(Verdict), "0 done, 1 refused: nothing changed")
    members: int = on_air(U8, "so many Member follow")
    reason: str = on_air(text(MAX_REASON_BYTES), "why it was refused, for people")


@dataclass(frozen=True, slots=True)
class Member:
    """Watch → owner, after a list: one phone."""

    bond_id: bytes = on_air(octets(BOND_ID_BYTES), "the watch's name for the bond")
    standing: Standing = on_air(one_of(Standing), "1 owner, 2 guest")
    mark: Mark = on_air(one_of(Mark), "1 where it is certain that the bond was copied")
    name: str = on_air(text(), "what the phone is called")
    choice: Choice = on_air(one_of(Choice), "as in Request")
    ports: bytes = on_air(REST, "as in Request")

    @property
    def permitted(self) -> frozenset[str] | None:
        """The ports that were chosen for this guest; None where the watch's choice for guests holds."""
        return _unpack(self.choice, self.ports)


def serving(members: Membership) -> Service:
    """The service of the port, for ``watch.serve(PORT, serving(watch.members))``."""

    async def serve(port: Port) -> None:
        async for message in port:
            request = decode(Request, message)
            if not port.channel.bond.access.is_owner:
                raise AccessDenied(PORT)
            await _answer(port, members, request)

    return serve


class Owner:
    """What the owner's phone asks on an open port, one request after the other.

    Every method raises AccessDenied where this phone is not the owner's, BondError with the watch's reason where it
    refuses, MalformedFrame for an answer that is none, and PeerTimedOut after 10 seconds without one.
    """

    def __init__(self, port: Port) -> None:
        self._port = port

    async def members(self) -> list[Member]:
        """The phones that belong to the watch."""
        answer = await self._ask(Act.LIST)
        return [decode(Member, await self._hear()) for _ in range(answer.members)]

    async def forget(self, bond_id: bytes) -> None:
        """Remove a phone: its channel ends at once."""
        await self._ask(Act.FORGET, bond_id)

    async def rename(self, bond_id: bytes, name: str) -> None:
        """Call a phone `name`."""
        await self._ask(Act.RENAME, bond_id, name=name)

    async def permit(self, bond_id: bytes, ports: frozenset[str] | None) -> None:
        """Let a guest use these ports and no others; None for what the watch allows every guest."""
        Access(Standing.GUEST, ports)  # says which names no port has, before anything is sent
        await self._ask(Act.PERMIT, bond_id, ports=ports)

    async def make_owner(self, bond_id: bytes) -> None:
        """Give the watch to another phone. On return this one is a guest, and its port is denied."""
        await self.members()  # only the owner gets an answer: being denied after that can only be the transfer
        try:
            await self._ask(Act.MAKE_OWNER, bond_id)
        except AccessDenied:
            return

    async def reset_guesses(self) -> None:
        """Forget the wrong codes that were tried on the watch."""
        await self._ask(Act.RESET_GUESSES)

    async def _ask(
        self, act: Act, bond_id: bytes = NOBODY, *, name: str = "", ports: frozenset[str] | None = None
    ) -> Answer:
        await self._port.send(encode(Request(act, bond_id, name, *_pack(ports))))
        answer = decode(Answer, await self._hear())
        if answer.verdict is Verdict.REFUSED:
            raise BondError(answer.reason)
        return answer

    async def _hear(self) -> bytes:
        try:
            async with asyncio.timeout(ANSWER_S):
                return await self._port.receive()
        except TimeoutError:
            raise PeerTimedOut(f"the watch did not answer within {ANSWER_S:g} s") from None


async def _answer(port: Port, members: Membership, request: Request) -> None:
    try:
        await _act(members, request)
    except BondError as error:
        reason = str(error).encode()[:MAX_REASON_BYTES].decode(errors="ignore")
        await port.send(encode(Answer(Verdict.REFUSED, 0, reason)))
        return
    listed = members.bonds if request.act is Act.LIST else []
    await port.send(encode(Answer(Verdict.DONE, len(listed), "")))
    for bond in listed:
        await port.send(encode(_member(bond)))


async def _act(members: Membership, request: Request) -> None:
    match request.act:
        case Act.FORGET:
            await members.forget(request.bond_id)
        case Act.RENAME:
            await members.rename(request.bond_id, request.name)
        case Act.PERMIT:
            await members.permit(request.bond_id, _unpack(request.choice, request.ports))
        case Act.MAKE_OWNER:
            await members.make_owner(request.bond_id)
        case Act.RESET_GUESSES:
            await members.reset_guesses()
        case Act.LIST:
            return


def _member(bond: Bond) -> Member:
    access = bond.access
    mark = Mark.NONE if bond.copied_s is None else Mark.COPIED
    return Member(bond.bond_id, access.standing, mark, bond.peer_name, *_pack(access.ports))


def _pack(ports: frozenset[str] | None) -> tuple[Choice, bytes]:
    return (Choice.OF_THE_WATCH, b"") if ports is None else (Choice.LISTED, pack_ports(ports))


def _unpack(choice: Choice, ports: bytes) -> frozenset[str] | None:
    if choice is Choice.OF_THE_WATCH:
        return None
    try:
        return unpack_ports(ports)
    except ValueError as error:
        raise MalformedFrame(f"no list of ports: {error}") from None
