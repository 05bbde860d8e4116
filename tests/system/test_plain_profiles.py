"""Profiles in the plain on Linux' own Bluetooth: bleak as their client, and bluetoothd as their server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, TypeVar

import pytest
import pytest_asyncio

from blechannel.codec import decode
from blechannel.errors import AttributeRefused
from blechannel.gatt import SERVICE_UUID
from blechannel.transports.bumble.peer import BumbleGattPeer
from gatt_profiles import battery, current_time, device_information, heart_rate
from gatt_profiles.battery import LEVEL, BatteryLevel
from gatt_profiles.client import Client
from gatt_profiles.current_time import CURRENT_TIME
from gatt_profiles.device_information import MODEL_NUMBER, PNP_ID, SERIAL_NUMBER, VendorIdSource
from gatt_profiles.heart_rate import LOCATION
from gatt_profiles.profile import Characteristic, Service
from tests.system.bluez_vm.machine import GuestError, Machine
from tests.system.bluez_vm.profiles import CHARGED, MODEL, NOON, SERIAL, WRIST
from tests.system.bluez_vm.sides import LATER_S, PhoneSide, WatchSide

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="session")]

T = TypeVar("T")

ECHOES = 20
SERVED = {battery.SERVICE.uuid, device_information.SERVICE.uuid, current_time.SERVICE.uuid}
HIDDEN: list[tuple[Service, Characteristic[Any]]] = [
    (device_information.SERVICE, SERIAL_NUMBER),
    (heart_rate.SERVICE, LOCATION),
]
LINUX_FOUNDATION = 0x1D6B


@pytest_asyncio.fixture(loop_scope="session")
async def watch(machine: Machine) -> AsyncGenerator[WatchSide, None]:
    """A new watch in reach of the machine, with its profiles in the plain."""
    side = WatchSide(machine, in_the_plain=True)
    await side.switch_on()
    yield side
    await side.switch_off()


@pytest_asyncio.fixture(loop_scope="session")
async def paired(machine: Machine, watch: WatchSide) -> AsyncGenerator[Machine, None]:
    """The machine with a phone in it that has a channel, and over the same connection uses the watch in the plain."""
    await machine.call("phone.start")
    await machine.call("phone.pair", way="passkey", secret=watch.on.open_pairing().code)
    await machine.call("profiles.connect")
    yield machine
    await machine.call("profiles.close")
    await machine.call("phone.stop")


@pytest_asyncio.fixture(loop_scope="session")
async def bluez_watch(machine: Machine) -> AsyncGenerator[Machine, None]:
    """The machine, with a new watch in it that has its profiles in the plain."""
    await machine.call("watch.start", in_the_plain=True)
    yield machine
    await machine.call("watch.stop")


async def read(phone: Machine, service: Service, characteristic: Characteristic[T], *, call: str = "read") -> T:
    value = await phone.call(f"profiles.{call}", service=service.port, characteristic=characteristic.uuid)
    return decode(characteristic.value, bytes.fromhex(str(value)))


@pytest.mark.usefixtures("watch")
async def test_bleak_alone_sees_what_is_for_strangers(machine: Machine) -> None:
    seen = await machine.call("plain_battery", service=SERVICE_UUID, level=LEVEL.uuid)
    assert isinstance(seen, dict)
    assert seen["level"] == "57"
    assert set(seen["services"]) >= {SERVICE_UUID, *SERVED}
    assert heart_rate.SERVICE.uuid not in seen["services"]


async def test_bleak_reads_beside_the_channel(paired: Machine) -> None:
    assert await read(paired, battery.SERVICE, LEVEL) == CHARGED
    assert await read(paired, device_information.SERVICE, MODEL_NUMBER) == MODEL
    assert await read(paired, current_time.SERVICE, CURRENT_TIME) == NOON
    for service, characteristic in HIDDEN:
        with pytest.raises(GuestError, match=f"AttributeRefused: the peer has no {characteristic.uuid}"):
            await read(paired, service, characteristic)
    assert await read(paired, device_information.SERVICE, SERIAL_NUMBER, call="read_through_channel") == SERIAL
    assert await read(paired, heart_rate.SERVICE, LOCATION, call="read_through_channel") == WRIST


async def test_bleak_hears_beside_the_channel_and_so_does_bluetoothd(paired: Machine, watch: WatchSide) -> None:
    """bluetoothd subscribes to the battery itself, and takes nothing away from who else does."""
    await paired.call("profiles.subscribe", service=battery.SERVICE.port, characteristic=LEVEL.uuid)
    echoing = asyncio.ensure_future(paired.call("phone.echo", count=ECHOES))
    for percent in (86, 85):
        watch.profiles.battery.set(LEVEL, BatteryLevel(percent))
        assert await paired.call("profiles.heard", characteristic=LEVEL.uuid) == f"{percent:02x}"
    await echoing
    assert await paired.call("bluez.battery") == 85


async def test_one_connection_ends_for_both_and_the_channel_comes_back(paired: Machine) -> None:
    await paired.call("profiles.close")
    with pytest.raises(GuestError, match="LinkLost"):
        await paired.call("phone.echo", count=ECHOES)
    await paired.call("phone.connect")
    await paired.call("phone.echo", count=ECHOES)


async def found_in_the_plain(phone: PhoneSide) -> BumbleGattPeer:
    """The watch that advertises, connected to as to any GATT server."""
    async with asyncio.timeout(LATER_S), aclosing(phone.transport.scan()) as sightings:
        async for sighting in sightings:
            return await phone.transport.connect_gatt(sighting.address)
    raise AssertionError("a scan has no end")


async def test_bluetoothd_serves_strangers(bluez_watch: Machine) -> None:
    stranger = PhoneSide(bluez_watch)
    await stranger.switch_on()
    peer = await found_in_the_plain(stranger)
    try:
        assert await Client(device_information.SERVICE, peer).read(MODEL_NUMBER) == MODEL
        assert await Client(current_time.SERVICE, peer).read(CURRENT_TIME) == NOON
        charge = Client(battery.SERVICE, peer)
        assert await charge.read(LEVEL) == CHARGED
        async with charge.subscribed(LEVEL) as levels, asyncio.timeout(LATER_S):
            for percent in (86, 85):
                await bluez_watch.call("watch.discharge", percent=percent)
                assert await anext(levels) == BatteryLevel(percent)
        for service, characteristic in HIDDEN:
            with pytest.raises(AttributeRefused, match="the peer has no"):
                await Client(service, peer).read(characteristic)
        added = await Client(device_information.SERVICE, peer).read(PNP_ID)
        assert (added.source, added.vendor_id) == (VendorIdSource.USB_FORUM, LINUX_FOUNDATION), "bluetoothd's own"
    finally:
        await stranger.switch_off()
