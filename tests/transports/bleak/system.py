"""An operating system's Bluetooth for bleak's own objects: bleak's GATT on a virtual controller, with faults."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from bleak.args import SizedBuffer
from bleak.assigned_numbers import CharacteristicPropertyName
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient, NotifyCallback
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import BleakError
from bumble import hci
from bumble.core import AdvertisingData
from bumble.device import Advertisement, Connection, Device
from bumble.gatt import Characteristic
from bumble.gatt_client import CharacteristicProxy
from bumble.host import Host

from blechannel.transports.bleak import Stack
from blechannel.transports.bumble import VirtualRadio
from blechannel.transports.bumble.adapter import fresh_address
from blechannel.transports.bumble.virtual import VirtualController, VirtualTransport

ANSWER_S = 0.5
"""In which a virtual peer that is there answers."""
NOTIFY = Characteristic.Properties.NOTIFY


async def to_its_end(request: Coroutine[object, object, None]) -> None:
    """Bumble fails when the answer to a request comes that nobody waits for any more."""
    asking = asyncio.ensure_future(request)
    try:
        await asyncio.shield(asking)
    finally:
        await asyncio.wait({asking})


@dataclass
class Faults:
    """What goes wrong; each list is used up from its front, one entry a call."""

    scanning: list[BaseException] = field(default_factory=list)
    connecting: list[BaseException | None] = field(default_factory=list)
    subscribing: list[BaseException] = field(default_factory=list)
    disconnecting: list[BaseException] = field(default_factory=list)
    writing: Callable[[bytes], BaseException | None] = lambda _value: None
    """Raised after the value went out."""
    notified: Callable[[bytes], list[bytes]] = lambda value: [value]
    """What the application is given for a notification."""
    payload_bytes: int | None = None
    """What the system claims that a write without response carries."""
    connect_s: float = 0.0
    disconnect_s: float = 0.0
    write_s: float = 0.0
    notify_s: float = 0.0
    subscribe_s: float = 0.0


class System:
    """One machine on the radio, and what its programs did."""

    def __init__(self, radio: VirtualRadio, *, att_mtu_bytes: int = 517) -> None:
        self._transport = VirtualTransport(VirtualController(radio._air))
        self.device = Device(
            name="system", address=fresh_address(), host=Host(self._transport.source, self._transport.sink)
        )
        self.att_mtu_bytes = att_mtu_bytes
        self.faults = Faults()
        self.scans = 0
        self.connecting_now = self.connecting_at_most = 0
        self.subscribing_now = 0
        self.connects = 0
        self.clients: list[SystemClient] = []
        self.arguments: list[dict[str, Any]] = []

    @property
    def stack(self) -> Stack:
        """This system, for the transport under test."""
        scanner = type("Scanner", (SystemScanner,), {"system": self})
        client = type("Client", (SystemClient,), {"system": self})
        return Stack("hci0", scanner, client)

    async def reach(self, peer: hci.Address) -> Connection:
        """A connection; called off, or without an answer, none is left, as with BlueZ."""
        attempt = asyncio.ensure_future(self.device.connect_le(peer, timeout=None))
        try:
            return await asyncio.wait_for(asyncio.shield(attempt), ANSWER_S)
        except BaseException:
            with suppress(hci.HCI_Error):
                await self.device.send_sync_command(hci.HCI_LE_Create_Connection_Cancel_Command())
            [outcome] = await asyncio.gather(attempt, return_exceptions=True)
            if isinstance(outcome, Connection):
                await outcome.disconnect()
            raise

    @property
    def connections(self) -> int:
        """How many there are."""
        return len(self.device.connections)


@asynccontextmanager
async def running(radio: VirtualRadio, *, att_mtu_bytes: int = 517) -> AsyncIterator[System]:
    """A system that is switched on."""
    system = System(radio, att_mtu_bytes=att_mtu_bytes)
    await system.device.power_on()
    try:
        yield system
    finally:
        await system.device.power_off()
        await system._transport.close()


class SystemScanner(BaseBleakScanner):
    """What `BleakScanner` stands on."""

    system: System

    def __init__(
        self,
        detection_callback: Callable[[BLEDevice, AdvertisementData], None],
        service_uuids: list[str],
        _scanning_mode: str,
        **platform: Any,
    ) -> None:
        super().__init__(detection_callback, service_uuids)
        self.system.arguments.append(platform)

    async def start(self) -> None:
        if self.system.faults.scanning:
            raise self.system.faults.scanning.pop(0)
        self.system.scans += 1
        self.system.device.on("advertisement", self._heard)
        await self.system.device.start_scanning()

    async def stop(self) -> None:
        self.system.scans -= 1
        self.system.device.remove_listener("advertisement", self._heard)
        await self.system.device.stop_scanning()
        if self.system.faults.scanning:
            raise self.system.faults.scanning.pop(0)

    def _heard(self, heard: Advertisement) -> None:
        uuids, service_data = [], {}
        for kind, data in heard.data.ad_structures:
            if kind == AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS:
                uuids.append(str(UUID(bytes=data[::-1])))
            elif kind == AdvertisingData.SERVICE_DATA_128_BIT_UUID:
                service_data[str(UUID(bytes=data[15::-1]))] = data[16:]
        if self.is_allowed_uuid(uuids):
            address = str(heard.address)
            advertisement = AdvertisementData(None, {}, service_data, uuids, None, heard.rssi, ())
            device = self.create_or_update_device(address, address, None, {}, advertisement)
            self.call_detection_callbacks(device, advertisement)


class SystemClient(BaseBleakClient):
    """What `BleakClient` stands on."""

    system: System

    def __init__(self, device: BLEDevice, **platform: Any) -> None:
        super().__init__(device, disconnected_callback=platform["disconnected_callback"], timeout=platform["timeout"])
        self.connection: Connection | None = None
        self.releases = 0
        self.system.clients.append(self)
        self.system.arguments.append(platform)

    @property
    def name(self) -> str:
        return self.address

    @property
    def mtu_size(self) -> int:
        raise AssertionError("nobody may rely on this: with BlueZ it is always 23")

    @property
    def is_connected(self) -> bool:
        return self.connection is not None

    async def connect(self, pair: bool, **_kwargs: Any) -> None:
        assert not pair
        system = self.system
        system.connects += 1
        system.connecting_now += 1
        system.connecting_at_most = max(system.connecting_at_most, system.connecting_now)
        try:
            await asyncio.sleep(system.faults.connect_s)
            if system.faults.connecting and (fault := system.faults.connecting.pop(0)) is not None:
                raise fault
            self.connection = await system.reach(hci.Address(self.address))
            self.connection.on("disconnection", self._on_disconnection)
            await to_its_end(self._discover(self.connection))
        finally:
            system.connecting_now -= 1

    async def disconnect(self) -> None:
        self.releases += 1
        await asyncio.sleep(self.system.faults.disconnect_s)
        if self.system.faults.disconnecting:
            raise self.system.faults.disconnecting.pop(0)
        if self.connection is not None:
            await self.connection.disconnect()

    async def pair(self, *_args: Any, **_kwargs: Any) -> None:
        raise NotImplementedError

    async def unpair(self) -> None:
        raise NotImplementedError

    async def read_gatt_char(
        self, characteristic: BleakGATTCharacteristic, *, use_cached: bool = False, **_kwargs: Any
    ) -> bytearray:
        assert not use_cached
        return bytearray(await characteristic.obj.read_value())

    async def read_gatt_descriptor(
        self, descriptor: BleakGATTDescriptor, *, use_cached: bool = False, **kwargs: Any
    ) -> bytearray:
        raise NotImplementedError

    async def write_gatt_descriptor(self, descriptor: BleakGATTDescriptor, data: SizedBuffer) -> None:
        raise NotImplementedError

    async def write_gatt_char(self, characteristic: BleakGATTCharacteristic, data: SizedBuffer, response: bool) -> None:
        if self.connection is None:
            raise BleakError("Not connected")
        await asyncio.sleep(self.system.faults.write_s)
        value = bytes(data)
        assert len(value) <= self.connection.att_mtu - 3
        await characteristic.obj.write_value(value, with_response=response)
        if (fault := self.system.faults.writing(value)) is not None:
            raise fault

    async def start_notify(
        self, characteristic: BleakGATTCharacteristic, callback: NotifyCallback, **platform: Any
    ) -> None:
        faults = self.system.faults
        self.system.arguments.append(platform)
        if faults.subscribing:
            raise faults.subscribing.pop(0)

        def notified(value: bytes) -> None:
            for given in faults.notified(bytes(value)):
                if faults.notify_s:
                    asyncio.get_running_loop().call_later(faults.notify_s, callback, bytearray(given))
                else:
                    callback(bytearray(given))

        self.system.subscribing_now += 1
        try:
            await asyncio.sleep(faults.subscribe_s)
            await to_its_end(characteristic.obj.subscribe(notified))
        finally:
            self.system.subscribing_now -= 1

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        raise NotImplementedError

    def _on_disconnection(self, _reason: int) -> None:
        self.connection = None
        self.services = None
        if self._disconnected_callback is not None:
            self._disconnected_callback()

    async def _discover(self, connection: Connection) -> None:
        client = connection.gatt_client
        await client.request_mtu(self.system.att_mtu_bytes)
        services = BleakGATTServiceCollection()
        for found in await client.discover_services():
            service = BleakGATTService(found, found.handle, str(UUID(bytes=found.uuid.to_bytes(True)[::-1])))
            services.add_service(service)
            for proxy in await found.discover_characteristics():
                await proxy.discover_descriptors()
                services.add_characteristic(self._characteristic(proxy, service, connection))
        self.services = services

    def _characteristic(
        self, proxy: CharacteristicProxy[bytes], service: BleakGATTService, connection: Connection
    ) -> BleakGATTCharacteristic:
        uuid = str(UUID(bytes=proxy.uuid.to_bytes(True)[::-1]))
        properties: list[CharacteristicPropertyName] = ["notify"] if proxy.properties & NOTIFY else []
        return BleakGATTCharacteristic(
            proxy,
            proxy.handle,
            uuid,
            properties,
            lambda: self.system.faults.payload_bytes or connection.att_mtu - 3,
            service,
        )
