"""A fleet's messages all the way: watch, channel, gateway with its file, broker, and a subscriber with its own.

Gateway and subscriber are those that are used outside. A message's latency ends where the subscriber has stored it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from blechannel.errors import PeerTimedOut
from blechannel_gateway.broker import Broker
from blechannel_gateway.cloud import CloudInbox
from blechannel_gateway.courier import Letter
from blechannel_gateway.errors import BrokerError
from blechannel_gateway.gateway import BrokerChanged, Gateway, GatewayEvent, Moved, open_gateway
from blechannel_gateway.inbox import Delivery
from blechannel_gateway.plan import Bridged, By, Plan
from blechannel_gateway.presence import Link
from blechannel_gateway.together import end
from blechannel_tools.fleet.fleet import Fleet
from blechannel_tools.fleet.load import DRAIN_S, PORT, START_S_EACH, Offer, Served, first_s, send_due
from blechannel_tools.fleet.resources import Resources

NAME = "simulated"
"""Of the site and of the gateway: one run at a time on a broker."""
SESSION_S = 60
"""How long the broker keeps what a run that was cut off has left."""
READY_S = 60.0
START_S = 0.2
TAKEN_AT_ONCE = 256
POLL_S = 0.01


@dataclass(frozen=True, slots=True)
class Cloud:
    """What stands behind the phone of a fleet, running."""

    gateway: Gateway
    inbox: CloudInbox
    numbers: Mapping[str, int]
    """Which pair of the fleet a watch's pseudonym means."""


async def serve_over(
    fleet: Fleet, offer: Offer, broker: Broker, *, arrived: Callable[[int], None] = lambda _: None
) -> Served:
    """As `load.serve`, up to a subscriber; the fleet has one phone. Its channels are closed afterwards.

    Raises:
        BrokerError: the broker cannot be reached, or does not let this side in. CloudStoreError: no room on the disk.
        PeerTimedOut: not everything stands after `READY_S`.
    """
    served = Served(len(fleet.pairs), offer, of_each=[0] * len(fleet.pairs), broker=f"{broker.host}:{broker.port}")
    for pair in fleet.pairs:
        pair.watch.port(PORT).open()
    async with _cloud(fleet, replace(broker, session_expiry_s=SESSION_S)) as cloud:
        used = Resources.now()
        served.began_s = asyncio.get_running_loop().time() + START_S + served.watches * START_S_EACH
        hearing = asyncio.ensure_future(_hear(cloud, served, arrived))
        writing = [
            send_due(pair.watch.port(PORT), offer, first_s(served, number)) for number, pair in enumerate(fleet.pairs)
        ]
        try:
            await asyncio.gather(*writing)
            with suppress(TimeoutError):
                async with asyncio.timeout(DRAIN_S):
                    await asyncio.shield(hearing)
        finally:
            await end(hearing)
        served.wall_s = max(served.arrived_s, default=0.0) or offer.seconds
        served.cpu_s = Resources.now().cpu_s - used.cpu_s
    return served


@asynccontextmanager
async def _cloud(fleet: Fleet, broker: Broker) -> AsyncGenerator[Cloud]:
    """Bridging, with every watch connected; nothing of it is left on the broker afterwards."""
    with TemporaryDirectory(prefix="blechannel-") as name:
        plan = _plan(broker, Path(name))
        inbox = CloudInbox(Path(name) / "cloud.db", broker, site=NAME, identifier=f"blechannel-{NAME}-cloud")
        async with inbox:
            async with open_gateway(fleet.phones[0], plan) as gateway:
                bridging = asyncio.ensure_future(gateway.run())
                try:
                    await _until_ready(gateway, inbox, bridging)
                    yield Cloud(gateway, inbox, _numbers(fleet, gateway))
                finally:
                    await end(bridging)
            with suppress(BrokerError):  # it is as gone as what it has kept
                await _clean(inbox, gateway)


def _plan(broker: Broker, folder: Path) -> Plan:
    return Plan(
        site=NAME,
        gateway=NAME,
        store=folder / "gateway.db",
        outbox=folder / "gateway.outbox",
        broker=broker,
        up=(Bridged(PORT, By.PORT),),
        down=(),
    )


def _numbers(fleet: Fleet, gateway: Gateway) -> dict[str, int]:
    of_bonds = {pair.phone.bond_id: number for number, pair in enumerate(fleet.pairs)}
    return {watch: of_bonds[bond_id] for watch, bond_id in gateway.watches.items()}


async def _until_ready(gateway: Gateway, inbox: CloudInbox, bridging: asyncio.Future[None]) -> None:
    connected: set[str] = set()
    failed: list[BrokerError] = []

    def tell(event: GatewayEvent) -> None:
        if isinstance(event, Moved) and event.link is Link.CONNECTED:
            connected.add(event.watch)
        elif isinstance(event, BrokerChanged) and event.error is not None:
            failed.append(event.error)

    gateway.tell = tell
    stations = (gateway.station, inbox.station)
    try:
        async with asyncio.timeout(READY_S):
            while len(connected) < len(gateway.watches) or not all(each.courier.is_connected for each in stations):
                if bridging.done():
                    bridging.result()
                if failed:
                    raise failed[0]
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        raise PeerTimedOut(f"gateway and subscriber were not ready within {READY_S:g} s: take fewer watches") from None


async def _hear(cloud: Cloud, served: Served, arrived: Callable[[int], None]) -> None:
    """Until all has come."""
    loop, shown = asyncio.get_running_loop(), list[Delivery]()
    async for delivery in cloud.inbox:
        number = cloud.numbers.get(delivery.lane.watch)
        if number is not None:  # not what another run has left
            served.take(number, delivery.body, now_s=loop.time())
            arrived(len(served.latencies_s))
        shown.append(delivery)
        if len(shown) == TAKEN_AT_ONCE:
            await asyncio.gather(*(each.taken() for each in shown))
            shown.clear()
        if not served.lost:
            return


async def _clean(inbox: CloudInbox, gateway: Gateway) -> None:
    """Presence is retained: an empty message in its place is none."""
    topics = inbox.station.topics
    for topic in (topics.presence(NAME), *map(topics.state, gateway.watches)):
        await inbox.station.courier.publish(Letter(topic, b"", retain=True))
