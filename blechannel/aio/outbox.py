"""Messages that survive broken links: the queues of one side, carried by whichever channel stands."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from blechannel.aio.household import World
from blechannel.aio.queues.memory import MemoryQueues
from blechannel.aio.queues.port import OutboxPort
from blechannel.aio.queues.queue import OutboxQueue
from blechannel.aio.queues.store import QueueStore
from blechannel.delivery import changes as to
from blechannel.delivery.events import BondGone, CarriedOver, OutboxEvent
from blechannel.delivery.ledger import Lane
from blechannel.delivery.policies import BestEffort, Policy
from blechannel.errors import BondNotFound, LocalProtocolError, StoreError
from blechannel.limits import MAX_PORT_NAME_BYTES, MAX_PORTS, is_name
from blechannel.pairing.bonds import BondBook

if TYPE_CHECKING:
    from blechannel.aio.channel import Channel

EVENTS_KEPT: Final = 1024
MAX_BYTES: Final = 1 << 28
"""Of all messages in a store."""

_log = logging.getLogger(__name__)


class Outbox:
    """The queues of one phone or watch: ``Watch(store, radio, outbox=Outbox(queues, {"journal": Ordered()}))``.

    `policies` names the ports that it carries; both sides need the same ones. `max_bytes` bounds the whole store: a
    sender waits beyond it, and what arrives is refused for a while. Leaving ``async with`` closes the queues.

    Raises:
        LocalProtocolError: no port has such a name, or there are too many.
    """

    def __init__(
        self,
        queues: QueueStore,
        policies: Mapping[str, Policy],
        *,
        max_bytes: int = MAX_BYTES,
        world: World = World(),  # noqa: B008 - frozen
    ) -> None:
        if len(policies) > MAX_PORTS - 1 or not all(is_name(name, MAX_PORT_NAME_BYTES) for name in policies):
            raise LocalProtocolError(f"an outbox carries at most {MAX_PORTS - 1} ports, by names that ports have")
        self.world = world
        self.max_bytes = max_bytes
        self._policies = dict(policies)
        self._durable = queues
        self._fleeting = MemoryQueues()
        self._queues: dict[tuple[bytes, str], OutboxQueue] = {}
        self._channels: dict[bytes, Channel] = {}
        self._events: asyncio.Queue[OutboxEvent] = asyncio.Queue(EVENTS_KEPT)
        self._book: BondBook | None = None
        self._successors: dict[bytes, bytes] = {}
        """Bonds that are to be replaced, by which; the store knows them too."""
        self.cramped: set[OutboxQueue] = set()
        """Whose senders wait for room."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Let the queues go; close the phone or watch first. Safe to call again."""
        for queue in self._queues.values():
            queue.end(StoreError("the outbox is closed"))
        await self._durable.close()
        await self._fleeting.close()

    @property
    def ports(self) -> frozenset[str]:
        """The ports that it carries."""
        return frozenset(self._policies)

    def queue(self, bond_id: bytes, port: str) -> OutboxQueue:
        """The queue of a port with a bond, whether a channel stands or not.

        Raises:
            LocalProtocolError: the outbox does not carry this port.
        """
        queue = self._queues.get((bond_id, port))
        if queue is None:
            policy = self._policies.get(port)
            if policy is None:
                raise LocalProtocolError(f"the outbox does not carry port {port}: name it with a policy")
            store = self._fleeting if isinstance(policy, BestEffort) else self._durable
            queue = self._queues[bond_id, port] = OutboxQueue(self, store, policy, bond_id=bond_id, port=port)
            queue.expire()
        return queue

    async def events(self) -> AsyncGenerator[OutboxEvent, None]:
        """What happens, in order; the oldest are dropped when nobody looks. Ends only when it is closed."""
        while True:
            yield await self._events.get()

    # --- called by the household ---

    def port(self, channel: Channel, name: str) -> OutboxPort:
        """That which carries this lane in `channel`, made anew."""
        return OutboxPort(channel, name, self)

    def stands(self, channel: Channel) -> None:
        """A channel stands: what waits for its peer goes."""
        bond_id = channel.bond.bond_id
        self._channels[bond_id] = channel
        for name in self._policies:
            lane = self.queue(bond_id, name).lane
            if lane is not None and lane.waiting.entries:
                self._port(channel, name).wake()

    def over(self, channel: Channel) -> None:
        """It does not any more."""
        for bond_id, each in tuple(self._channels.items()):
            if each is channel:
                del self._channels[bond_id]

    def book_changed(self, book: BondBook) -> None:
        """The bonds are these now: the lanes of one that was replaced are its successor's, of one that is gone go."""
        if book is self._book:
            return
        self._book = book
        self._successors.update(self._durable.ledger.successors)
        for bond in book.bonds.values():
            if bond.replaces is not None and self._successors.get(bond.replaces) != bond.bond_id:
                self._successors[bond.replaces] = bond.bond_id
                written = self._durable.write((to.Succeed(bond.replaces, bond.bond_id),))
                written.add_done_callback(_log_failure)
        for store in (self._durable, self._fleeting):
            for lane in tuple(store.ledger.lanes.values()):
                if lane.bond_id in book.bonds:
                    if lane.port in self._policies:
                        self.queue(lane.bond_id, lane.port)  # its messages may have expired
                else:
                    self._orphaned(store, lane, self._heir(lane.bond_id, book))

    # --- called by queues and ports ---

    def has_room(self, store: QueueStore, size: int) -> bool:
        """Whether the whole store takes so many bytes more."""
        return store.ledger.held_bytes + size <= self.max_bytes

    def expiry_s(self, policy: Policy) -> float | None:
        """When a message of now expires, in seconds since 1970."""
        unix_s = self.world.unix_time()
        return None if policy.ttl_s is None or unix_s is None else unix_s + policy.ttl_s

    def write(self, queue: OutboxQueue, changes: tuple[to.Change, ...]) -> asyncio.Future[None]:
        """What a port wants written; what arrives must fit into the whole store."""
        size = sum(len(change.body) for change in changes if isinstance(change, to.Keep))
        if size and not self.has_room(queue.store, size):
            refused: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            refused.set_exception(StoreError(f"the outbox holds its {self.max_bytes} bytes: nobody takes what arrives"))
            return refused
        return queue.store.write(changes)

    def tell(self, event: OutboxEvent) -> None:
        """Something happened: the queue's senders are told, then whoever listens."""
        if isinstance(event, CarriedOver):
            self._carry_receipts(event)
        queue = self._queues.get((event.bond_id, event.port))
        if queue is not None:
            queue.told(event)
        if self._events.full():
            self._events.get_nowait()
        self._events.put_nowait(event)

    def queued(self, queue: OutboxQueue) -> None:
        """Something waits to be sent."""
        port = self._standing(queue)
        if port is not None:
            port.wake()

    def taken(self, queue: OutboxQueue) -> None:
        """The application took something: there is room."""
        port = self._standing(queue)
        if port is not None:
            port.taken()
        self.changed(queue)

    def changed(self, queue: OutboxQueue) -> None:
        """A queue's store has changed: who waits for room or for messages looks; room is everybody's."""
        queue.notice()
        for each in tuple(self.cramped):
            each.notice()

    # --- inside ---

    def _standing(self, queue: OutboxQueue) -> OutboxPort | None:
        channel = self._channels.get(queue.bond_id)
        return self._port(channel, queue.port) if channel is not None else None

    def _port(self, channel: Channel, name: str) -> OutboxPort:
        port = channel.port(name)
        assert isinstance(port, OutboxPort)
        return port

    def _heir(self, bond_id: bytes, book: BondBook) -> bytes | None:
        """The bond that took this one's place, through any number of pairings."""
        seen: set[bytes] = set()
        heir: bytes | None = bond_id
        while heir is not None and heir not in book.bonds and heir not in seen:
            seen.add(heir)
            heir = self._successors.get(heir)
        return heir if heir in book.bonds else None

    def _orphaned(self, store: QueueStore, lane: Lane, heir: bytes | None) -> None:
        event: OutboxEvent
        if heir is None:
            event = BondGone(lane.bond_id, lane.port, len(lane.waiting.entries), len(lane.untaken.entries))
            change: to.Change = to.RemoveLane(lane.number)
        else:
            event = CarriedOver(heir, lane.port, lane.bond_id)
            into = store.ledger.find(heir, lane.port)
            change = to.MergeLane(lane.number, into.number) if into else to.MoveLane(lane.number, heir)
        store.write((change,)).add_done_callback(partial(self._rehomed, event))

    def _rehomed(self, event: BondGone | CarriedOver, written: asyncio.Future[None]) -> None:
        if (error := written.exception()) is not None:
            _log.error("what waits on port %s for a bond that was removed stays there: %s", event.port, error)
            return
        self.tell(event)
        if isinstance(event, BondGone):
            old = self._queues.pop((event.bond_id, event.port), None)
            if old is not None:
                name = event.bond_id.hex()[:8]
                old.end(BondNotFound(f"the bond {name} was removed, and its messages with it"))

    def _carry_receipts(self, event: CarriedOver) -> None:
        """Receipts follow their messages."""
        heir = self.queue(event.bond_id, event.port)
        old = self._queues.pop((event.former, event.port), None)
        if old is not None:
            old.hand_over(heir)
        heir.notice()
        asyncio.get_running_loop().call_soon(self.queued, heir)


def _log_failure(written: asyncio.Future[None]) -> None:
    if (error := written.exception()) is not None:
        _log.error("which bond is to be replaced could not be written down: %s", error)
