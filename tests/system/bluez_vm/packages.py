"""The Debian packages that the machine boots: unpacked into a folder of this checkout, never installed."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[3] / ".bluez-vm"
DOWNLOAD_S = 240
LINK_S = 20
COMMANDS = ("qemu-system-x86_64", "dbus-daemon", "apt-get", "dpkg-deb", "ldd")
INSTALLED = ("qemu-system-x86", "dbus", "libasound2", "libdbus-1-3", "libdw1", "libglib2.0-0")
"""What the host must have: the emulator, the bus, and the libraries of bluetoothd."""
HIDDEN = ("/run", "/var/lib")
"""Where the machine has folders of its own in place of the host's."""
_KERNEL = "linux-image-amd64"
"""Depends on the newest kernel; the one for clouds has no Bluetooth."""
_KERNEL_FILES = re.compile(
    r"\./(boot/vmlinuz-|lib/modules/[^/]+/kernel/"
    r"(crypto|drivers/(bluetooth|char|hid|virtio)|fs/(9p|fscache|netfs)|lib|net/(9p|bluetooth|rfkill))/)"
)


class Unavailable(Exception):
    """What this host lacks, and what to do about it."""


@dataclass(frozen=True, slots=True)
class Packages:
    """Where the files of the packages are."""

    root: Path

    @property
    def kernel(self) -> Path:
        """The kernel's image."""
        [image] = self.root.glob("boot/vmlinuz-*")
        return image

    @property
    def modules(self) -> Path:
        """The folder of the kernel's modules."""
        [folder] = self.root.glob("lib/modules/*/kernel")
        return folder

    @property
    def bluetoothd(self) -> Path:
        """BlueZ's daemon."""
        return self.root / "usr/libexec/bluetooth/bluetoothd"

    @property
    def busybox(self) -> Path:
        """A shell and its tools in one static file."""
        return self.root / "bin/busybox"


def unpacked(folder: Path = FOLDER) -> Packages:
    """The packages, fetched if they are not there.

    Raises:
        Unavailable: this host cannot run the machine, or not fetch what it boots.
    """
    check_host()
    packages = Packages(folder / "root")
    if not packages.root.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            _fetch(Path(scratch)).rename(packages.root)
    _check_libraries(packages)
    return packages


def check_host() -> None:
    """Nothing, where the machine can run.

    Raises:
        Unavailable: it cannot.
    """
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        raise Unavailable("the virtual machine shares its programs with the host, and needs Linux on x86-64")
    if any(FOLDER.is_relative_to(hidden) for hidden in HIDDEN):
        raise Unavailable(f"the virtual machine cannot see a checkout in {' or '.join(HIDDEN)}: move it elsewhere")
    if missing := [command for command in COMMANDS if shutil.which(command) is None]:
        raise Unavailable(f"there is no {' or '.join(missing)}. {_advice()}")


def _check_libraries(packages: Packages) -> None:
    needed = _run(["ldd", str(packages.bluetoothd)], within_s=LINK_S)
    if missing := re.findall(r"(\S+) => not found", needed):
        raise Unavailable(f"bluetoothd needs {', '.join(missing)}. {_advice()}")


def _advice() -> str:
    return f"On Debian: sudo apt-get install --no-install-recommends {' '.join(INSTALLED)}"


def _fetch(scratch: Path) -> Path:
    """The root folder of the unpacked packages, in `scratch`."""
    root = scratch / "root"
    root.mkdir()
    for name, wanted in ((_kernel_package(), _KERNEL_FILES.match), ("bluez", None), ("busybox-static", None)):
        _run(["apt-get", "download", "-qq", name], within_s=DOWNLOAD_S, where=scratch)
        [archive] = scratch.glob(f"{name}_*.deb")
        _unpack(archive, root, wanted)
    return root


def _kernel_package() -> str:
    listed = _run(["apt-cache", "depends", "--important", _KERNEL], within_s=DOWNLOAD_S)
    found = re.search(r"Depends: (linux-image-\S+)", listed)
    if found is None:
        raise Unavailable(f"apt knows no {_KERNEL}: run apt-get update, on Debian")
    return found[1]


def _unpack(archive: Path, root: Path, wanted: Callable[[str], object] | None) -> None:
    """What is wanted of a package; most of a kernel's modules are for hardware that this machine does not have."""
    with (
        subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(archive)], stdout=subprocess.PIPE) as unpacking,
        tarfile.open(fileobj=unpacking.stdout, mode="r|") as files,
    ):
        for file in files:
            if wanted is None or wanted(file.name):
                files.extract(file, root, filter="tar")
    if unpacking.returncode:
        raise Unavailable(f"{archive.name} is damaged: remove {FOLDER.name} and run this again")


def _run(command: list[str], *, within_s: float, where: Path | None = None) -> str:
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=within_s, cwd=where).stdout
    except subprocess.CalledProcessError as error:
        raise Unavailable(f"{' '.join(command)} failed: {error.stderr.strip()}") from error
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"{' '.join(command)} took longer than {within_s:g} s") from error
