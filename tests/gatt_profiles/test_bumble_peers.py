"""Bumble's own profiles as independent peers over the virtual radio: as clients of ours, and as servers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import pytest
from bumble.device import Connection
from bumble.gatt import TemplateService
from bumble.gatt_client import CharacteristicProxy, ProfileServiceProxy
from bumble.profiles.battery_service import BatteryService, BatteryServiceProxy
from bumble.profiles.device_information_service import DeviceInformationService, DeviceInformationServiceProxy
from bumble.profiles.heart_rate_service import HeartRateService, HeartRateServiceProxy

from blechannel.aio.attributes import PlainService
from blechannel.aio.phone import Phone
from blechannel.aio.watch import Watch
from blechannel.errors import AttributeRefused
from blechannel.stores.memory import MemoryStore
from blechannel.transports.bumble import VirtualRadio
from blechannel.transports.bumble.peer import BumbleGattPeer
from gatt_profiles import battery, device_information, heart_rate
from gatt_profiles.battery import BatteryLevel
from gatt_profiles.client import Client
from gatt_profiles.device_information import SystemId, Text
from gatt_profiles.heart_rate import BodySensorLocation, ControlPoint, HeartRate, Location
from gatt_profiles.plain import plain_service
from gatt_profiles.server import Server
from gatt_profiles.tunnel import serving
from gatt_profiles.tunnel_peer import open_client
from tests.aio.rooms import typing
from tests.transports.bumble.live import SERVICE_DATA, Stranger, sighted

P = TypeVar("P", bound=ProfileServiceProxy)
V = TypeVar("V")

UNIQUE = "the only one"
MEASURED = (
    HeartRate.of(72),
    HeartRate.of(300, contact=True, energy_kj=1000, rr_1024=(512, 1024)),
    HeartRate.of(60, contact=False, rr_1024=()),
)


@asynccontextmanager
async def asked_by_bumble(*plain: PlainService) -> AsyncIterator[Stranger]:
    """Our watch with these services, and bumble alone connected to it, everything discovered."""
    radio = VirtualRadio()
    phone, watch = await radio.phone(), await radio.watch(plain_services=plain)
    stranger = Stranger(radio)
    try:
        await watch.advertise(SERVICE_DATA)
        await stranger.connect((await sighted(phone)).address)
        for service in await stranger.client.discover_services():
            await service.discover_characteristics()
        yield stranger
    finally:
        await stranger.close()
        await phone.close()
        await watch.close()


def proxy_of(kind: type[P], stranger: Stranger) -> P:
    """Bumble's own client of a service that it has discovered."""
    proxy = kind.from_client(stranger.client)
    assert isinstance(proxy, kind)
    return proxy


async def read(characteristic: CharacteristicProxy[V] | None) -> V:
    """What an optional characteristic has."""
    assert characteristic is not None
    return await characteristic.read_value()


@asynccontextmanager
async def asking_bumble(service: TemplateService) -> AsyncIterator[tuple[BumbleGattPeer, Stranger]]:
    """Bumble alone as a server of its own profile, and our phone connected to it."""
    radio = VirtualRadio()
    phone = await radio.phone()
    stranger = Stranger(radio)
    try:
        stranger.device.add_service(service)
        stranger.device.advertising_interval_min = stranger.device.advertising_interval_max = 20.0
        await stranger.device.power_on()
        await stranger.device.start_advertising(auto_restart=False)
        yield await phone.connect_gatt(str(stranger.device.random_address)), stranger
    finally:
        await phone.close()
        await stranger.close()


@pytest.mark.parametrize("in_the_plain", [False, True])
async def test_what_goes_through_the_channel_is_not_on_the_air(in_the_plain: bool, tmp_path: Path) -> None:
    """Looked for in every HCI packet of the watch, with a control."""
    server = Server(device_information.SERVICE)
    server.set(device_information.SERIAL_NUMBER, Text(UNIQUE))
    radio = VirtualRadio()
    capture = tmp_path / "watch.btsnoop"
    plain = [plain_service(server, everything=True)] if in_the_plain else []
    radios = await radio.watch(snoop=capture, plain_services=plain), await radio.phone()
    async with Watch(MemoryStore(), radios[0]) as watch, Phone(MemoryStore(), radios[1]) as phone:
        watch.serve(device_information.SERVICE.port, serving(server))
        window = watch.open_pairing()
        found = await phone.find()
        if in_the_plain:
            client = Client(device_information.SERVICE, await radios[1].connect_gatt(found.address))
            assert await client.read(device_information.SERIAL_NUMBER) == Text(UNIQUE)
        else:
            channel = await phone.pair(found, typing(lambda: window.code))
            async with open_client(channel, device_information.SERVICE) as client:
                assert await client.read(device_information.SERIAL_NUMBER) == Text(UNIQUE)
    assert (UNIQUE.encode() in capture.read_bytes()) is in_the_plain


