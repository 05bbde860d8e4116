"""Starts a watch and a phone as processes, kills them at random moments, and lets them finish in the end."""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from blechannel.roles import Role
from tests.aio.rooms import room
from tests.delivery_faults.device import CLOSE, FINISH, Task, run
from tests.delivery_faults.traffic import Plan
from tests.delivery_faults.verdict import Verdict, judge

END_S: Final = 180.0
"""For what waits when the killing is over."""

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["tests.delivery_faults.device"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordeal:
    """A run."""

    transport: str
    """``tcp`` or ``bumble``."""
    kills: int
    longest_s: float
    """Between two kills."""
    plan: Plan
    bug: str = ""


class NotFinished(Exception):
    """What waits is not delivered in time, or a process died by itself."""


class Living:
    """A process that lives now."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._line, theirs = _context.Pipe()
        self._process = _context.Process(target=run, args=(task, theirs))
        self._process.start()
        theirs.close()

    def kill(self) -> None:
        """SIGKILL; safe to call again."""
        self._process.kill()
        self._process.join()
        self._line.close()

    def order(self, order: bytes) -> None:
        """Say what is to be done."""
        self._line.send_bytes(order)

    def obeyed(self, order: bytes, *, by: float) -> None:
        """Wait until it was."""
        if not self._line.poll(max(0.0, by - time.monotonic())):
            raise NotFinished(f"the {self._task.role.value} did not {order.decode()} in time")
        try:
            assert self._line.recv_bytes() == order
        except EOFError:
            raise NotFinished(f"the {self._task.role.value} died") from None


def undergo(ordeal: Ordeal, folder: Path) -> Verdict:
    """Kill as often as asked, let what waits be delivered, and compare."""
    asyncio.run(_pair(folder))
    chance = random.Random(ordeal.plan.seed)
    with _air(ordeal.transport) as transport, ExitStack() as living:
        sides = {role: Living(Task(role, folder, transport, ordeal.plan, ordeal.bug)) for role in Role}
        living.callback(_kill, sides)
        for _ in range(ordeal.kills):
            time.sleep(chance.uniform(0.0, ordeal.longest_s))
            role = chance.choice(list(Role))
            sides[role].kill()
            sides[role] = Living(Task(role, folder, transport, ordeal.plan, ordeal.bug))
        by = time.monotonic() + END_S
        for order in (FINISH, CLOSE):
            for side in sides.values():
                side.order(order)
            for side in sides.values():
                side.obeyed(order, by=by)
    return judge(folder, ordeal.plan)


def _kill(sides: dict[Role, Living]) -> None:
    for side in sides.values():
        side.kill()


async def _pair(folder: Path) -> None:
    """The stores of both sides, as after a pairing."""
    async with room(folder) as ours:
        await (await ours.pair()).close()


@contextmanager
def _air(transport: str) -> Iterator[str]:
    if transport == "tcp":
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        yield f"tcp:tcp:127.0.0.1:{port}"
        return
    command = [sys.executable, "-m", "tests.delivery_faults.controllers"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"bumble:{process.stdout.readline().strip()}"
        finally:
            process.communicate()
