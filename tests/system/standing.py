"""Where everything stands when a test has waited in vain: printed, so that a rare stall can be understood."""

from __future__ import annotations

import asyncio
import io
import sqlite3
from collections.abc import Iterable

from blechannel.aio.outbox import Outbox
from blechannel_gateway.station import Station


async def of_station(name: str, station: Station) -> str:
    """Its connection, what it forwards, and what it knows of its file beside what the file holds."""
    forwarder, inbox, spool = station._forwarder, station.inbox, station.spool
    counts = await spool._database.transact(_rows)
    return "\n".join(
        [
            f"{name}: connected {station.courier.is_connected}, {counts}, shown {len(inbox._shown)}",
            f"    spool { ({lane: spool.waiting(lane) for lane in spool.lanes}) }",
            f"    forwarder ready {list(forwarder._ready)}, connected {forwarder._is_connected}, {forwarder._lanes}",
        ]
    )


def of_outbox(name: str, outbox: Outbox) -> str:
    """Its queues, and the ports that carry them now."""
    lines = [f"{name}: {outbox._channels}"]
    for queue in outbox._queues.values():
        port = outbox._standing(queue)
        lines.append(
            f"    {queue!r}: waiting {queue.waiting}, untaken {queue.untaken}, receipts {len(queue._receipts)}"
        )
        if port is not None:
            talk = port._talk
            sender = None if talk is None else (talk.stands, talk.sender._phase, talk.sender._is_fetching)
            starts = f"starting {port._is_starting}, stopped {port._is_stopped}"
            lines.append(f"    {starts}, unsent {len(port._unsent)}, sender {sender}")
    return "\n".join(lines)


def of_tasks(tasks: Iterable[asyncio.Task[object]] | None = None) -> str:
    """Where each waits."""
    written = io.StringIO()
    for task in asyncio.all_tasks() if tasks is None else tasks:
        task.print_stack(limit=6, file=written)
    return written.getvalue()


def _rows(db: sqlite3.Connection) -> str:
    return ", ".join(f"{table} {db.execute(f'SELECT count(*) FROM {table}').fetchone()[0]}" for table in _TABLES)


_TABLES = ("kept", "arrived")