async def test_bumble_reads_and_hears_our_battery() -> None:
    server = Server(battery.SERVICE)
    server.set(battery.LEVEL, BatteryLevel(87))
    async with asked_by_bumble(plain_service(server)) as stranger:
        proxy = proxy_of(BatteryServiceProxy, stranger)
        assert await read(proxy.battery_level) == 87
        heard: list[int] = []
        await proxy.battery_level.subscribe(heard.append)
        server.set(battery.LEVEL, BatteryLevel(86))
        await read(proxy.battery_level)
        assert heard == [86]


async def test_bumble_reads_our_device_information_without_what_tells_watches_apart() -> None:
    server = Server(device_information.SERVICE)
    server.set(device_information.MODEL_NUMBER, Text("Ω 3"))
    server.set(device_information.SERIAL_NUMBER, Text("0042"))
    server.set(device_information.SYSTEM_ID, SystemId(b"\x05\x04\x03\x02\x01", b"\x08\x07\x06"))
    async with asked_by_bumble(plain_service(server)) as stranger:
        proxy = proxy_of(DeviceInformationServiceProxy, stranger)
        assert await read(proxy.model_number) == "Ω 3"
        assert (proxy.serial_number, proxy.system_id, proxy.manufacturer_name) == (None, None, None)
    async with asked_by_bumble(plain_service(server, everything=True)) as stranger:
        proxy = proxy_of(DeviceInformationServiceProxy, stranger)
        assert await read(proxy.serial_number) == "0042"
        assert await read(proxy.system_id) == (0x060708, 0x0102030405)


async def test_bumble_hears_our_heart_and_resets_its_energy() -> None:
    server = Server(heart_rate.SERVICE)
    written: list[ControlPoint] = []
    server.set(heart_rate.LOCATION, BodySensorLocation(Location.WRIST))
    server.on_write(heart_rate.CONTROL_POINT, written.append)
    async with asked_by_bumble(plain_service(server, everything=True)) as stranger:
        proxy = proxy_of(HeartRateServiceProxy, stranger)
        assert await read(proxy.body_sensor_location) == HeartRateService.BodySensorLocation.WRIST
        heard: list[HeartRateService.HeartRateMeasurement] = []
        await proxy.heart_rate_measurement.subscribe(heard.append)
        for measured in MEASURED:
            server.set(heart_rate.MEASUREMENT, measured)
        await proxy.reset_energy_expended()
        await read(proxy.body_sensor_location)  # bumble asks for no answer to the reset; this one has one
        assert [(m.heart_rate, m.sensor_contact_detected, m.energy_expended, m.rr_intervals) for m in heard] == [
            (72, None, None, None),
            (300, True, 1000, (0.5, 1.0)),
            (60, False, None, ()),
        ]
        assert written == [ControlPoint(1)]


async def test_we_read_and_hear_bumbles_battery() -> None:
    service = BatteryService(lambda _connection: 55)
    async with asking_bumble(service) as (peer, stranger):
        client = Client(battery.SERVICE, peer)
        assert await client.read(battery.LEVEL) == BatteryLevel(55)
        async with client.subscribed(battery.LEVEL) as levels:
            await stranger.device.notify_subscribers(service.battery_level_characteristic, 54)
            assert await anext(levels) == BatteryLevel(54)


async def test_we_read_bumbles_device_information() -> None:
    service = DeviceInformationService(manufacturer_name="Ada & Co", serial_number="7", system_id=(0xABCDEF, 0x12345))
    async with asking_bumble(service) as (peer, _stranger):
        client = Client(device_information.SERVICE, peer)
        assert await client.read(device_information.MANUFACTURER_NAME) == Text("Ada & Co")
        assert await client.read(device_information.SERIAL_NUMBER) == Text("7")
        assert await client.read(device_information.SYSTEM_ID) == SystemId(b"\x45\x23\x01\x00\x00", b"\xef\xcd\xab")
        with pytest.raises(AttributeRefused, match=r"the peer has no 00002a50"):
            await client.read(device_information.PNP_ID)


async def test_we_hear_bumbles_heart() -> None:
    resets: list[Connection] = []
    service = HeartRateService(
        lambda _connection: HeartRateService.HeartRateMeasurement(heart_rate=1),
        HeartRateService.BodySensorLocation.EAR_LOBE,
        resets.append,
    )
    async with asking_bumble(service) as (peer, stranger):
        client = Client(heart_rate.SERVICE, peer)
        assert await client.read(heart_rate.LOCATION) == BodySensorLocation(Location.EAR_LOBE)
        async with client.subscribed(heart_rate.MEASUREMENT) as measurements:
            for sent in (
                HeartRateService.HeartRateMeasurement(72),
                HeartRateService.HeartRateMeasurement(300, True, 1000, (0.5, 1.0)),
                HeartRateService.HeartRateMeasurement(60, False, None, ()),
            ):
                await stranger.device.notify_subscribers(service.heart_rate_measurement_characteristic, sent)
            assert [await anext(measurements) for _ in MEASURED] == list(MEASURED)
        await client.write(heart_rate.CONTROL_POINT, ControlPoint(1))
        assert len(resets) == 1
        with pytest.raises(AttributeRefused) as refused:
            await client.write(heart_rate.CONTROL_POINT, ControlPoint(9))
        assert refused.value.code == heart_rate.CONTROL_POINT_NOT_SUPPORTED
