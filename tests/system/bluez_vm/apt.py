"""Packages of another release of Debian, by the host's own apt and from where it has its own."""

from __future__ import annotations

import platform
import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

APT_S = 240
_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


class Unavailable(Exception):
    """What this host lacks, and what to do about it."""


@dataclass(frozen=True, slots=True)
class Apt:
    """apt with lists of its own; what it downloads goes into `folder`."""

    folder: Path
    options: tuple[str, ...]

    @classmethod
    def of_release(cls, name: str, folder: Path) -> Apt:
        """The packages of this release, up to date.

        Raises:
            Unavailable: this host is no Debian, or its archive cannot be reached.
        """
        sources, lists = folder / "sources.list", folder / "lists"
        sources.write_text(f"deb [signed-by={_KEYRING}] {_archive()} {name} main\n")
        (lists / "partial").mkdir(parents=True)
        places = {"Etc::sourcelist": sources, "Etc::sourceparts": "/dev/null", "State::lists": lists, "Cache": folder}
        apt = cls(folder, tuple(f"--option=Dir::{place}={path}" for place, path in places.items()))
        apt._run("apt-get", "update", "-qq")
        return apt

    def newest_kernel(self) -> str:
        """The name of its package; the one for clouds has no Bluetooth.

        Raises:
            Unavailable: there is none.
        """
        found = re.search(r"Depends: (linux-image-\S+)", self._run("apt-cache", "depends", "linux-image-amd64"))
        if found is None:
            raise Unavailable("the archive has no linux-image-amd64")
        return found[1]

    def download(self, names: Iterable[str]) -> list[Path]:
        """The files of these packages.

        Raises:
            Unavailable: they cannot be had.
        """
        self._run("apt-get", "download", "-qq", *names)
        return sorted(self.folder.glob("*.deb"))

    def _run(self, command: str, *arguments: str) -> str:
        return _printed([command, *self.options, *arguments], self.folder)


def _archive() -> str:
    """Where this host has its packages from."""
    codename = platform.freedesktop_os_release().get("VERSION_CODENAME", "")
    targets = ("Created-By: Packages", "Label: Debian", f"Codename: {codename}")
    found = _printed(["apt-get", "indextargets", "--format", "$(REPO_URI)", *targets]).split()
    if not found:
        raise Unavailable("apt knows no archive of Debian: run apt-get update, on Debian")
    return found[0]


def _printed(command: list[str], folder: Path | None = None) -> str:
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=APT_S, cwd=folder).stdout
    except subprocess.CalledProcessError as error:
        raise Unavailable(f"{' '.join(command)} failed: {error.stderr.strip()}") from error
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"{' '.join(command)} took longer than {APT_S} s") from error
