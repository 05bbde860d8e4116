"""The watch as bleak alone sees it."""

from __future__ import annotations

from bleak import BleakClient, BleakScanner
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

FIND_S = 20.0


async def plain_table(service: str) -> dict[str, object]:
    """What the watch advertises, and the properties of its characteristics by UUID."""
    device, heard = await _found(service)
    async with BleakClient(device) as client:
        [ours] = [one for one in client.services if one.uuid == service]
        return {
            "service_data": heard.service_data[service].hex(),
            "characteristics": {one.uuid: sorted(one.properties) for one in ours.characteristics},
            "write_bytes": max(one.max_write_without_response_size for one in ours.characteristics),
        }


async def plain_battery(service: str, level: str) -> dict[str, object]:
    """The services of the watch that advertises `service`, and the value of its characteristic `level`."""
    device, _ = await _found(service)
    async with BleakClient(device) as client:
        return {
            "services": sorted(one.uuid for one in client.services),
            "level": bytes(await client.read_gatt_char(level)).hex(),
        }


async def _found(service: str) -> tuple[BLEDevice, AdvertisementData]:
    seen: list[AdvertisementData] = []

    def complete(_device: BLEDevice, heard: AdvertisementData) -> bool:
        if service in heard.service_data:
            seen.append(heard)
        return bool(seen)

    device = await BleakScanner.find_device_by_filter(complete, timeout=FIND_S, service_uuids=[service])
    if device is None:
        raise LookupError("no watch was seen")
    return device, seen[0]
