"""Bluetooth adapters as Linux shows them: seen, powered, blocked, known to be bad."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

from blechannel_tools.diagnosis.files import text, word
from blechannel_tools.diagnosis.finding import Finding, ok, warn
from blechannel_tools.diagnosis.permissions import hci_socket

ReadInfo = Callable[[int], bytes]
"""The kernel's `struct hci_dev_info` of an adapter by its number; raises OSError."""

HCIGETDEVINFO = 0x800448D3
DEV_INFO_BYTES = 92
_DEV_INFO = struct.Struct("<H8s6sI")
"""Its beginning: number, name, address, flags."""
_UP = 1

BAD_CONTROLLERS = {"0a12:0001": "most sticks with this number are copies of a CSR chip, and fail at LE now and then"}
CONFIGS = ("boot/firmware/config.txt", "boot/config.txt")
"""Where a Raspberry Pi is configured, by the age of its system."""


def adapters(root: Path = Path("/"), read_info: ReadInfo | None = None, *, daemon_runs: bool) -> Iterator[Finding]:
    """What `/sys` and the kernel say; `daemon_runs` is whether bluetoothd does."""
    names = adapter_names(root)
    if not names:
        yield warn("adapters", "none seen", _why_none(root))
    for name in names:
        yield _attached(root / "sys/class/bluetooth" / name)
        if not daemon_runs:  # which else says so itself: see bus
            yield from _powered(name, read_info or kernel_info)
    yield from _blocked(root / "sys/class/rfkill")


def adapter_names(root: Path) -> list[str]:
    """hci0 and so on; their connections, which stand beside them, are left out."""
    return sorted(path.name for path in (root / "sys/class/bluetooth").glob("hci*") if ":" not in path.name)


def kernel_info(number: int) -> bytes:
    """See ReadInfo; needs no privilege."""
    import fcntl  # Linux alone is asked

    found = bytearray(struct.pack("<H", number).ljust(DEV_INFO_BYTES, b"\0"))
    with hci_socket() as control:
        fcntl.ioctl(control.fileno(), HCIGETDEVINFO, found)
    return bytes(found)


def _why_none(root: Path) -> str:
    for config in CONFIGS:
        if re.search(r"^\s*dtoverlay=(pi3-)?disable-bt\b", text(root / config), re.MULTILINE):
            return f"/{config} switches it off: take out its line dtoverlay=disable-bt, and restart"
    if "microsoft" in word(root / "proc/version").lower():
        return "WSL shows no adapter of Windows: attach a USB one with usbipd, or simulate with --board virtual"
    return "plug one in, or use --transport unix:/path or tcp:127.0.0.1:7001 to simulate one"


def _attached(folder: Path) -> Finding:
    place = (folder / "device").resolve()
    driver = (place / "driver").resolve().name if (place / "driver").exists() else "no driver"
    vendor, product = word(place.parent / "idVendor"), word(place.parent / "idProduct")
    if not vendor:
        return ok(folder.name, f"attached by {driver}")
    number = f"{vendor}:{product}"
    if number in BAD_CONTROLLERS:
        return warn(folder.name, f"USB {number}: {BAD_CONTROLLERS[number]}", "where links break, try another adapter")
    return ok(folder.name, f"USB {number}, attached by {driver}")


def _powered(name: str, read_info: ReadInfo) -> Iterator[Finding]:
    """Who takes over an adapter wants it down; nothing is said where the kernel does not tell."""
    number = name.removeprefix("hci")
    try:
        _, _, _, flags = _DEV_INFO.unpack_from(read_info(int(number)))
    except (OSError, ValueError):
        return
    if flags & _UP:
        advice = f"for hci-socket:{number}, take it down: sudo hciconfig {name} down"
        yield warn(name, "up, though bluetoothd does not run: it cannot be opened like that", advice)
    else:
        yield ok(name, "down: free to be opened")


def _blocked(rfkill: Path) -> Iterator[Finding]:
    for switch in sorted(rfkill.glob("rfkill*")):
        if word(switch / "type") != "bluetooth":
            continue
        name = word(switch / "name") or switch.name
        if word(switch / "hard") == "1":
            yield warn("rfkill", f"{name} is off by a hardware switch", "switch it on at the device")
        elif word(switch / "soft") == "1":
            yield warn("rfkill", f"{name} is blocked by software", "rfkill unblock bluetooth")
        else:
            yield ok("rfkill", f"{name} is not blocked")
