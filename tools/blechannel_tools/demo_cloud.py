"""The end of the demo: the watch's heart rate, through a gateway and a broker, at a subscriber in the cloud."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from blechannel.aio.phone import Phone
from blechannel.aio.watch import Watch
from blechannel.codec import decode
from blechannel.errors import BlechannelError, MissingExtra
from blechannel_gateway.sources import schema_of
from gatt_profiles import heart_rate
from gatt_profiles.heart_rate import BodySensorLocation, HeartRate, Location
from gatt_profiles.server import Server
from gatt_profiles.tunnel import serving

if TYPE_CHECKING:
    from blechannel_gateway.broker import Broker
    from blechannel_gateway.inbox import Delivery

BEATS_BPM: Final = (68, 71, 74)
MOST_S: Final = 20.0
SITE: Final = "demo"

Say = Callable[[str], None]


def serve_a_heart(watch: Watch) -> Server:
    """The watch tells of its heart rate on every channel made from now on."""
    heart = Server(heart_rate.SERVICE)
    heart.set(heart_rate.LOCATION, BodySensorLocation(Location.WRIST))
    watch.serve(heart_rate.SERVICE.port, serving(heart))
    return heart


async def heart_rate_to_the_cloud(phone: Phone, heart: Server, say: Say) -> str:
    """What came out, or what was left out because the broker is not installed.

    Raises:
        BlechannelError: something else came out, or nothing.
    """
    from blechannel_gateway.embedded import embedded_broker

    try:
        with tempfile.TemporaryDirectory(prefix="blechannel-demo-") as folder:
            async with asyncio.timeout(MOST_S), embedded_broker() as broker:
                return await _through(broker, phone, heart, say, Path(folder))
    except MissingExtra as missing:
        say(f"the way to the cloud is left out: {missing}")
        return f"left out: {missing}"
    except TimeoutError:
        raise BlechannelError(f"no heart rate came out at the cloud within {MOST_S:g} s") from None


async def _through(broker: Broker, phone: Phone, heart: Server, say: Say, folder: Path) -> str:
    from blechannel_gateway.cloud import CloudInbox
    from blechannel_gateway.gateway import open_gateway
    from blechannel_gateway.plan import Bridged, By, Plan

    plan = Plan(
        site=SITE,
        gateway="phone",
        store=folder / "gateway.db",
        outbox=folder / "gateway.outbox",
        broker=broker,
        up=(Bridged(heart_rate.SERVICE.port, By.PROFILE),),
        down=(),
    )
    async with (
        open_gateway(phone, plan) as gateway,
        CloudInbox(folder / "cloud.db", broker, site=SITE, identifier="demo-cloud") as inbox,
    ):
        running = asyncio.ensure_future(gateway.run())
        beating = asyncio.ensure_future(_beat(heart, inbox))
        try:
            await asyncio.wait([running, beating], return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                running.result()
            heard = await beating
        finally:
            for task in (running, beating):
                task.cancel()
            await asyncio.wait([running, beating])
    for bpm in heard:
        say(f"the cloud hears: {bpm} bpm (watch → phone → broker → subscriber, each once and in order)")
    if heard != list(BEATS_BPM):
        raise BlechannelError(f"the cloud heard {heard} instead of {list(BEATS_BPM)}")
    return f"heart rates {', '.join(map(str, heard))} bpm at a subscriber, each once and in order"


async def _beat(heart: Server, inbox: AsyncIterable[Delivery]) -> list[int]:
    """Each beat once the one before has come out; where the sensor sits comes first, and says that somebody listens."""
    heard: list[int] = []
    left = list(BEATS_BPM)
    async for delivery in inbox:
        if delivery.schema == schema_of(heart_rate.MEASUREMENT):
            heard.append(decode(HeartRate, delivery.body).bpm)
        await delivery.taken()
        if not left:
            break
        heart.set(heart_rate.MEASUREMENT, HeartRate.of(left.pop(0)))
    return heard
