"""Messages between the outboxes of a phone and the gateway's station, in both directions."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Final

from blechannel.aio.queues.queue import OutboxQueue
from blechannel.errors import StoreError
from blechannel_gateway.inbox import Delivery
from blechannel_gateway.messages import Lane, Message, MessageId
from blechannel_gateway.station import Station

_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS from_cloud(watch TEXT, port TEXT, stream BLOB, upto INTEGER, PRIMARY KEY(watch, port))"
)


class _WasStored(StoreError):
    """The outbox has this message: the gateway was ended between storing it there and noting so."""


async def carry_up(queue: OutboxQueue, lane: Lane, station: Station, *, schema: str) -> AsyncGenerator[int]:
    """Each message that the watch sent, under the id that it gave it; taken once the station has it. Says their sizes.

    While the station has no room it waits, so that the queue fills, and the watch's is held back by its outbox.
    """
    async for delivery in queue:
        message_id = MessageId(delivery.message_id.stream, delivery.message_id.sequence)
        await station.put(lane, Message(message_id, delivery.message, schema))
        await delivery.taken()
        yield len(delivery.message)


async def store_down(queue: OutboxQueue, delivery: Delivery) -> None:
    """Put a message of the cloud into the watch's queue, once: its id is noted in the same transaction.

    Raises StoreError, BondNotFound, LocalProtocolError (too large for the queue).
    """

    def note(db: sqlite3.Connection) -> None:
        db.execute(_TABLE)
        key, message_id = tuple(delivery.lane), delivery.message_id
        found = db.execute("SELECT stream, upto FROM from_cloud WHERE watch=? AND port=?", key).fetchone()
        if found is not None and found[0] == message_id.stream and message_id.sequence <= found[1]:
            raise _WasStored("it was stored before")
        db.execute("INSERT OR REPLACE INTO from_cloud VALUES(?, ?, ?, ?)", (*key, *message_id))

    with suppress(_WasStored):
        await queue.send(delivery.body, act=note)
