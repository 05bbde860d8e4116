"""Ways to advertise from beside bluetoothd, and the order in which they are tried.

The service's UUID belongs into the advertisement and its data into the scan response (protocol, "GATT service"):
together they have 52 bytes where 31 fit. BlueZ lets an application say so since 5.80. With an older one the kernel is
asked directly, which a privileged program may; and last, bluetoothd is asked for everything in one advertisement, of
which it makes an extended one where the adapter can.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Protocol

from dbus_fast import Variant

from blechannel.errors import TransportError
from blechannel.gatt import SERVICE_UUID
from blechannel.transports.bluez.bus import Bus
from blechannel.transports.bluez.exports import Answer, Exported, Exports, Properties

MANAGER = "org.bluez.LEAdvertisingManager1"
_ADVERTISEMENT = "org.bluez.LEAdvertisement1"
_PATH = "/org/blechannel/advertisement"
SCAN_RESPONSE_SINCE = (5, 80)
_MODALIAS = re.compile(r"usb:v1D6Bp0246d([0-9A-F]{2})([0-9A-F]{2})")
"""What BlueZ calls its adapters where nobody chose otherwise; it ends with the version."""


class Advertising(Protocol):
    """One way."""

    async def start(self, service_data: bytes) -> None:
        """Advertise; not while it goes on already.

        Raises:
            TransportError: this way is closed.
        """

    async def stop(self) -> None:
        """Advertise no more. Never raises."""


class BusAdvertising:
    """Through bluetoothd; `on_released` is called when it stops of its own accord."""

    def __init__(
        self, bus: Bus, exports: Exports, adapter: str, *, scan_response: bool, on_released: Callable[[], None]
    ) -> None:
        self._bus = bus
        self._exports = exports
        self._adapter = adapter
        self._scan_response = scan_response
        self._on_released = on_released

    async def start(self, service_data: bytes) -> None:
        """See Advertising."""
        properties = advertisement(service_data, scan_response=self._scan_response)
        self._exports.show(Exported(_PATH, _ADVERTISEMENT, properties, {("Release", ""): self._released}))
        await self._bus.call(self._adapter, MANAGER, "RegisterAdvertisement", "oa{sv}", _PATH, {})

    async def stop(self) -> None:
        """See Advertising."""
        if self._bus.gone.done():
            return
        with suppress(TransportError):  # it may have been released meanwhile
            await self._bus.call(self._adapter, MANAGER, "UnregisterAdvertisement", "o", _PATH)

    def _released(self) -> Answer:
        self._on_released()
        return Answer()


class FirstThatWorks:
    """Several ways in turn."""

    def __init__(self, ways: Sequence[Advertising], advice: str) -> None:
        self._ways = ways
        self._advice = advice
        self._taken: Advertising | None = None

    async def start(self, service_data: bytes) -> None:
        """See Advertising; where none works, the error has the reasons of all, and the advice."""
        failures: list[TransportError] = []
        for way in self._ways:
            try:
                await way.start(service_data)
            except TransportError as error:
                failures.append(error)
            else:
                self._taken = way
                return
        raise TransportError("; ".join([*map(str, failures), self._advice])) from failures[-1].__cause__

    async def stop(self) -> None:
        """See Advertising."""
        taken, self._taken = self._taken, None
        if taken is not None:
            await taken.stop()


def version_in(modalias: str) -> tuple[int, int] | None:
    """BlueZ's version, from an adapter's Modalias: usb:v1D6Bp0246d0542 is that of 5.66."""
    found = _MODALIAS.fullmatch(modalias)
    return (int(found[1], 16), int(found[2], 16)) if found else None


def takes_scan_response(modalias: str) -> bool:
    """Whether this BlueZ is known to take data for the scan response."""
    version = version_in(modalias)
    return version is not None and version >= SCAN_RESPONSE_SINCE


def advertisement(service_data: bytes, *, scan_response: bool) -> Properties:
    """Properties of an org.bluez.LEAdvertisement1; nothing in it tells devices apart."""
    place = "ScanResponseServiceData" if scan_response else "ServiceData"
    return {
        "Type": Variant("s", "peripheral"),
        "ServiceUUIDs": Variant("as", [SERVICE_UUID]),
        "Discoverable": Variant("b", True),
        place: Variant("a{sv}", {SERVICE_UUID: Variant("ay", service_data)}),
    }
