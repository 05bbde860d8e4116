"""Whether radios work: the one that is asked for, and the virtual one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from typing import TYPE_CHECKING

from blechannel.aio.link import PhoneTransport
from blechannel.aio.phone import Phone
from blechannel.aio.watch import Watch
from blechannel.errors import BlechannelError, MissingExtra
from blechannel.stores.memory import MemoryStore
from blechannel_tools.board import Board
from blechannel_tools.diagnosis.finding import Finding, fail, ok, warn
from blechannel_tools.radios import BLEAK, BLUEZ, SOCKETS, open_phone_radio, open_watch_radio

if TYPE_CHECKING:
    from blechannel.transports.bumble.facts import ControllerFacts

GOOD_ACL_BYTES = 251
"""A whole packet of the link layer."""
LOOK_S = 1.0
PAIR_S = 20.0


async def transport(spec: str, board: Board | None = None) -> list[Finding]:
    """Open what `--transport` or `board` names, and close it again; a simulated one is looked at for a watch."""
    try:
        return await _tried(spec, board)
    except BlechannelError as error:
        return [fail("transport", str(error), "correct --transport, or do what it says")]


async def _tried(spec: str, board: Board | None) -> list[Finding]:
    kind = spec.partition(":")[0]
    if kind == BLUEZ:
        await (await open_watch_radio(spec)).close()
        return [ok("transport", f"{spec} takes the watch's service")]
    radio = await open_phone_radio(spec)
    try:
        if spec.startswith(SOCKETS):
            if await _sees_a_watch(radio):
                return [ok("transport", f"a watch answers at {spec}")]
            return [warn("transport", f"nobody answers at {spec}", f"start one: blechannel watch --transport {spec}")]
        if kind == BLEAK:  # only a scan tells whether the system lets a program use its Bluetooth
            sees = await _sees_a_watch(radio)
            return [ok("transport", f"{spec} opens and answers{', and a watch is in reach' if sees else ''}")]
        return [ok("transport", f"{spec} opens and answers"), *_controller(radio, board)]
    finally:
        await radio.close()


def _controller(radio: PhoneTransport, board: Board | None) -> Iterator[Finding]:
    """Nothing where bumble's radio is another's."""
    from blechannel.transports.bumble import BumblePhoneTransport

    if isinstance(radio, BumblePhoneTransport):
        yield controller(radio.controller, board)


def controller(facts: ControllerFacts, board: Board | None) -> Finding:
    """What a controller offers, against what its board promises."""
    text = f"Bluetooth {facts.version}, buffers of {facts.acl_bytes} bytes, PHY {', '.join(facts.phys)}"
    lacking = sorted(set(board.phys) - set(facts.phys)) if board is not None else []
    if facts.acl_bytes < (GOOD_ACL_BYTES if board is None or board.acl_bytes is None else board.acl_bytes):
        advice = "each fragment goes in pieces: build the firmware with hardware/firmware/controller.conf"
        return warn("controller", f"{text}: small buffers", advice)
    if lacking:
        return warn("controller", f"{text}: not {', '.join(lacking)}", "bring its firmware up to date")
    return ok("controller", text)


async def _sees_a_watch(radio: PhoneTransport) -> bool:
    """Raises TransportError where it cannot look."""
    try:
        async with asyncio.timeout(LOOK_S), aclosing(radio.scan()) as sightings:
            async for _ in sightings:
                return True
    except TimeoutError:
        pass
    return False


async def virtual_radio() -> Finding:
    """Pair a phone with a watch, both in memory, over the virtual radio."""
    try:
        from blechannel.transports.bumble import VirtualRadio
    except MissingExtra as error:
        return warn("virtual radio", "not tried", str(error))
    radio = VirtualRadio()
    try:
        async with (
            asyncio.timeout(PAIR_S),
            Watch(MemoryStore(), await radio.watch()) as watch,
            Phone(MemoryStore(), await radio.phone()) as phone,
        ):
            window = watch.open_pairing()

            async def code() -> str:
                return window.code

            channel = await phone.pair(await phone.find(), code)
            fragment_bytes, phy = channel.max_fragment_bytes, channel.posture.phy
    except (BlechannelError, TimeoutError) as error:
        advice = "install the versions that blechannel asks for: pip install --upgrade 'blechannel[bumble]'"
        return fail("virtual radio", f"pairing does not work: {error!r}", advice)
    return ok("virtual radio", f"a watch and a phone pair on it: fragments of {fragment_bytes} bytes, PHY {phy}")
