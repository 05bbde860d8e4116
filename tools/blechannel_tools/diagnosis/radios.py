"""Whether radios work: the one that is asked for, and the virtual one."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

from blechannel.aio.link import PhoneTransport
from blechannel.aio.phone import Phone
from blechannel.aio.watch import Watch
from blechannel.errors import BlechannelError, MissingExtra
from blechannel.stores.memory import MemoryStore
from blechannel_tools.diagnosis.finding import Finding, fail, ok, warn
from blechannel_tools.radios import BLEAK, BLUEZ, SOCKETS, open_phone_radio, open_watch_radio

LOOK_S = 1.0
PAIR_S = 20.0


async def transport(spec: str) -> Finding:
    """Open what `--transport` names, and close it again; a simulated one is looked at for a watch."""
    try:
        return await _tried(spec)
    except BlechannelError as error:
        return fail("transport", str(error), "correct --transport, or do what it says")


async def _tried(spec: str) -> Finding:
    kind = spec.partition(":")[0]
    if kind == BLUEZ:
        await (await open_watch_radio(spec)).close()
        return ok("transport", f"{spec} takes the watch's service")
    radio = await open_phone_radio(spec)
    try:
        if spec.startswith(SOCKETS):
            if await _sees_a_watch(radio):
                return ok("transport", f"a watch answers at {spec}")
            return warn("transport", f"nobody answers at {spec}", f"start one: blechannel watch --transport {spec}")
        # Only a scan tells whether the system lets a program use its Bluetooth.
        sees = kind == BLEAK and await _sees_a_watch(radio)
        return ok("transport", f"{spec} opens and answers{', and a watch is in reach' if sees else ''}")
    finally:
        await radio.close()


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

            await phone.pair(await phone.find(), code)
    except (BlechannelError, TimeoutError) as error:
        advice = "install the versions that blechannel asks for: pip install --upgrade 'blechannel[bumble]'"
        return fail("virtual radio", f"pairing does not work: {error!r}", advice)
    return ok("virtual radio", "a watch and a phone pair on it")
