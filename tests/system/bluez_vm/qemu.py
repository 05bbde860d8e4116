"""How the emulator is told what the machine consists of. It emulates in software, which is slower than the host's own
virtualisation, and works everywhere alike."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.system.bluez_vm.packages import Packages

CHECKOUT = Path(__file__).resolve().parents[3]
MEMORY_MIB = 512


def command_line(packages: Packages, sockets: Path, out: Path) -> list[str]:
    """Boots the initramfs in `sockets`; the ports of the machine connect to `hci` and `calls` there.

    The guest sees the host's files, read-only, and may write into `out`.
    """
    variables = {
        "PYTHON": sys.executable,
        "CHECKOUT": CHECKOUT,
        "PACKAGES": packages.root,
        "POLICY": packages.bus_policy,
    }
    parameters = ["console=ttyS0 quiet panic=-1", *(f"{name}={value}" for name, value in variables.items())]
    command = [
        "qemu-system-x86_64",
        *("-accel", "tcg", "-smp", "1", "-m", str(MEMORY_MIB)),
        *("-nographic", "-no-reboot", "-nodefaults", "-serial", "stdio"),
        *("-kernel", str(packages.kernel), "-initrd", str(sockets / "initramfs"), "-append", " ".join(parameters)),
        *("-device", "virtio-rng-pci", "-device", "virtio-serial-pci"),
    ]
    for tag, folder in {"host": "/,readonly=on", "out": out}.items():
        command += ["-fsdev", f"local,id={tag},security_model=none,multidevs=remap,path={folder}"]
        command += ["-device", f"virtio-9p-pci,fsdev={tag},mount_tag={tag}"]
    for name in ("hci", "calls"):
        command += ["-chardev", f"socket,id={name},path={sockets / name},server=off"]
        command += ["-device", f"virtserialport,chardev={name},name={name}"]
    return command
