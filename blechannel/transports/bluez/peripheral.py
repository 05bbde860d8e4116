"""The watch: registers its service with bluetoothd, advertises, and accepts one phone at a time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from dbus_fast import Message

from blechannel.aio.attributes import PlainService, check_services
from blechannel.errors import TransportError
from blechannel.transports.adapter_names import check_adapter_name
from blechannel.transports.adverts import check_service_data
from blechannel.transports.arrivals import Arrivals
from blechannel.transports.bluetoothd import SWITCHED_OFF
from blechannel.transports.bluez.advertising import (
    MANAGER,
    Advertising,
    BusAdvertising,
    FirstThatWorks,
    takes_scan_response,
)
from blechannel.transports.bluez.bus import OBJECT_MANAGER, PROPERTIES, Bus, Objects
from blechannel.transports.bluez.carrier import DEVICE
from blechannel.transports.bluez.exports import Exports
from blechannel.transports.bluez.kernel import KernelAdvertising
from blechannel.transports.bluez.occupancy import Occupancy
from blechannel.transports.bluez.plain import PlainTable
from blechannel.transports.bluez.service import APPLICATION, show_service
from blechannel.transports.chores import Chores
from blechannel.transports.queued_link import QueuedLink

_log = logging.getLogger(__name__)

ADAPTER = "org.bluez.Adapter1"
GATT_MANAGER = "org.bluez.GattManager1"
RETRY_S = 1.0
"""Between tries to advertise again after a phone has gone, when bluetoothd refuses."""
ADVICE = "run with CAP_NET_ADMIN, update BlueZ to 5.80, or drive the adapter through Bumble (hci-socket:0)"
GONE = "the adapter is gone: is it still plugged in?"


class BluezWatchTransport:
    """A GATT peripheral on BlueZ; made by `open`."""

    def __init__(self, bus: Bus, adapter: str, *, modalias: str, plain_services: Sequence[PlainService] = ()) -> None:
        self._bus = bus
        self._adapter = adapter
        self._chores = Chores()
        self._arrivals = Arrivals[QueuedLink]()
        self._exports = Exports(bus, APPLICATION)
        self._occupancy = Occupancy(bus, self._chores, on_begun=self._begun, on_ended=self._ended)
        self._advertising = self._way_to_advertise(modalias)
        self._advertised = False
        self._changing = asyncio.Lock()
        self._service_data: bytes | None = None
        show_service(self._exports, self._occupancy)
        self._plain = PlainTable(bus, self._exports, plain_services)
        bus.on_signal = self._heard
        bus.gone.add_done_callback(lambda gone: self._lose(gone.result()))

    @classmethod
    async def open(
        cls,
        adapter: str | None = None,
        *,
        bus_address: str | None = None,
        plain_services: Sequence[PlainService] = (),
    ) -> BluezWatchTransport:
        """A watch on an adapter such as "hci0", or on the first that can do it.

        `bus_address` is another message bus than the system's; `plain_services` are served to whoever connects.

        Raises:
            LocalProtocolError: `adapter` is no adapter's name, or a plain service comes twice or is the channel's.
            TransportError: no bus, no bluetoothd, no such adapter, it is switched off, or no permission.
        """
        if adapter is not None:
            check_adapter_name(adapter)
        check_services(plain_services)
        bus, objects = await Bus.connect(bus_address)
        try:
            path, properties = _chosen(objects, adapter)
            modalias = properties["Modalias"].value if "Modalias" in properties else ""
            watch = cls(bus, path, modalias=modalias, plain_services=plain_services)
            await bus.call(path, GATT_MANAGER, "RegisterApplication", "oa{sv}", APPLICATION, {})
        except BaseException:
            await bus.close()
            raise
        watch._chores.later(bus.watch())
        return watch

    async def advertise(self, service_data: bytes) -> None:
        """Advertise, now if no phone is there and again whenever one has gone.

        Raises:
            LocalProtocolError: more than 13 bytes.
            TransportError: bluetoothd or the adapter is gone, or refuses.
        """
        self._service_data = check_service_data(service_data)
        self._arrivals.check_open()
        async with self._changing:
            await self._unregister()
            await self._register()

    async def accept(self) -> QueuedLink:
        """The next phone that subscribes.

        Raises:
            TransportError: the transport was closed, or bluetoothd or the adapter is gone.
        """
        return await self._arrivals.take()

    async def close(self) -> None:
        """Stop advertising, drop the link, take the service away. Safe to call again; never raises."""
        self._service_data = None
        self._arrivals.close()
        async with self._changing:
            await self._unregister()
        if not self._bus.gone.done():
            if (link := self._occupancy.link) is not None:
                await link.close()
            with suppress(TransportError):
                await self._bus.call(self._adapter, GATT_MANAGER, "UnregisterApplication", "o", APPLICATION)
        self._plain.close()
        await self._bus.close()
        await self._chores.finished()

    def _way_to_advertise(self, modalias: str) -> Advertising:
        new = takes_scan_response(modalias)
        bus = BusAdvertising(self._bus, self._exports, self._adapter, scan_response=new, on_released=self._released)
        return bus if new else FirstThatWorks([KernelAdvertising(_name(self._adapter)), bus], ADVICE)

    async def _register(self) -> None:
        """Unless this is not wanted now."""
        if self._service_data is not None and self._occupancy.link is None and not self._advertised:
            await self._advertising.start(self._service_data)
            self._advertised = True

    async def _unregister(self) -> None:
        if self._advertised:
            self._advertised = False
            await self._advertising.stop()

    async def _follow(self) -> None:
        """Advertise while no phone is there and it is wanted, however often bluetoothd refuses."""
        wait_s = 0.0
        while not self._bus.gone.done() and not await self._followed(wait_s):
            wait_s = RETRY_S

    async def _followed(self, after_s: float) -> bool:
        await asyncio.wait({self._bus.gone}, timeout=after_s)
        try:
            async with self._changing:
                await (self._register() if self._occupancy.link is None else self._unregister())
        except TransportError as error:
            _log.warning("%s", error)
            return False
        return True

    def _begun(self, link: QueuedLink) -> None:
        self._arrivals.offer(link)
        self._chores.later(self._follow())

    def _ended(self) -> None:
        self._chores.later(self._follow())

    def _released(self) -> None:
        self._advertised = False
        self._chores.later(self._follow())

    def _heard(self, signal: Message) -> None:
        path, body = signal.path or "", signal.body
        match signal.interface, signal.member, signal.signature:
            case str() as properties, "PropertiesChanged", "sa{sv}as" if properties == PROPERTIES:
                self._changed(path, body[0], body[1])
            case str() as manager, "InterfacesRemoved", "oas" if manager == OBJECT_MANAGER:
                self._removed(body[0], body[1])

    def _changed(self, path: str, interface: str, values: dict[str, Any]) -> None:
        connected, powered = values.get("Connected"), values.get("Powered")
        if interface == DEVICE and connected is not None and connected.value is False:
            self._occupancy.disconnected(path)
        elif (path, interface) == (self._adapter, ADAPTER) and powered is not None and powered.value is False:
            self._lose(SWITCHED_OFF)

    def _removed(self, path: str, interfaces: list[str]) -> None:
        if DEVICE in interfaces:
            self._occupancy.disconnected(path)
        elif path == self._adapter and {ADAPTER, GATT_MANAGER} & {*interfaces}:
            self._lose(GONE)

    def _lose(self, reason: str) -> None:
        self._service_data = None
        self._arrivals.close(reason)
        self._occupancy.lose(reason)


def _name(path: str) -> str:
    """An adapter's, such as hci0."""
    return path.rpartition("/")[2]


def _chosen(objects: Objects, wanted: str | None) -> tuple[str, dict[str, Any]]:
    """An adapter's path and properties.

    Raises:
        TransportError: there is none such, it cannot be a peripheral, or it is switched off.
    """
    found = {path: interfaces for path, interfaces in sorted(objects.items()) if ADAPTER in interfaces}
    if not found:
        raise TransportError("there is no Bluetooth adapter: is it plugged in?")
    names = ", ".join(map(_name, found))
    if wanted is not None and f"/org/bluez/{wanted}" not in found:
        raise TransportError(f"there is no adapter {wanted}: there is {names}")
    for path in [f"/org/bluez/{wanted}"] if wanted else found:
        interfaces = found[path]
        if {GATT_MANAGER, MANAGER} <= interfaces.keys():
            if not interfaces[ADAPTER]["Powered"].value:
                raise TransportError(f"{_name(path)}: {SWITCHED_OFF}")
            return path, interfaces[ADAPTER]
    raise TransportError(f"{wanted or names} cannot do what a watch does (LE peripheral): choose another adapter")
