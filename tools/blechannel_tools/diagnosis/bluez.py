"""BlueZ on this machine, without asking it over D-Bus: running, how old, how set up, whom its policy lets in."""

from __future__ import annotations

import configparser
import re
import subprocess
from collections.abc import Iterator, Set
from pathlib import Path
from xml.etree import ElementTree

from blechannel_tools.diagnosis.files import text
from blechannel_tools.diagnosis.finding import Finding, ok, warn

OLDEST = (5, 55)
"""The oldest that bleak works with."""
PLAIN_SCAN_RESPONSE = (5, 80)
"""Since then a watch's scan response is one (docs/command-line.md, "The operating system's own Bluetooth")."""
VERSION_S = 3.0
PROGRAMS = ("usr/libexec/bluetooth/bluetoothd", "usr/lib/bluetooth/bluetoothd", "usr/sbin/bluetoothd")
POLICIES = ("etc/dbus-1/system.d/bluetooth.conf", "usr/share/dbus-1/system.d/bluetooth.conf")
SERVICE = "org.bluez"
MIN_ATT_MTU = 247
"""Less costs a fragment of a whole link-layer packet."""


def bluez(root: Path = Path("/"), *, daemon_runs: bool, groups: Set[str], is_root: bool) -> Iterator[Finding]:
    """What there is to say; `groups` are this user's."""
    program = next((root / path for path in PROGRAMS if (root / path).exists()), None)
    if program is None and not daemon_runs:
        advice = "only for the transports bleak and bluez: apt install bluez, or what your system calls it"
        yield warn("BlueZ", "not installed", advice)
        return
    if daemon_runs:
        yield ok("bluetoothd", "runs, for bleak and bluez; hci-socket:N needs it stopped: systemctl stop bluetooth")
    else:
        yield ok("bluetoothd", "does not run: adapters are free for hci-socket:N; bleak and bluez need it")
    if program is not None:
        yield version(program)
    yield from settings(text(root / "etc/bluetooth/main.conf"))
    yield _policy(root, groups, is_root)


def version(program: Path) -> Finding:
    """Which BlueZ it is."""
    try:
        said = subprocess.run([program, "--version"], capture_output=True, timeout=VERSION_S, check=False).stdout
    except (OSError, subprocess.TimeoutExpired) as error:
        return warn("BlueZ", f"{program} does not say its version: {error}", "reinstall BlueZ")
    found = re.fullmatch(rb"(\d+)\.(\d+)\s*", said)
    if found is None:
        return warn("BlueZ", f"{program} says no version", "reinstall BlueZ")
    number = int(found[1]), int(found[2])
    shown = f"{number[0]}.{number[1]}"
    if number < OLDEST:
        return warn("BlueZ", shown, f"bleak needs {OLDEST[0]}.{OLDEST[1]} or newer: bring your system up to date")
    if number < PLAIN_SCAN_RESPONSE:
        return ok("BlueZ", f"{shown}; before 5.80 a watch on bluez advertises in a way that older phones do not see")
    return ok("BlueZ", shown)


def settings(main_conf: str) -> list[Finding]:
    """What in `/etc/bluetooth/main.conf` stands in the way."""
    subject = "main.conf"
    parser = configparser.ConfigParser(strict=False, interpolation=None, allow_no_value=True)
    try:
        parser.read_string(main_conf)
    except configparser.Error as error:
        first, *_ = str(error).splitlines()
        return [warn(subject, f"cannot be understood: {first}", "mend /etc/bluetooth/main.conf")]
    findings = []
    mode = parser.get("General", "ControllerMode", fallback=None) or ""
    if mode.strip().lower() == "bredr":
        findings.append(warn(subject, "ControllerMode = bredr switches LE off", "set it to dual or le"))
    power = parser.get("Policy", "AutoEnable", fallback=None) or ""
    if power.strip().lower() == "false":
        findings.append(warn(subject, "AutoEnable = false leaves adapters off after a start", "set it to true"))
    mtu = (parser.get("GATT", "ExchangeMTU", fallback=None) or "").strip()
    if mtu.isdecimal() and int(mtu) < MIN_ATT_MTU:
        findings.append(warn(subject, f"ExchangeMTU = {mtu} makes fragments small", "set it to 517"))
    return findings or [ok(subject, "nothing stands in the way")]


def _policy(root: Path, groups: Set[str], is_root: bool) -> Finding:
    subject = "D-Bus policy"
    path = next((root / path for path in POLICIES if (root / path).exists()), None)
    if path is None:
        return warn(subject, f"none for {SERVICE}: nobody is let in", "reinstall BlueZ, and: systemctl reload dbus")
    try:
        users, allowed, everybody = _let_in(ElementTree.fromstring(text(path)))
    except ElementTree.ParseError as error:
        return warn(subject, f"{path} cannot be understood: {error}", "reinstall BlueZ")
    if everybody or (is_root and "root" in users) or groups & allowed:
        return ok(subject, f"lets this user talk to {SERVICE}")
    if allowed:
        wanted = sorted(allowed)[0]
        advice = f"sudo usermod -aG {wanted} $USER, and log in again"
        return warn(subject, f"lets the group {wanted} talk to {SERVICE}, and this user is not in it", advice)
    return warn(subject, f"lets nobody but root talk to {SERVICE}", f"allow send_destination={SERVICE} in {path}")


def _let_in(policy: ElementTree.Element) -> tuple[set[str], set[str], bool]:
    """Users and groups that may send to BlueZ, and whether everybody may."""
    parts = [
        part
        for part in policy.iter("policy")
        if any(rule.get("send_destination") == SERVICE for rule in part.iter("allow"))
    ]
    users = {part.get("user", "") for part in parts}
    groups = {part.get("group", "") for part in parts}
    return users - {""}, groups - {""}, any(part.get("context") == "default" for part in parts)
