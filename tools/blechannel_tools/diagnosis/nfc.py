"""NFC readers that nfcpy can drive, and what keeps it from them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from blechannel_tools.diagnosis.files import is_running
from blechannel_tools.diagnosis.finding import Finding, ok, warn
from blechannel_tools.diagnosis.permissions import UDEV
from blechannel_tools.diagnosis.usb import UsbDevice, usb_devices

READERS = {
    "04cc:0531": "PN531",
    "04cc:2533": "PN533",
    "04e6:5591": "SCL3711",
    "04e6:5593": "SCL3712",
    "054c:0193": "PN531",
    "054c:02e1": "RC-S330",
    "054c:06c1": "RC-S380",
    "054c:06c3": "RC-S380",
    "072f:2200": "ACR122U",
}
"""By USB number (nfcpy, supported devices)."""
SMART_CARD_READERS = frozenset({"072f:2200"})
"""Those that pcscd takes as well."""


def nfc_readers(root: Path = Path("/"), *, nfcpy: str | None, is_wanted: bool = False) -> Iterator[Finding]:
    """Each reader that hangs on USB; `nfcpy` is the version that is installed, `is_wanted` what the board says."""
    readers = [device for device in usb_devices(root) if device.vendor_product in READERS]
    if is_wanted and not readers:
        yield warn("NFC reader", "none seen, and the board has one", "plug it in")
    elif nfcpy is not None and not readers:
        yield ok("NFC reader", "none seen")
    for reader in readers:
        yield _reader(root, reader, nfcpy)


def _reader(root: Path, reader: UsbDevice, nfcpy: str | None) -> Finding:
    subject = f"NFC reader {READERS[reader.vendor_product]}"
    if nfcpy is None:
        return warn(subject, "seen, but nothing can drive it", "if wanted: pip install 'blechannel[nfc-reader]'")
    if kernel := [driver for driver in reader.drivers if driver != "usbfs"]:
        advice = f"modprobe -r {kernel[0]}; to keep it away, a line 'blacklist {kernel[0]}' in /etc/modprobe.d"
        return warn(subject, f"the kernel's driver {kernel[0]} holds it", advice)
    if reader.vendor_product in SMART_CARD_READERS and is_running(root, "pcscd"):
        return warn(subject, "pcscd holds it", "systemctl stop pcscd.socket pcscd")
    if not os.access(reader.node, os.R_OK | os.W_OK):
        return warn(subject, "not permitted to this user", UDEV)
    return ok(subject, "may be opened: phone pair --method oob --reader usb")
