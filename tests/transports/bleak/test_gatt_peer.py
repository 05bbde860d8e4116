"""A phone on bleak as a client of GATT services in the plain: ours, and bumble's own heart rate."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from bleak.exc import BleakError
from bumble.profiles.heart_rate_service import HeartRateService

from blechannel.aio.attributes import Notifications
from blechannel.errors import AttributeRefused, LinkLost, LocalProtocolError, TransportError
from blechannel.gatt import AttErrorCode
from blechannel.transports.bleak import BleakPhoneTransport, central
from blechannel.transports.bleak.peer import BleakGattPeer
from blechannel.transports.bumble import VirtualRadio
from gatt_profiles import battery, heart_rate
from gatt_profiles.battery import LEVEL, BatteryLevel
from gatt_profiles.client import Client
from gatt_profiles.heart_rate import BodySensorLocation, ControlPoint, HeartRate, Location
from gatt_profiles.plain import plain_service
from gatt_profiles.server import Server
from tests.transports.bleak.live import SERVICE_DATA
from tests.transports.bleak.system import System, running
from tests.transports.bumble.live import Stranger


class Plain:
    """A watch that serves its battery, and a phone that is connected to it."""

    def __init__(self, radio: VirtualRadio, system: System, phone: BleakPhoneTransport, peer: BleakGattPeer) -> None:
        self.radio = radio
        self.system = system
        self.phone = phone
        self.peer = peer
        self.client = Client(battery.SERVICE, peer)


@asynccontextmanager
async def connected(server: Server) -> AsyncIterator[Plain]:
    radio = VirtualRadio()
    async with running(radio) as system:
        phone = BleakPhoneTransport(system.stack)
        watch = await radio.watch(plain_services=[plain_service(server, everything=True)])
        try:
            await watch.advertise(SERVICE_DATA)
            peer = await phone.connect_gatt(str(watch._device.random_address))
            yield Plain(radio, system, phone, peer)
        finally:
            await phone.close()
            await watch.close()
        assert (system.scans, system.connections) == (0, 0)


def charged() -> Server:
    server = Server(battery.SERVICE)
    server.set(LEVEL, BatteryLevel(87))
    return server


async def test_read_and_subscribe() -> None:
    server = charged()
    async with connected(server) as plain:
        assert plain.peer.peer
        assert await plain.client.read(LEVEL) == BatteryLevel(87)
        async with plain.client.subscribed(LEVEL) as levels:
            server.set(LEVEL, BatteryLevel(86))
            assert await anext(levels) == BatteryLevel(86)
            with pytest.raises(LocalProtocolError, match="already"):
                await plain.peer.subscribe(battery.SERVICE.uuid, LEVEL.uuid, Notifications())
        server.set(LEVEL, BatteryLevel(85))
        assert await plain.client.read(LEVEL) == BatteryLevel(85)
        assert not levels._notifications._values
        await plain.peer.unsubscribe(battery.SERVICE.uuid, LEVEL.uuid)


async def test_what_the_peer_does_not_have_or_refuses() -> None:
    server = charged()
    async with connected(server) as plain:
        for service, characteristic in ((heart_rate.SERVICE.uuid, LEVEL.uuid), (battery.SERVICE.uuid, OTHER)):
            with pytest.raises(AttributeRefused, match=f"the peer has no {characteristic}") as refused:
                await plain.peer.read(service, characteristic)
            assert refused.value.code == AttErrorCode.ATTRIBUTE_NOT_FOUND
        with pytest.raises(AttributeRefused) as refused:
            await plain.peer.write(battery.SERVICE.uuid, LEVEL.uuid, b"\1", acknowledged=True)
        assert refused.value.code == AttErrorCode.WRITE_NOT_PERMITTED


OTHER = heart_rate.MEASUREMENT.uuid


async def test_a_connection_that_is_lost_ends_everything_by_name() -> None:
    async with connected(charged()) as plain, plain.client.subscribed(LEVEL) as levels:
        plain.radio.drop_link()
        with pytest.raises(LinkLost, match="out of reach"):
            await anext(levels)
        with pytest.raises(LinkLost, match="out of reach"):
            await plain.client.read(LEVEL)


async def test_a_request_under_way_when_it_is_closed() -> None:
    async with connected(charged()) as plain:
        asked = asyncio.ensure_future(plain.client.read(LEVEL))
        await asyncio.sleep(0)
        await plain.peer.close()
        with pytest.raises(LinkLost):
            await asked
        await plain.peer.close()


async def test_a_system_that_fails() -> None:
    async with connected(charged()) as plain:
        plain.system.faults.subscribing.append(BleakError("a fault"))
        with pytest.raises(TransportError, match="a fault"):
            async with plain.client.subscribed(LEVEL):
                pass
        async with plain.client.subscribed(LEVEL):
            plain.system.faults.disconnecting.append(BleakError("a fault"))
            await plain.peer.close()
        with pytest.raises(LinkLost, match="closed on this side"):
            await plain.client.read(LEVEL)
        await plain.peer._client.disconnect()


async def test_nobody_there_and_a_connection_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(central, "LOOK_S", 0.1)
    radio = VirtualRadio()
    async with running(radio) as system:
        phone = BleakPhoneTransport(system.stack)
        with pytest.raises(TransportError, match="nobody advertises there"):
            await phone.connect_gatt("00:00:00:00:00:01")
        watch = await radio.watch()
        await watch.advertise(SERVICE_DATA)
        system.faults.connecting.append(BleakError("a fault"))
        with pytest.raises(TransportError, match="a fault"):
            await phone.connect_gatt(str(watch._device.random_address))
        assert system.connections == 0
        await phone.close()
        with pytest.raises(TransportError, match="closed"):
            await phone.connect_gatt("00:00:00:00:00:01")
        await watch.close()


async def test_bumbles_own_heart_through_bleak() -> None:
    service = HeartRateService(
        lambda _connection: HeartRateService.HeartRateMeasurement(heart_rate=1),
        HeartRateService.BodySensorLocation.CHEST,
        lambda _connection: None,
    )
    radio = VirtualRadio()
    strap = Stranger(radio)
    strap.device.add_service(service)
    strap.device.advertising_interval_min = strap.device.advertising_interval_max = 20.0
    await strap.device.power_on()
    await strap.device.start_advertising(auto_restart=False)
    async with running(radio) as system:
        phone = BleakPhoneTransport(system.stack)
        peer = await phone.connect_gatt(str(strap.device.random_address))
        client = Client(heart_rate.SERVICE, peer)
        assert await client.read(heart_rate.LOCATION) == BodySensorLocation(Location.CHEST)
        with pytest.raises(AttributeRefused, match="does not notify"):
            await peer.subscribe(heart_rate.SERVICE.uuid, heart_rate.LOCATION.uuid, Notifications())
        async with client.subscribed(heart_rate.MEASUREMENT) as measurements:
            measured = HeartRateService.HeartRateMeasurement(300, True, 1000, (0.5, 1.0))
            await strap.device.notify_subscribers(service.heart_rate_measurement_characteristic, measured)
            assert await anext(measurements) == HeartRate.of(300, contact=True, energy_kj=1000, rr_1024=(512, 1024))
        await client.write(heart_rate.CONTROL_POINT, ControlPoint(1))
        with pytest.raises(AttributeRefused) as refused:
            await client.write(heart_rate.CONTROL_POINT, ControlPoint(9))
        assert refused.value.code == heart_rate.CONTROL_POINT_NOT_SUPPORTED
        await phone.close()
    await strap.close()
