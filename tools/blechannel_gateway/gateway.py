"""The gateway: keeps its watches, and bridges their ports to a broker."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from blechannel.aio.channel import Channel
from blechannel.aio.keep import Connected, Connecting, KeptState, Searching, Stopped, Waiting
from blechannel.aio.outbox import Outbox
from blechannel.aio.phone import Phone
from blechannel.aio.queues.queue import OutboxQueue
from blechannel.errors import BlechannelError, BondNotFound, LocalProtocolError
from blechannel_gateway.carrying import carry_up, store_down
from blechannel_gateway.courier import Letter
from blechannel_gateway.database import Database
from blechannel_gateway.errors import BrokerError, ConfigError
from blechannel_gateway.inbox import Delivery
from blechannel_gateway.messages import Lane
from blechannel_gateway.plan import Bridged, By, Plan
from blechannel_gateway.presence import GatewayPresence, Link, WatchState
from blechannel_gateway.pseudonyms import SCHEMA, Pseudonyms
from blechannel_gateway.sources import messages_of, profile, values_of
from blechannel_gateway.station import Address, Station, open_station
from blechannel_gateway.together import end, together
from blechannel_gateway.topics import Topics, Way

AGAIN_S: Final = 1.0
"""After a port failed while its channel goes on."""
_LINKS: Final[dict[type[Any], Link]] = {
    Searching: Link.SEARCHING,
    Connecting: Link.CONNECTING,
    Connected: Link.CONNECTED,
    Waiting: Link.WAITING,
    Stopped: Link.STOPPED,
}
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Moved:
    """A watch's link has changed."""

    watch: str
    peer_name: str
    link: Link
    error: BlechannelError | None = None


@dataclass(frozen=True, slots=True)
class Carried:
    """A message was stored on its way."""

    lane: Lane
    way: Way
    size_bytes: int


@dataclass(frozen=True, slots=True)
class PortFailed:
    """A port of a watch does not work; it is tried again."""

    lane: Lane
    error: BlechannelError


@dataclass(frozen=True, slots=True)
class BrokerChanged:
    """The connection to the broker stands, or why it does not."""

    error: BrokerError | None


GatewayEvent = Moved | Carried | PortFailed | BrokerChanged


@dataclass(frozen=True, slots=True)
class Run:
    """One start of a gateway."""

    name: str
    """16 hexadecimal digits, new each time."""
    watches: Mapping[str, bytes]
    """The ids of the bonds by their pseudonyms."""
    outbox: Outbox | None = None
    """The phone's, where the plan bridges ports by it."""


