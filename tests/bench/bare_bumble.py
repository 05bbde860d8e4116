"""Two bumble devices on its virtual link, with nothing of ours: what the radio stack alone costs."""

from __future__ import annotations

import asyncio
from time import thread_time

from bumble.controller import Controller
from bumble.device import Connection, Device
from bumble.gatt import Characteristic, Service
from bumble.hci import Address
from bumble.host import Host
from bumble.link import LocalLink
from bumble.pairing import PairingConfig
from bumble.transport.common import AsyncPipeSink

ACL_BYTES = 251
"""The largest of the link layer; bumble's own choice of 27 takes ten packets for what fits into one."""
SERVICE, VALUE = "0a11ced0-0000-4000-8000-000000000001", "0a11ced0-0000-4000-8000-000000000002"
MTU_BYTES = 247


class BareBumble:
    """A central and a peripheral, connected; the peripheral has one characteristic that notifies."""

    def __init__(self) -> None:
        link = LocalLink()  # type: ignore[no-untyped-call]
        self._devices = [self._device(f"F0:F1:F2:F3:F4:0{number}", link) for number in (1, 2)]
        self.central, self.peripheral = self._devices
        self.value = Characteristic[bytes](VALUE, Characteristic.Properties.NOTIFY, Characteristic.READABLE, b"")
        self.peripheral.add_service(Service(SERVICE, [self.value]))

    @staticmethod
    def _device(address: str, link: LocalLink) -> Device:
        controller = Controller(address, link=link, public_address=address)
        controller.le_acl_data_packet_length = ACL_BYTES
        device = Device(name=address, address=Address(address), host=Host(controller, AsyncPipeSink(controller)))
        device.pairing_config_factory = lambda _: PairingConfig(sc=True, mitm=False, bonding=True)
        return device

    async def connect(self) -> tuple[Connection, Connection]:
        """Powered on and connected: the central's side and the peripheral's."""
        for device in self._devices:
            await device.power_on()
        accepted: asyncio.Future[Connection] = asyncio.get_running_loop().create_future()
        self.peripheral.once("connection", accepted.set_result)
        await self.peripheral.start_advertising(advertising_interval_min=20, advertising_interval_max=20)
        own = await self.central.connect(self.peripheral.random_address)
        return own, await accepted

    async def close(self) -> None:
        for device in self._devices:
            await device.power_off()


async def pairing_s() -> float:
    """Processor seconds of one pairing, both sides: LE Secure Connections, Just Works, with bonding."""
    bare = BareBumble()
    connection, _ = await bare.connect()
    began = thread_time()
    await connection.pair()
    seconds = thread_time() - began
    await bare.close()
    return seconds


async def notifications_s(count: int, length_bytes: int, batches: int) -> list[float]:
    """Processor seconds a notification of that length, both sides, a batch."""
    bare = BareBumble()
    own, theirs = await bare.connect()
    client = own.gatt_client
    await client.request_mtu(MTU_BYTES)
    await client.discover_services()
    await client.discover_characteristics([], None)
    [value] = client.get_characteristics_by_uuid(bare.value.uuid)
    left, done = count, asyncio.Event()

    def arrived(_: bytes) -> None:
        nonlocal left
        left -= 1
        if not left:
            done.set()

    await client.subscribe(value, arrived)
    taken, message = [], bytes(length_bytes)
    for _ in range(batches):
        left = count
        done.clear()
        began = thread_time()
        for _ in range(count):
            await bare.peripheral.notify_subscriber(theirs, bare.value, message)
        await done.wait()
        taken.append((thread_time() - began) / count)
    await bare.close()
    return taken
