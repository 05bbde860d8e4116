"""Made-up Linux machines: the folders that a kernel and a system would show."""

from __future__ import annotations

import struct
from pathlib import Path

from blechannel_tools.diagnosis.adapters import DEV_INFO_BYTES
from blechannel_tools.diagnosis.finding import Finding, Level


class Machine:
    """A root folder, and what is put into it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, path: str, text: str) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def run(self, command: str) -> None:
        """A process of that name."""
        number = len(list(self.root.glob("proc/*")))
        self.write(f"proc/{number + 1}/comm", f"{command}\n")

    def adapter(self, name: str = "hci0", *, usb: str = "", driver: str = "btusb") -> None:
        """An adapter, with a connection beside it; `usb` is its number there."""
        place = self.root / "sys/devices/1-1/1-1:1.0"
        place.mkdir(parents=True, exist_ok=True)
        if usb:
            self.usb(usb)
        if driver:
            (self.root / "sys/bus/drivers" / driver).mkdir(parents=True, exist_ok=True)
            (place / "driver").symlink_to(self.root / "sys/bus/drivers" / driver)
        (self.root / f"sys/class/bluetooth/{name}:64").mkdir(parents=True)
        (self.root / "sys/class/bluetooth" / name).mkdir(parents=True)
        (self.root / "sys/class/bluetooth" / name / "device").symlink_to(place)

    def usb(self, number: str, *, bluetooth: bool = True, driver: str = "") -> Path:
        """A device on USB; gives its node."""
        vendor, product = number.split(":")
        place = self.root / "sys/devices/1-1"
        facts = {"idVendor": vendor, "idProduct": product, "product": "Stick", "busnum": "1", "devnum": "7"}
        for name, value in facts.items():
            self.write(f"sys/devices/1-1/{name}", f"{value}\n")
        kind = ("e0", "01", "01") if bluetooth else ("0b", "00", "00")
        for part, value in zip(("Class", "SubClass", "Protocol"), kind, strict=True):
            self.write(f"sys/devices/1-1/1-1:1.0/bInterface{part}", f"{value}\n")
        if driver:
            (self.root / "sys/bus/drivers" / driver).mkdir(parents=True)
            (place / "1-1:1.0/driver").symlink_to(self.root / "sys/bus/drivers" / driver)
        devices = self.root / "sys/bus/usb/devices"
        devices.mkdir(parents=True, exist_ok=True)
        (devices / "1-1").symlink_to(place)
        (devices / "1-1:1.0").symlink_to(place / "1-1:1.0")
        return self.write("dev/bus/usb/001/007", "")

    def switch(self, number: int, *, kind: str = "bluetooth", soft: str = "0", hard: str = "0") -> None:
        """A switch of rfkill."""
        for name, word in (("type", kind), ("soft", soft), ("hard", hard), ("name", f"hci{number}")):
            self.write(f"sys/class/rfkill/rfkill{number}/{name}", f"{word}\n")

    def capabilities(self, effective: int) -> None:
        """What this process may."""
        self.write("proc/self/status", f"Name:\tpython3\nCapInh:\t0\nCapEff:\t{effective:016x}\n")


def info(*, up: bool) -> bytes:
    """What a kernel says of an adapter."""
    return struct.pack("<H8s6sI", 0, b"hci0", bytes(6), up).ljust(DEV_INFO_BYTES, b"\0")


def levels(findings: list[Finding]) -> list[tuple[str, Level]]:
    return [(finding.subject, finding.level) for finding in findings]


def only(findings: list[Finding], subject: str) -> Finding:
    """The one finding on that subject."""
    [found] = [finding for finding in findings if finding.subject == subject]
    return found
