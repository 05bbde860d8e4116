"""Which BlueZ it is. bluetoothd does not say; but what it calls its adapters ends with its version."""

from __future__ import annotations

import re

_MODALIAS = re.compile(r"usb:v1D6Bp0246d([0-9A-F]{2})([0-9A-F]{2})")
"""Where nobody chose otherwise in main.conf."""
SCAN_RESPONSE = (5, 80)
"""Since when an application can say what belongs into the scan response."""
SOCKET_A_DEVICE = (5, 70)
"""Since when `AcquireWrite` and `AcquireNotify` give each device a socket of its own."""


def version_in(modalias: str) -> tuple[int, int]:
    """BlueZ's version, from an adapter's Modalias: usb:v1D6Bp0246d0542 is that of 5.66; (0, 0) where it says none."""
    found = _MODALIAS.fullmatch(modalias)
    return (int(found[1], 16), int(found[2], 16)) if found else (0, 0)
