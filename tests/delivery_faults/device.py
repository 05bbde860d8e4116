"""A watch or a phone as a process of its own, to be killed at any moment: its stores are files, its link is real."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from blechannel.aio.outbox import Outbox
from blechannel.aio.phone import Phone
from blechannel.aio.queues.queue import OutboxQueue
from blechannel.aio.watch import Watch
from blechannel.config import Config
from blechannel.delivery.policies import BestEffort
from blechannel.errors import BlechannelError
from blechannel.roles import Role
from blechannel.stores.outbox_sqlite import SqliteQueues
from blechannel.stores.sqlite import SqliteStore
from blechannel.transports.bumble import BumblePhoneTransport, BumbleWatchTransport
from blechannel.transports.tcp import TcpPhoneTransport, TcpWatchTransport
from tests.delivery_faults import bugs
from tests.delivery_faults.traffic import POLICIES, Plan, body, make_tables, note_received, note_sent

FIND_S: Final = 20.0
RETRY_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class Task:
    """What a process is to be."""

    role: Role
    folder: Path
    transport: str
    """``tcp:host:port``, or ``bumble:`` and the name of an HCI transport."""
    plan: Plan
    bug: str = ""
    """That is put in, by its name in `bugs`."""


FINISH, CLOSE = b"finish", b"close"
"""Orders: send no more, and say when the peer has stored all; take what is left, and end."""


def run(task: Task, orders: Connection) -> None:
    """The process: says `FINISH` and `CLOSE` back when it has obeyed; without anybody to order, it ends."""
    logging.disable(logging.CRITICAL)  # broken links are what this is about
    if task.bug:
        bugs.put_in(task.bug)
    asyncio.run(Device(task, orders).live())


class Device:
    """One side."""

    def __init__(self, task: Task, orders: Connection) -> None:
        self.task = task
        self.is_finishing = asyncio.Event()
        self.is_closing = asyncio.Event()
        self._orders = orders

    async def live(self) -> None:
        task = self.task
        asyncio.get_running_loop().add_reader(self._orders.fileno(), self._obey)
        store = await SqliteStore.open(task.folder / f"{task.role.value}.db", role=task.role)
        queues = await SqliteQueues.open(task.folder / f"{task.role.value}.queues")
        await queues.write((), make_tables)
        outbox = Outbox(queues, POLICIES)
        [bond_id] = store.book.bonds
        async with asyncio.TaskGroup() as group:
            carrier = group.create_task(self._carry(store, outbox))
            workers = [
                group.create_task(work(outbox.queue(bond_id, port), queues))
                for port in POLICIES
                for work in (self._send, self._receive)
            ]
            await self._end(outbox, bond_id)
            for each in (carrier, *workers):
                each.cancel()
        await outbox.close()
        await store.close()
        self._orders.send_bytes(CLOSE)

    def _obey(self) -> None:
        try:
            order = self._orders.recv_bytes()
        except EOFError:
            os._exit(1)
        (self.is_finishing if order == FINISH else self.is_closing).set()

    async def _end(self, outbox: Outbox, bond_id: bytes) -> None:
        """Say when nothing of ours waits any more; then, told to close, take what is left."""
        await self.is_finishing.wait()
        queues = [outbox.queue(bond_id, port) for port in POLICIES]
        while any(queue.waiting for queue in queues if not isinstance(queue.policy, BestEffort)):
            await asyncio.sleep(0.01)
        self._orders.send_bytes(FINISH)
        await self.is_closing.wait()
        while any(queue.untaken for queue in queues):
            await asyncio.sleep(0.01)

    # --- links ---

    async def _carry(self, store: SqliteStore, outbox: Outbox) -> None:
        kind, _, address = self.task.transport.partition(":")
        if self.task.role is Role.WATCH:
            radio = TcpWatchTransport(address) if kind == "tcp" else await BumbleWatchTransport.open(address)
            async with Watch(store, radio, config=Config("watch"), outbox=outbox):
                await asyncio.Event().wait()
        central = (
            TcpPhoneTransport([address], scan_interval_s=0.02)
            if kind == "tcp"
            else await BumblePhoneTransport.open(address)
        )
        async with Phone(store, central, config=Config("phone"), outbox=outbox) as phone:
            while True:
                with suppress(BlechannelError):
                    channel = await phone.connect(await phone.find(timeout_s=FIND_S))
                    await channel.wait_over()
                await asyncio.sleep(RETRY_S)

    # --- the application ---

    async def _send(self, queue: OutboxQueue, queues: SqliteQueues) -> None:
        task, port = self.task, queue.port
        number = await self._last_sent(queues, port)
        chance = random.Random()
        while not self.is_finishing.is_set():
            number += 1
            message = body(task.plan, task.role.value, port, number)
            note = note_sent(port, number)
            if isinstance(queue.policy, BestEffort):
                await queues.write((), note)
                await queue.send(message)
            else:
                await queue.send(message, act=note)
            await asyncio.sleep(chance.expovariate(1 / task.plan.pause_s))

    async def _last_sent(self, queues: SqliteQueues, port: str) -> int:
        found: list[int] = []

        def look(at: sqlite3.Connection) -> None:
            found.append(at.execute("SELECT max(number) FROM app_sent WHERE port = ?", (port,)).fetchone()[0] or 0)

        await queues.write((), look)
        return found[-1]

    async def _receive(self, queue: OutboxQueue, queues: SqliteQueues) -> None:
        async for delivery in queue:
            note = note_received(queue.port, delivery.message)
            if isinstance(queue.policy, BestEffort):
                await queues.write((), note)
                await delivery.taken()
            else:
                await delivery.taken(act=note)
