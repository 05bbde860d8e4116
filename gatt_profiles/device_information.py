"""Device Information Service: who made it, and what runs on it.

Source: Device Information Service 1.1, section 3 (strings in UTF-8; System ID; PnP ID).
What tells one watch from all others of its kind, its serial number and System ID, is for the channel only.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from blechannel.codec import octets, on_air, one_of
from blechannel.gatt import MAX_ATTRIBUTE_BYTES, Properties, assigned_uuid
from gatt_profiles.layouts import U16_LE, utf8
from gatt_profiles.profile import Characteristic, Service


class VendorIdSource(IntEnum):
    """Who gave the vendor its number."""

    BLUETOOTH_SIG = 1
    USB_FORUM = 2


@dataclass(frozen=True, slots=True)
class Text:
    """The value of each characteristic that is a string."""

    text: str = on_air(utf8(MAX_ATTRIBUTE_BYTES), "to the end of the value")


@dataclass(frozen=True, slots=True)
class SystemId:
    """An EUI-64 as the service orders it: two little-endian numbers."""

    manufacturer: bytes = on_air(octets(5), "the manufacturer's own number, its last byte first")
    organization: bytes = on_air(octets(3), "the Organizationally Unique Identifier, its last byte first")


@dataclass(frozen=True, slots=True)
class PnpId:
    """Which product it is, for drivers."""

    source: VendorIdSource = on_air(one_of(VendorIdSource), "1 Bluetooth SIG, 2 USB Implementers Forum")
    vendor_id: int = on_air(U16_LE, "of that source")
    product_id: int = on_air(U16_LE, "the vendor's own")
    product_version: int = on_air(U16_LE, "binary-coded decimal: 0x0213 is 2.1.3")


MANUFACTURER_NAME = Characteristic("Manufacturer Name", assigned_uuid(0x2A29), Text, Properties.READ)
MODEL_NUMBER = Characteristic("Model Number", assigned_uuid(0x2A24), Text, Properties.READ)
SERIAL_NUMBER = Characteristic("Serial Number", assigned_uuid(0x2A25), Text, Properties.READ, channel_only=True)
HARDWARE_REVISION = Characteristic("Hardware Revision", assigned_uuid(0x2A27), Text, Properties.READ)
FIRMWARE_REVISION = Characteristic("Firmware Revision", assigned_uuid(0x2A26), Text, Properties.READ)
SOFTWARE_REVISION = Characteristic("Software Revision", assigned_uuid(0x2A28), Text, Properties.READ)
SYSTEM_ID = Characteristic("System ID", assigned_uuid(0x2A23), SystemId, Properties.READ, channel_only=True)
PNP_ID = Characteristic("PnP ID", assigned_uuid(0x2A50), PnpId, Properties.READ)

STRINGS = (
    *(MANUFACTURER_NAME, MODEL_NUMBER, SERIAL_NUMBER),
    *(HARDWARE_REVISION, FIRMWARE_REVISION, SOFTWARE_REVISION),
)
SERVICE = Service(assigned_uuid(0x180A), "device-information", (*STRINGS, SYSTEM_ID, PNP_ID))
