"""Run as a program: a seeded life of a watch and two phones on a virtual clock; prints what was on the air.

One line a fragment: when, on which link, whose, and its bytes. The same seed gives the same lines, in this process
and in another. Only ML-KEM encapsulation draws its own randomness, so these devices speak the classical suite.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from random import Random

from blechannel.aio.household import World
from blechannel.aio.phone import Phone
from blechannel.aio.watch import Watch
from blechannel.config import Config, Policy
from blechannel.roles import Role
from blechannel.services import echo, transfer
from blechannel.stores.memory import MemoryStore
from blechannel.transports.loopback import LoopbackAir, LoopbackLink, loopback_pair
from blechannel.transports.virtual_time import run_virtual
from tests.aio.rooms import typing

STARTED_S = 1_700_000_000.0


def world(seed: str) -> World:
    """Randomness and a wall clock that depend on nothing but the seed and the loop's clock."""
    return World(random=Random(seed).randbytes, unix_time=_wall_clock)


def _wall_clock() -> float:
    return STARTED_S + asyncio.get_running_loop().time()


class Tap:
    """Writes down what arrives, on every link."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._links = 0

    def join(self) -> tuple[LoopbackLink, LoopbackLink]:
        ends = loopback_pair()
        number, self._links = self._links, self._links + 1
        for end in ends:
            end.on_air = self._on_link(number)
        return ends

    def _on_link(self, number: int) -> Callable[[Role, bytes], None]:
        def write(role: Role, fragment: bytes) -> None:
            now_s = asyncio.get_running_loop().time()
            self.lines.append(f"{now_s:.6f} {number} {role.value} {fragment.hex()}")

        return write


async def life(seed: str, tap: Tap) -> None:
    """Two phones pair by different codes; both talk at once, one link is lost, one bond is removed."""
    config = Config("side", policy=Policy(hybrid=False), guest_ports=frozenset({echo.PORT}))
    air = LoopbackAir(join=tap.join)
    store = MemoryStore(wall_clock=_wall_clock)
    receiver = transfer.Receiver()
    phones = [
        Phone(MemoryStore(wall_clock=_wall_clock), air.phone(), config=config, world=world(f"{seed} phone {number}"))
        for number in range(2)
    ]
    async with Watch(store, air.watch(), config=config, world=world(f"{seed} watch")) as watch:
        watch.serve(echo.PORT, echo.echo)
        watch.serve(transfer.PORT, receiver.serve)
        for phone in phones:
            window = watch.open_pairing()
            await (await phone.pair(await phone.find(), typing(lambda code=window.code: code))).close()  # type: ignore[misc]
        channels = [await phone.connect(await phone.find()) for phone in phones]
        async with asyncio.TaskGroup() as talks:
            talks.create_task(transfer.send_blob(channels[0], bytes(20_000)))
            async with channels[1].port(echo.PORT) as port:
                await port.send(b"hello")
                await port.receive()
        await asyncio.sleep(60)
        await watch.members.forget(watch.channels[1].bond.bond_id)
        await asyncio.sleep(1)
        for phone in phones:
            await phone.close()


def on_air(seed: str) -> list[str]:
    """What one life put on the air."""
    tap = Tap()
    run_virtual(life(seed, tap))
    return tap.lines


if __name__ == "__main__":
    print(*on_air(sys.argv[1]), sep="\n")
