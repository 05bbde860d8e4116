"""Where bleak's objects come from: one adapter, and the platform's backend or another one."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from contextlib import aclosing, suppress

from bleak import BleakClient, BleakScanner
from bleak.args.bluez import BlueZClientArgs, BlueZScannerArgs
from bleak.backends.client import BaseBleakClient
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner

from blechannel.errors import LocalProtocolError
from blechannel.gatt import SERVICE_UUID
from blechannel.transports.adapter_names import check_adapter_name
from blechannel.values import dataclass

Heard = Callable[[BLEDevice, AdvertisementData], None]


@dataclass(frozen=True, slots=True)
class Stack:
    """The operating system's Bluetooth.

    Raises:
        LocalProtocolError: `adapter` is no name like "hci0", or this system does not let programs choose.
    """

    adapter: str | None = None
    """The system's default where None; a choice on Linux only."""
    scanner_backend: type[BaseBleakScanner] | None = None
    """None for the platform's own."""
    client_backend: type[BaseBleakClient] | None = None

    def __post_init__(self) -> None:
        if self.adapter is not None:
            check_adapter_name(self.adapter)
            if sys.platform not in ("linux",):
                raise LocalProtocolError("only Linux lets a program choose its adapter: leave the name out")

    def scanner(self, heard: Heard) -> BleakScanner:
        """A scanner for our service; it does not scan yet."""
        args = BlueZScannerArgs(adapter=self.adapter) if self.adapter else BlueZScannerArgs()
        return BleakScanner(heard, [SERVICE_UUID], bluez=args, backend=self.scanner_backend)

    async def find(self, address: str, *, within_s: float) -> BLEDevice | None:
        """Any device that advertises at this address; None where there is none in time."""
        args = BlueZScannerArgs(adapter=self.adapter) if self.adapter else BlueZScannerArgs()
        scanner = BleakScanner(bluez=args, backend=self.scanner_backend)
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s), scanner, aclosing(scanner.advertisement_data()) as heard:
                async for device, _advertisement in heard:
                    if device.address.casefold() == address.casefold():
                        return device
        return None

    def client(self, device: BLEDevice, gone: Callable[[BleakClient], None], *, timeout_s: float) -> BleakClient:
        """A client of one device; it does not connect yet."""
        args = BlueZClientArgs(adapter=self.adapter) if self.adapter else BlueZClientArgs()
        return BleakClient(device, gone, timeout=timeout_s, bluez=args, backend=self.client_backend)
