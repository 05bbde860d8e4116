"""The Debian packages that a machine consists of: unpacked into a folder of this checkout, never installed.

All of them are of one release, whatever the host runs.
"""

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

from tests.system.bluez_vm.apt import Apt, Unavailable

FOLDER = Path(__file__).resolve().parents[3] / ".bluez-vm"
PROGRAMS = ("bluez", "busybox-static", "dbus-daemon")
_LIBRARIES = (
    "libapparmor1", "libaudit1", "libbz2-1.0", "libc6", "libcap-ng0", "libcap2", "libdbus-1-3", "libexpat1",
    "libgcrypt20", "libgpg-error0", "liblz4-1", "liblzma5", "libpcre2-8-0", "libselinux1", "libsystemd0", "libtinfo6",
    "libudev1", "libzstd1", "zlib1g",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Release:
    """A release of Debian, and what its programs are linked with."""

    name: str
    libraries: tuple[str, ...]


TODAYS = Release(
    "trixie",
    (*_LIBRARIES, "libasound2t64", "libatomic1", "libdw1t64", "libelf1t64", "libglib2.0-0t64", "libreadline8t64"),
)
"""Linux 6.12 and BlueZ 5.82."""
OLDER = Release("bookworm", (*_LIBRARIES, "libasound2", "libdw1", "libelf1", "libglib2.0-0", "libreadline8"))
"""Linux 6.1 and BlueZ 5.66, which has no way to say what belongs into the scan response, and advertises 31 bytes."""
COMMANDS = ("qemu-system-x86_64", "apt-get", "dpkg-deb")
HIDDEN = ("/run", "/var/lib")
"""Where the machine has folders of its own in place of the host's."""
_KERNEL_FILES = re.compile(
    r"\./(boot/vmlinuz-|(usr/)?lib/modules/[^/]+/kernel/"
    r"(crypto|drivers/(bluetooth|char|hid|virtio)|fs/(9p|fscache|netfs)|lib|net/(9p|bluetooth|rfkill))/)"
)
"""Most of a kernel's modules are for hardware that this machine does not have."""

_BESIDE_USR = re.compile(r"^\./(?=(bin|lib|lib64|sbin)/)")


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
        [folder] = self.root.glob("usr/lib/modules/*/kernel")
        return folder

    @property
    def bus_policy(self) -> Path:
        """BlueZ's own rules for the bus."""
        [policy] = self.root.glob("*/**/dbus-1/system.d/bluetooth.conf")
        return policy

    @property
    def busybox(self) -> Path:
        """A shell and its tools in one static file."""
        return self.root / "usr/bin/busybox"


def unpacked(release: Release, folder: Path = FOLDER) -> Packages:
    """The packages, fetched if they are not there.

    Raises:
        Unavailable: this host cannot run the machine, or not fetch what it boots.
    """
    check_host()
    root = folder / release.name
    if not root.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            fetched = _fetch(release, Path(scratch))
            if not root.exists():  # somebody else may have been quicker
                fetched.rename(root)
    return Packages(root)


def check_host() -> None:
    """Nothing, where the machine can run.

    Raises:
        Unavailable: it cannot.
    """
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        raise Unavailable("the virtual machine shares its Python with the host, and needs Linux on x86-64")
    if any(FOLDER.is_relative_to(hidden) for hidden in HIDDEN):
        raise Unavailable(f"the virtual machine cannot see a checkout in {' or '.join(HIDDEN)}: move it elsewhere")
    if {" ", ","} & {*str(FOLDER)}:
        raise Unavailable("the virtual machine cannot use a checkout with spaces or commas in its path: move it")
    if missing := [command for command in COMMANDS if shutil.which(command) is None]:
        advice = "on Debian: sudo apt-get install --no-install-recommends qemu-system-x86"
        raise Unavailable(f"there is no {' or '.join(missing)}; {advice}")


def _fetch(release: Release, scratch: Path) -> Path:
    """The root folder of the unpacked packages, in `scratch`."""
    apt = Apt.of_release(release.name, scratch)
    kernel = apt.newest_kernel()
    for archive in apt.download((kernel, *PROGRAMS, *release.libraries)):
        _unpack(archive, scratch / "root", _KERNEL_FILES.match if archive.name.startswith(kernel) else None)
    return scratch / "root"


def _unpack(archive: Path, root: Path, wanted: Callable[[str], object] | None) -> None:
    """What is wanted of a package, with everything in /usr: older releases have a part of it beside."""
    with (
        subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(archive)], stdout=subprocess.PIPE) as unpacking,
        tarfile.open(fileobj=unpacking.stdout, mode="r|") as files,
    ):
        for file in files:
            if wanted is None or wanted(file.name):
                file.name = _BESIDE_USR.sub("./usr/", file.name)
                files.extract(file, root, filter="tar")
    if unpacking.returncode:
        raise Unavailable(f"{archive.name} is damaged: run this again")
