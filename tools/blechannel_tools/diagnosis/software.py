"""Python, the packages, and what of this process's surroundings matters."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from blechannel import __version__
from blechannel.aio.key_log import VARIABLE
from blechannel_tools.diagnosis.finding import Finding, fail, ok, warn

OLDEST = (3, 11)
NEWEST = (3, 14)
NEEDED = ("cryptography", "construct")
EXTRAS = {
    "bumble": ("bumble", "controllers over USB, serial lines and sockets, and the virtual radio"),
    "bleak": ("bleak", "the operating system's own Bluetooth, for phones"),
    "bluez": ("dbus-fast", "the same for watches, on Linux"),
    "cli": ("rich", "output for people"),
    "keyring": ("keyring", "passphrases in the system's keyring"),
}
EARLIEST_SANE_UNIX_S = 1_735_689_600.0
"""2025-01-01: a clock before that was never set."""


def software() -> Iterator[Finding]:
    """Python and the packages."""
    yield python(sys.version_info[:2])
    yield ok("blechannel", __version__)
    for name in NEEDED:
        installed = installed_version(name)
        if installed is None:
            yield fail(name, "not installed", "install blechannel again: pip install blechannel")
        else:
            yield ok(name, installed)
    for extra, (name, purpose) in EXTRAS.items():
        installed = installed_version(name)
        if installed is None:
            yield warn(name, f"not installed: {purpose}", f"if wanted: pip install 'blechannel[{extra}]'")
        else:
            yield ok(name, f"{installed}: {purpose}")


def installed_version(name: str) -> str | None:
    """The version of a package, None where it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def python(running: tuple[int, int]) -> Finding:
    """Whether this Python is one that is supported."""
    text = f"{platform.python_implementation()} {platform.python_version()} on {platform.system()}"
    if running < OLDEST:
        return fail("Python", text, f"use Python {OLDEST[0]}.{OLDEST[1]} or newer")
    if running > NEWEST:
        return warn("Python", text, f"newer than {NEWEST[0]}.{NEWEST[1]}, the newest that was tried")
    return ok("Python", text)


def key_log() -> Finding:
    """Whether sessions hand out their keys."""
    path = os.environ.get(VARIABLE)
    if not path:
        return ok("key log", "off")
    return warn(
        "key log", f"{VARIABLE} writes session keys to {path}", f"unless you analyse captures: unset {VARIABLE}"
    )


def clock(unix_time_s: float) -> Finding:
    """Whether the wall clock was ever set."""
    if unix_time_s < EARLIEST_SANE_UNIX_S:
        advice = "set it: a phone resolves the advertisements of a watch whose clock agrees to some minutes"
        return fail("clock", f"it stands at {unix_time_s:.0f} s after 1970", advice)
    return ok("clock", "set")
