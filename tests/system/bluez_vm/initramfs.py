"""The machine's first file system: a shell, the kernel's modules in the order of their dependencies, and /init."""

from __future__ import annotations

import lzma
import re
import stat
from pathlib import Path

from tests.system.bluez_vm.packages import Packages

MODULES = (
    # The host's files, and randomness, without which nothing starts.
    "virtio_pci", "9pnet_virtio", "9p", "virtio-rng",
    # What the kernel's pairing and bluetoothd's own cryptography ask for by name. Without drbg there is no ECDH.
    "aes_generic", "sha256_generic", "sha512_generic", "hmac", "ctr", "drbg", "ecb", "cmac", "ecdh_generic",
    "algif_hash", "algif_skcipher",
    "uhid", "virtio_console", "hci_vhci",
)  # fmt: skip
_INIT = Path(__file__).with_name("init.sh")
_DEPENDS = re.compile(rb"\0depends=([^\0]*)\0")
_CONSOLE = (5, 1)


def load_order(modules: Path) -> list[Path]:
    """The files of `MODULES` and of what they depend on, each after what it needs."""
    files = {_plain(_name(file)): file for file in modules.rglob("*.ko*")}
    order: list[Path] = []

    def add(name: str) -> None:
        file = files[_plain(f"{name}.ko")]
        if file in order:
            return
        found = _DEPENDS.search(content(file))
        for dependency in found[1].decode().split(",") if found and found[1] else ():
            add(dependency)
        order.append(file)

    for name in MODULES:
        if _plain(f"{name}.ko") in files:  # otherwise it is part of the kernel itself
            add(name)
    return order


def content(module: Path) -> bytes:
    """What the kernel is to load; newer packages have it compressed."""
    return lzma.decompress(module.read_bytes()) if module.suffix == ".xz" else module.read_bytes()


def initramfs(packages: Packages) -> bytes:
    """An archive in the kernel's own form ("newc", Documentation/driver-api/early-userspace/buffer-format.rst)."""
    modules = load_order(packages.modules)
    order = "".join(f"/modules/{_name(file)}\n" for file in modules).encode()
    folders = [_entry(name, stat.S_IFDIR | 0o755) for name in ("bin", "dev", "modules", "proc", "host", "sys")]
    files = [
        _entry("dev/console", stat.S_IFCHR | 0o600, device=_CONSOLE),
        _entry("init", stat.S_IFREG | 0o755, _INIT.read_bytes()),
        _entry("bin/busybox", stat.S_IFREG | 0o755, packages.busybox.read_bytes()),
        _entry("modules/order", stat.S_IFREG | 0o644, order),
        *(_entry(f"modules/{_name(file)}", stat.S_IFREG | 0o644, content(file)) for file in modules),
    ]
    return b"".join([*folders, *files, _entry("TRAILER!!!", 0)])


def _entry(name: str, mode: int, data: bytes = b"", *, device: tuple[int, int] = (0, 0)) -> bytes:
    path = name.encode() + b"\0"
    inode = links = owner = moment = 0
    fields = (inode, mode, owner, owner, links, moment, len(data), 0, 0, *device, len(path), 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + path
    return _padded(head) + _padded(data)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def _name(module: Path) -> str:
    return module.name.partition(".")[0] + ".ko"


def _plain(name: str) -> str:
    return name.replace("-", "_")
