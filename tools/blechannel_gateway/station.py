"""One end of the way between gateway and cloud: sends one way, receives the other, over one connection."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from blechannel.codec import decode, encode
from blechannel.errors import MalformedFrame
from blechannel_gateway import inbox, pseudonyms, spool
from blechannel_gateway.broker import Broker
from blechannel_gateway.courier import Courier, Letter
from blechannel_gateway.database import Database
from blechannel_gateway.errors import BrokerError
from blechannel_gateway.forwarder import Forwarder, Pace
from blechannel_gateway.frames import Ack, Post
from blechannel_gateway.inbox import Arrival, Inbox
from blechannel_gateway.messages import Lane, Limits, Message, MessageId
from blechannel_gateway.spool import Spool
from blechannel_gateway.together import end, together
from blechannel_gateway.topics import Topics, Way

SCHEMA = spool.SCHEMA + inbox.SCHEMA + pseudonyms.SCHEMA
ACK_QOS = 0
"""A lost acknowledgement costs a repetition, not a message: the next one says the same and more."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Who a station is, and where it works."""

    broker: Broker
    site: str
    identifier: str
    """Of the MQTT client; one connection at a time bears it."""
    sends: Way | None = None
    receives: Way | None = None
    shards: Sequence[str] = ("+",)
    """Two hexadecimal digits each: the part of the watches that this one cares for."""
    watches: frozenset[str] | None = None
    """Pseudonyms of the only ones that it cares for; None: all of its shards."""
    extra_filters: Sequence[str] = ()
    will: Letter | None = field(default=None)

    @property
    def topics(self) -> Topics:
        """Of its site."""
        return Topics(self.site)

    def filters(self) -> list[str]:
        """What it subscribes to."""
        levels = [way for way in (self.receives and self.receives.value, self.sends and self.sends.acks) if way]
        if self.watches is None:
            of_lanes = [self.topics.every(level, shard) for level in levels for shard in self.shards]
        else:
            of_lanes = [self.topics.every_port(level, watch) for level in levels for watch in sorted(self.watches)]
        return [*of_lanes, *self.extra_filters]

    def accepts(self, lane: Lane) -> bool:
        """Whether a lane is this one's business."""
        return self.watches is None or lane.watch in self.watches


class Station:
    """`run` keeps it going; `put` and `add` send; iterate `inbox` to receive."""

    def __init__(self, address: Address, spool: Spool, inbox: Inbox, pace: Pace) -> None:
        self.address = address
        self.topics = address.topics
        self.spool = spool
        self.inbox = inbox
        self.inbox.tell = self._ask_for_more
        self.courier = Courier(
            address.broker, self, identifier=address.identifier, filters=address.filters(), will=address.will
        )
        self._forwarder = Forwarder(spool, self._publish, pace)
        spool.tell = self._forwarder.wake
        self._asking: set[asyncio.Task[None]] = set()
        self.when_connected: Callable[[], Sequence[Letter]] = lambda: ()
        """Says what to publish when a connection begins, such as a presence."""
        self.when_away: Callable[[BrokerError], None] = lambda error: _log.warning("%s", error)
        self.other: Callable[[Letter], object] = lambda letter: _log.debug("nobody cares for %s", letter.topic)
        """Takes what is no message and no acknowledgement of a lane."""

    async def put(self, lane: Lane, message: Message) -> bool:
        """See `Spool.put`."""
        return await self.spool.put(lane, message)

    async def add(self, lane: Lane, body: bytes, *, schema: str = "") -> MessageId:
        """See `Spool.add`."""
        return await self.spool.add(lane, body, schema=schema)

    async def run(self) -> None:
        """Until cancelled. Raises BrokerRefused, where the broker never let it in, CloudStoreError, MissingExtra."""
        try:
            await together([self.courier.run(), self._forwarder.run()])
        finally:
            await asyncio.gather(*map(end, tuple(self._asking)))

    # --- called by the courier ---

    async def connected(self) -> None:
        """See Correspondent."""
        self.inbox.connected()
        for letter in self.when_connected():
            await self.courier.publish(letter)
        if self.address.receives is not None:
            for lane, ack in await self.inbox.known():
                await self._acknowledge(lane, ack)
        self._forwarder.connected()

    async def arrived(self, letters: Sequence[Letter]) -> None:
        """See Correspondent."""
        arrivals: list[Arrival] = []
        acks: list[tuple[Lane, Ack]] = []
        for letter in letters:
            level, lane = self.topics.lane(letter.topic) or ("", None)
            try:
                if lane is not None and not self.address.accepts(lane):
                    continue
                if lane is not None and self.address.receives and level == self.address.receives.value:
                    arrivals.append((lane, decode(Post, letter.payload)))
                elif lane is not None and self.address.sends and level == self.address.sends.acks:
                    acks.append((lane, decode(Ack, letter.payload)))
                else:
                    self.other(letter)
            except MalformedFrame as error:
                _log.warning("%s carries what is no frame: %s", letter.topic, error)
        await asyncio.gather(*(self._forwarder.acknowledged(*each) for each in acks))  # one transaction for all
        for lane, ack in await self.inbox.arrived(arrivals):
            await self._acknowledge(lane, ack)

    def away(self, error: BrokerError) -> None:
        """See Correspondent."""
        self._forwarder.away()
        self.when_away(error)

    # --- inside ---

    async def _publish(self, lane: Lane, post: Post) -> None:
        assert self.address.sends is not None
        properties = {
            "schema": post.schema,
            "bond": lane.watch,
            "stream": post.stream.hex(),
            "sequence": str(post.sequence),
        }
        topic = self.topics.posts(self.address.sends, lane)
        await self.courier.publish(Letter(topic, encode(post), properties=properties))

    async def _acknowledge(self, lane: Lane, ack: Ack) -> None:
        assert self.address.receives is not None
        await self.courier.publish(Letter(self.topics.acks(self.address.receives, lane), encode(ack), qos=ACK_QOS))

    def _ask_for_more(self, lane: Lane, ack: Ack) -> None:
        if self.courier.is_connected:
            asking = asyncio.get_running_loop().create_task(self._ask(lane, ack), name="blechannel gateway ask")
            self._asking.add(asking)
            asking.add_done_callback(self._asking.discard)

    async def _ask(self, lane: Lane, ack: Ack) -> None:
        try:
            await self._acknowledge(lane, ack)
        except BrokerError as error:  # what is not asked for now is sent again when it is due
            _log.debug("lane %s/%s: %s", *lane, error)


@asynccontextmanager
async def open_station(
    address: Address,
    path: Path | str,
    *,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    pace: Pace = Pace(),  # noqa: B008 - frozen
) -> AsyncGenerator[Station]:
    """A station on its file, to be run. Leaving closes the file. Raises CloudStoreError, ConfigError."""
    async with AsyncExitStack() as held:
        database = await held.enter_async_context(await Database.open(path, SCHEMA))
        yield Station(address, await Spool.open(database, limits), await Inbox.open(database, limits), pace)