class Gateway:
    """``async with open_gateway(phone, plan) as gateway: await gateway.run()``."""

    def __init__(self, phone: Phone, plan: Plan, station: Station, run: Run) -> None:
        self.station = station
        self.tell: Callable[[GatewayEvent], None] = lambda event: _log.info("%s", event)
        """Told of each event."""
        self._phone = phone
        self._plan = plan
        self._watches = run.watches
        self._run = run
        self._states: dict[str, WatchState] = {}
        self._channels: dict[str, asyncio.Future[Channel]] = {}
        self._unsaid: dict[str, None] = {}
        self._something_unsaid = asyncio.Event()
        station.when_connected = self._present
        station.when_away = lambda error: self.tell(BrokerChanged(error))

    @property
    def watches(self) -> Mapping[str, bytes]:
        """The bonds of the watches that are kept, by their pseudonyms."""
        return self._run.watches

    async def run(self) -> None:
        """Until cancelled, or until nothing is left to be kept.

        Raises:
            BrokerRefused: the broker never let this side in.
            BlechannelError: a store failed.
        """
        work = [self.station.run(), self._say_states(), self._distribute()]
        work += [self._keep(watch, bond_id) for watch, bond_id in self._watches.items()]
        work += [
            self._carry_up(Lane(watch, bridged.port), bridged.schema)
            for watch in self._watches
            for bridged in self._plan.up
            if bridged.by is By.OUTBOX
        ]
        await together(work)

    # --- presence ---

    def _present(self) -> Sequence[Letter]:
        """What is published when a connection begins: the broker may have forgotten, and told the last will."""
        self.tell(BrokerChanged(None))
        states = [state.letter(self.station.topics, watch) for watch, state in self._states.items()]
        return [
            GatewayPresence(online=True, run=self._run.name).letter(self.station.topics, self._plan.gateway),
            *states,
        ]

    async def _say_states(self) -> None:
        while True:
            await self._something_unsaid.wait()
            self._something_unsaid.clear()
            unsaid, self._unsaid = self._unsaid, {}
            for watch in unsaid:
                try:
                    await self.station.courier.publish(self._states[watch].letter(self.station.topics, watch))
                except BrokerError as error:  # all are said when the next connection begins
                    _log.debug("the state of %s was not said: %s", watch, error)

    def _moved(self, watch: str, state: KeptState) -> None:
        link = _LINKS[type(state)]
        self._states[watch] = WatchState(link, self._plan.gateway, self._run.name, int(time.time()))
        self._unsaid[watch] = None
        self._something_unsaid.set()
        error = state.error if isinstance(state, Waiting | Stopped) else None
        self.tell(Moved(watch, self._name_of(watch), link, error))

    def _name_of(self, watch: str) -> str:
        try:
            return self._phone.store.book.bond(self._watches[watch]).peer_name
        except BondNotFound:
            return watch[:8]

    # --- a watch ---

    async def _keep(self, watch: str, bond_id: bytes) -> None:
        serving: asyncio.Task[None] | None = None
        async with self._phone.keep(bond_id, policy=self._plan.keep) as kept, aclosing(kept.states()) as states:
            try:
                async for state in states:
                    self._moved(watch, state)
                    if serving is not None:
                        await end(serving)
                        serving = None
                    if isinstance(state, Connected):
                        serving = asyncio.ensure_future(self._serve(watch, state.channel))
            finally:
                if serving is not None:
                    await end(serving)

    async def _serve(self, watch: str, channel: Channel) -> None:
        """The ports that live as long as a channel."""
        self._channel_of(watch).set_result(channel)
        try:
            ports = (self._port(watch, channel, bridged) for bridged in self._plan.up if bridged.by is not By.OUTBOX)
            await together([channel.wait_over(), *ports])
        finally:
            del self._channels[watch]

    def _channel_of(self, watch: str) -> asyncio.Future[Channel]:
        """The channel of now, or the next one."""
        if watch not in self._channels:
            self._channels[watch] = asyncio.get_running_loop().create_future()
        return self._channels[watch]

    async def _port(self, watch: str, channel: Channel, bridged: Bridged) -> None:
        lane = Lane(watch, bridged.port)
        take = partial(self._take, lane)
        while channel.is_open:
            try:
                if bridged.by is By.PROFILE:
                    await values_of(channel, profile(bridged.port), take)
                else:
                    await messages_of(channel, bridged.port, bridged.schema, take)
            except EOFError:
                _log.debug("%s shut port %s", watch, bridged.port)
            except BlechannelError as error:
                if channel.is_open:
                    self.tell(PortFailed(lane, error))
            await asyncio.sleep(AGAIN_S)

    async def _take(self, lane: Lane, body: bytes, schema: str) -> None:
        await self.station.add(lane, body, schema=schema)
        self.tell(Carried(lane, Way.UP, len(body)))

    def _queue(self, lane: Lane) -> OutboxQueue:
        assert self._run.outbox is not None
        return self._run.outbox.queue(self._watches[lane.watch], lane.port)

    async def _carry_up(self, lane: Lane, schema: str) -> None:
        async for size_bytes in carry_up(self._queue(lane), lane, self.station, schema=schema):
            self.tell(Carried(lane, Way.UP, size_bytes))

    # --- from the cloud ---

    async def _distribute(self) -> None:
        """Each lane in a task of its own: a watch that is away holds nobody else back."""
        lanes: dict[Lane, asyncio.Queue[Delivery]] = {
            Lane(watch, bridged.port): asyncio.Queue() for watch in self._watches for bridged in self._plan.down
        }
        await together([self._sort(lanes), *(self._down(lane, deliveries) for lane, deliveries in lanes.items())])

    async def _sort(self, lanes: dict[Lane, asyncio.Queue[Delivery]]) -> None:
        async for delivery in self.station.inbox:
            if delivery.lane in lanes:
                lanes[delivery.lane].put_nowait(delivery)
            else:
                self.tell(PortFailed(delivery.lane, BlechannelError("this gateway bridges no such port down")))
                await delivery.taken()

    async def _down(self, lane: Lane, deliveries: asyncio.Queue[Delivery]) -> None:
        while True:
            delivery = await deliveries.get()
            try:
                await self._hand_over(lane, delivery)
                self.tell(Carried(lane, Way.DOWN, len(delivery.body)))
            except (
                LocalProtocolError,
                BondNotFound,
            ) as error:  # what can never be handed over must not hold up the rest
                self.tell(PortFailed(lane, error))
            await delivery.taken()

    async def _hand_over(self, lane: Lane, delivery: Delivery) -> None:
        """Into the watch's queue; or on a channel's port, and again on the next channel where that fails."""
        if any(bridged.port == lane.port and bridged.by is By.OUTBOX for bridged in self._plan.down):
            await store_down(self._queue(lane), delivery)
            return
        while True:
            channel = await asyncio.shield(self._channel_of(lane.watch))
            if channel.is_open and len(delivery.body) > channel.max_message_bytes:
                raise LocalProtocolError(f"a message of {len(delivery.body)} bytes is too long for a port")
            try:
                async with channel.port(lane.port) as port:
                    await port.send(delivery.body)
                    return
            except BlechannelError as error:
                self.tell(PortFailed(lane, error))
                await asyncio.sleep(AGAIN_S)


