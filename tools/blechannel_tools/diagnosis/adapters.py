"""Bluetooth adapters as Linux shows them: seen, blocked, taken, permitted."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

from blechannel_tools.diagnosis.finding import Finding, ok, warn

OpenSocket = Callable[[], None]


def adapters(root: Path = Path("/"), open_socket: OpenSocket | None = None) -> Iterator[Finding]:
    """What `/sys` and `/proc` under `root` say, and whether an HCI socket can be opened."""
    names = sorted(path.name for path in (root / "sys/class/bluetooth").glob("hci*") if ":" not in path.name)
    if not names:
        advice = "plug one in, or use --transport unix:/path or tcp:127.0.0.1:7001 to simulate one"
        yield warn("adapters", "none seen", advice)
        return
    yield ok("adapters", ", ".join(names))
    yield from _blocked(root / "sys/class/rfkill")
    if _is_running(root / "proc", "bluetoothd"):
        advice = "to use hci-socket:N, stop it for that time: systemctl stop bluetooth"
        yield warn("bluetoothd", "runs, and holds the adapters", advice)
    else:
        yield ok("bluetoothd", "does not run: adapters are free for hci-socket:N")
    yield _permission(open_socket or open_hci_socket)


def _blocked(rfkill: Path) -> Iterator[Finding]:
    for switch in sorted(rfkill.glob("rfkill*")):
        if _word(switch / "type") != "bluetooth":
            continue
        name = _word(switch / "name") or switch.name
        if _word(switch / "hard") == "1":
            yield warn("rfkill", f"{name} is off by a hardware switch", "switch it on at the device")
        elif _word(switch / "soft") == "1":
            yield warn("rfkill", f"{name} is blocked by software", "rfkill unblock bluetooth")
        else:
            yield ok("rfkill", f"{name} is not blocked")


def _is_running(proc: Path, command: str) -> bool:
    return any(_word(process / "comm") == command for process in proc.glob("[0-9]*"))


def _word(path: Path) -> str:
    """What a file of one line says; nothing where it is gone meanwhile or closed to us."""
    try:
        return path.read_text("utf-8", "replace").strip()
    except OSError:
        return ""


def open_hci_socket() -> None:
    """Open a raw HCI socket and close it. Raises OSError."""
    # Their numbers, for Pythons that were built without Bluetooth.
    family = getattr(socket, "AF_BLUETOOTH", 31)
    protocol = getattr(socket, "BTPROTO_HCI", 1)
    socket.socket(family, socket.SOCK_RAW, protocol).close()


def _permission(open_socket: OpenSocket) -> Finding:
    try:
        open_socket()
    except OSError as error:
        if error.errno in (errno.EPERM, errno.EACCES):
            return warn("HCI sockets", "not permitted", "run as root, or give Python CAP_NET_ADMIN and CAP_NET_RAW")
        advice = "use a usb: or serial: transport, or load the kernel's bluetooth module"
        return warn("HCI sockets", f"cannot be opened: {error.strerror}", advice)
    return ok("HCI sockets", "permitted")
