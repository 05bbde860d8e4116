"""What a sender and a reader of an outbox hold: the receipt of a message, and the message to be taken."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import field

from blechannel.aio.queues.store import Act
from blechannel.delivery.policies import MessageId
from blechannel.errors import BlechannelError
from blechannel.values import dataclass


class Receipt:
    """Of a message that is durable on this side."""

    def __init__(self, message_id: MessageId) -> None:
        self.message_id = message_id
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._done.add_done_callback(asyncio.Future.exception)

    def __repr__(self) -> str:
        return f"Receipt({self.message_id})"

    async def stored(self) -> None:
        """Return once the peer has stored the message.

        Raises:
            MessageExpired: its time to live was over before, or under best effort its link broke.
            MessageSuperseded: a newer one took its place.
            MessageRefused: it is too large for the peer.
            BondNotFound: the bond was removed.
            StoreError: the outbox was closed; the message waits in its store.
        """
        await asyncio.shield(self._done)

    def settle(self, error: BlechannelError | None) -> None:
        """How it ended; called by its queue."""
        if self._done.done():
            return
        if error is None:
            self._done.set_result(None)
        else:
            self._done.set_exception(error)


@dataclass(slots=True, kw_only=True)
class Delivery:
    """One message that arrived. Until it is taken it is shown again: to the next reader, and after a crash."""

    message: bytes = field(repr=False)
    message_id: MessageId
    bond_id: bytes
    port: str
    row: int = field(repr=False)
    take: Callable[[Act | None], Awaitable[None]] = field(repr=False)
    is_taken: bool = False

    async def taken(self, act: Act | None = None) -> None:
        """The application is done with it: durable on return. Said again, it does nothing.

        `act` is called with the connection of `SqliteQueues`, on its thread and in the same transaction: what it
        writes there stands exactly when the message is taken.

        Raises:
            StoreError: it could not be written; the message is not taken.
            Exception: what `act` raised; the message is not taken.
        """
        if not self.is_taken:
            await self.take(act)
            self.is_taken = True


class Deliveries:
    """An iteration over a queue, which keeps its place."""

    def __init__(self, after: Callable[[int], Awaitable[Delivery]]) -> None:
        self._after = after
        self._row = 0

    def __aiter__(self) -> Deliveries:
        return self

    async def __anext__(self) -> Delivery:
        delivery = await self._after(self._row)
        self._row = delivery.row
        return delivery
