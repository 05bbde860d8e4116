"""A watch with a heart, and a phone that has paired with it, on the loopback air."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from blechannel.aio.keep_policy import KeepPolicy
from blechannel.aio.outbox import Outbox
from blechannel.aio.phone import Phone
from blechannel.aio.watch import Watch
from blechannel.config import Config
from blechannel.delivery.policies import Ordered
from blechannel.stores.memory import MemoryStore
from blechannel.stores.outbox_memory import MemoryQueues
from blechannel.stores.outbox_sqlite import SqliteQueues
from blechannel.transports.loopback import LoopbackAir, LoopbackLink, loopback_pair
from blechannel_gateway.broker import Broker
from blechannel_gateway.plan import Bridged, By, Plan
from gatt_profiles import heart_rate
from gatt_profiles.heart_rate import BodySensorLocation, HeartRate, Location
from gatt_profiles.server import Server
from gatt_profiles.tunnel import serving
from tests.aio.rooms import typing
from tests.gateway.traffic import QUICK

WATCH_NAME = "Wanda's watch"
PHONE_NAME = "hall gateway"


@dataclass
class Home:
    """Both sides; the phone's end of each link is in `links`, the last one last."""

    watch: Watch
    phone: Phone
    heart: Server
    links: list[LoopbackLink]
    watch_outbox: Outbox
    phone_outbox: Outbox

    def beat(self, bpm: int) -> None:
        self.heart.set(heart_rate.MEASUREMENT, HeartRate.of(bpm))


@asynccontextmanager
async def home(folder: Path) -> AsyncGenerator[Home, None]:
    """They have paired, and no channel stands. The phone's outbox is in `folder`."""
    links: list[LoopbackLink] = []

    def join() -> tuple[LoopbackLink, LoopbackLink]:
        ends = loopback_pair()
        links.append(ends[0])
        return ends

    air = LoopbackAir(join=join)
    heart = Server(heart_rate.SERVICE)
    heart.set(heart_rate.LOCATION, BodySensorLocation(Location.WRIST))
    policies = {"journal": Ordered(max_bytes=1 << 20)}
    async with (
        Outbox(MemoryQueues(), policies) as of_watch,
        Outbox(await SqliteQueues.open(folder / "gateway.outbox"), policies) as of_phone,
        Watch(MemoryStore(), air.watch(), config=Config(WATCH_NAME), outbox=of_watch) as watch,
        Phone(MemoryStore(), air.phone(), config=Config(PHONE_NAME), outbox=of_phone) as phone,
    ):
        watch.serve(heart_rate.SERVICE.port, serving(heart))
        window = watch.open_pairing()
        channel = await phone.pair(await phone.find(), typing(lambda: window.code))
        await channel.close()
        yield Home(watch, phone, heart, links, of_watch, of_phone)


def plan_for(broker: Broker, folder: Path, **changes: object) -> Plan:
    """Heart rates and the port "steps" go up, "note" goes down, "journal" both ways by the outboxes."""
    plan = Plan(
        site="home",
        gateway="hall",
        store=folder / "gateway.db",
        outbox=folder / "gateway.outbox",
        broker=broker,
        up=(Bridged("heart-rate", By.PROFILE), Bridged("steps", By.PORT, "text/plain"), Bridged("journal")),
        down=(Bridged("note", By.PORT), Bridged("journal")),
        keep=KeepPolicy(first_s=0.01, most_s=0.1, steady_s=0.1),
        pace=QUICK,
    )
    return replace(plan, **changes)  # type: ignore[arg-type]