@asynccontextmanager
async def open_gateway(phone: Phone, plan: Plan, outbox: Outbox | None = None) -> AsyncGenerator[Gateway]:
    """A gateway for all watches that the phone is bonded with, to be run; `outbox` is the phone's.

    Raises:
        BondNotFound: it is bonded with none.
        ConfigError, CloudStoreError: as the plan says, or it bridges by an outbox and none is given.
    """
    if plan.policies() and outbox is None:
        raise ConfigError('ports with by = "outbox" need the outbox of the phone')
    for bridged in plan.up:
        if bridged.by is By.PROFILE:
            profile(bridged.port)
    bonds = [bond for bond in phone.store.book.bonds.values() if not bond.pending]
    if not bonds:
        raise BondNotFound("the gateway is bonded with no watch: pair first, with `blechannel phone pair`")
    async with await Database.open(plan.store, SCHEMA) as database:
        pseudonyms = await Pseudonyms.open(database)
    watches = {pseudonyms.of(bond.bond_id): bond.bond_id for bond in bonds}
    run = secrets.token_hex(8)
    address = _address(plan, run, watches)
    async with open_station(address, plan.store, limits=plan.limits, pace=plan.pace) as station:
        yield Gateway(phone, plan, station, Run(run, watches, outbox))


def _address(plan: Plan, run: str, watches: Iterable[str]) -> Address:
    will = GatewayPresence(online=False, run=run).letter(Topics(plan.site), plan.gateway)
    return Address(
        broker=plan.broker,
        site=plan.site,
        identifier=f"blechannel-{plan.site}-{plan.gateway}",
        sends=Way.UP,
        receives=Way.DOWN,
        watches=frozenset(watches),
        will=will,
    )
