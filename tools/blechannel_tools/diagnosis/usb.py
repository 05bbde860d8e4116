"""What hangs on USB, as sysfs shows it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from blechannel_tools.diagnosis.files import word

BLUETOOTH = ("e0", "01", "01")
"""Class, subclass and protocol of a Bluetooth controller (USB-IF, "wireless controller")."""


@dataclass(frozen=True, slots=True)
class UsbDevice:
    """One device; `drivers` are the kernel's that hold one of its interfaces."""

    vendor_product: str
    """Four hexadecimal digits each, with a colon."""
    name: str
    node: Path
    """What must be opened to drive it."""
    drivers: tuple[str, ...]
    is_bluetooth: bool

    @property
    def shown(self) -> str:
        """For people."""
        return f"{self.name or 'unnamed'} ({self.vendor_product})"


def usb_devices(root: Path) -> Iterator[UsbDevice]:
    """All that can be read, in the kernel's order."""
    for folder in sorted((root / "sys/bus/usb/devices").glob("*")):
        vendor, product = word(folder / "idVendor"), word(folder / "idProduct")
        bus, device = word(folder / "busnum"), word(folder / "devnum")
        if not (vendor and product and bus.isdecimal() and device.isdecimal()):
            continue  # an interface, or unplugged meanwhile
        interfaces = sorted(folder.glob("*:*"))
        drivers = dict.fromkeys((i / "driver").resolve().name for i in interfaces if (i / "driver").exists())
        yield UsbDevice(
            f"{vendor}:{product}".lower(),
            word(folder / "product"),
            root / f"dev/bus/usb/{int(bus):03d}/{int(device):03d}",
            tuple(drivers),
            any(_kind(place) == BLUETOOTH for place in [*interfaces, folder]),
        )


def _kind(place: Path) -> tuple[str, ...]:
    prefix = "bInterface" if ":" in place.name else "bDevice"
    return tuple(word(place / f"{prefix}{part}") for part in ("Class", "SubClass", "Protocol"))
