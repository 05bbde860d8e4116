"""The advertisement as bluetoothd wants it (protocol, "GATT service").

The service's UUID belongs into the advertisement and its data into the scan response: together they have 52 of 31
bytes. BlueZ lets an application say so since 5.80. Before, all of it is asked for in the advertisement, and BlueZ
makes an extended one of it where the adapter can; where it cannot, it refuses.
"""

from __future__ import annotations

import re

from dbus_fast import Variant

from blechannel.gatt import SERVICE_UUID
from blechannel.transports.bluez.exports import Properties

SCAN_RESPONSE_SINCE = (5, 80)
TOO_LONG = (
    "this BlueZ (before 5.80) puts everything into one advertisement, for which this adapter is too old: "
    "update BlueZ, or drive the adapter through Bumble (hci-socket:0)"
)
_MODALIAS = re.compile(r"usb:v1D6Bp0246d([0-9A-F]{2})([0-9A-F]{2})")
"""What BlueZ calls its adapters where nobody chose otherwise; it ends with the version."""


def version_in(modalias: str) -> tuple[int, int] | None:
    """BlueZ's version, from an adapter's Modalias: usb:v1D6Bp0246d0542 is that of 5.66."""
    found = _MODALIAS.fullmatch(modalias)
    return (int(found[1], 16), int(found[2], 16)) if found else None


def has_scan_response(modalias: str) -> bool:
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
