"""Whether this user and this Python may use what drives a controller: HCI sockets, USB devices, serial lines."""

from __future__ import annotations

import errno
import os
import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

from blechannel_tools.diagnosis.files import is_running, text
from blechannel_tools.diagnosis.finding import Finding, ok, warn
from blechannel_tools.diagnosis.usb import usb_devices

OpenSocket = Callable[[], socket.socket]

_NET_ADMIN = 1 << 12
"""CAP_NET_ADMIN in a set of capabilities (capability.h)."""
UDEV = "install the udev rule of hardware/udev, and plug it in again; or run as root"
OURS = frozenset({"2fe3:000b"})
"""Controllers for which there is such a rule."""


def hci_socket() -> socket.socket:
    """A raw HCI socket. Raises OSError."""
    # Their numbers, for Pythons that were built without Bluetooth.
    family = getattr(socket, "AF_BLUETOOTH", 31)
    return socket.socket(family, socket.SOCK_RAW, getattr(socket, "BTPROTO_HCI", 1))


def hci_sockets(
    root: Path = Path("/"),
    open_socket: OpenSocket = hci_socket,
    *,
    python_has_them: bool = hasattr(socket, "AF_BLUETOOTH"),
) -> Finding:
    """Whether hci-socket:N can be used: by the kernel, by this Python, by this user."""
    subject = "HCI sockets"
    try:
        open_socket().close()
    except OSError as error:
        if error.errno in (errno.EPERM, errno.EACCES):
            return warn(subject, "not permitted", _capability_advice())
        advice = "use a usb: or serial: transport, or load the kernel's bluetooth module"
        return warn(subject, f"cannot be opened: {error.strerror}", advice)
    if not python_has_them:
        advice = "for hci-socket:N use the system's own Python: make PYTHON=/usr/bin/python3 VENV=.venv-system setup"
        return warn(subject, "this Python was built without Bluetooth sockets", advice)
    if not _has_net_admin(text(root / "proc/self/status")):
        return warn(subject, "CAP_NET_ADMIN is missing: an adapter cannot be taken over", _capability_advice())
    return ok(subject, "permitted")


def _has_net_admin(status: str) -> bool:
    found = re.search(r"^CapEff:\s*([0-9a-fA-F]+)$", status, re.MULTILINE)
    return found is not None and bool(int(found[1], 16) & _NET_ADMIN)


def _capability_advice() -> str:
    return "for hci-socket:N run as root, or with CAP_NET_ADMIN and CAP_NET_RAW as the unit in hardware/systemd does"


def devices(root: Path = Path("/")) -> Iterator[Finding]:
    """Whether serial lines may be opened, and controllers on USB: ours, and those that the kernel leaves alone."""
    for device in usb_devices(root):
        if device.vendor_product in OURS:
            yield _access(f"usb:{device.vendor_product}", device.node, UDEV)
        elif device.is_bluetooth and not device.drivers:
            yield _access(f"usb:{device.vendor_product}", device.node, "write a udev rule like hardware/udev's")
    lines = sorted(path for kind in ("ttyACM", "ttyUSB") for path in (root / "dev").glob(f"{kind}[0-9]*"))
    for line in lines:
        yield _access(f"serial:/dev/{line.name}", line, "join the group dialout: sudo usermod -aG dialout $USER")
    if lines and is_running(root, "ModemManager"):
        advice = "install the udev rule of hardware/udev, or: systemctl stop ModemManager"
        yield warn("ModemManager", "runs, and talks to serial lines that it takes for modems", advice)


def _access(subject: str, node: Path, advice: str) -> Finding:
    if os.access(node, os.R_OK | os.W_OK):
        return ok(subject, "may be opened")
    return warn(subject, "not permitted to this user", advice)
