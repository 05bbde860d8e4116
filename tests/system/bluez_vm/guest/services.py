"""What a desktop has running below a Bluetooth application: the bus, btmon and bluetoothd."""

from __future__ import annotations

import asyncio
import os
import shlex
import subprocess
import sys
from pathlib import Path

from tests.system.bluez_vm.guest.calls import Call

BUS = "unix:path=/run/dbus"
STARTED_S = 60.0
LOOK_AGAIN_S = 0.05
_BUS_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>{bus}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <deny own="*"/>
    <deny send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus"/>
  </policy>
  <include>{bluez}</include>
</busconfig>
"""
"""The policy of Debian's own system bus, and what BlueZ adds to it."""
_BLUEZ_CONFIG = """[General]
ControllerMode=le
Privacy=off
JustWorksRepairing=always
[GATT]
Cache=no
[Policy]
AutoEnable=true
"""
"""Without the cache each connection discovers the service anew: no test depends on the one before."""


class Services:
    """The processes below the application."""

    def __init__(self, packages: Path, policy: Path, out: Path) -> None:
        self._packages = packages
        self._policy = policy
        self._out = out
        os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = BUS

    async def start(self) -> None:
        """Start them all, each once what it needs is there."""
        bus_config, bluez_config = Path("/run/bus.conf"), Path("/run/bluez.conf")
        bus_config.write_text(_BUS_CONFIG.format(bus=BUS, bluez=self._policy))
        bluez_config.write_text(_BLUEZ_CONFIG)
        self._write_version_command()
        bus = self._spawn("bus", [*self._program("usr/bin/dbus-daemon"), "--nofork", f"--config-file={bus_config}"])
        relay = self._spawn("relay", [sys.executable, "-m", "tests.system.bluez_vm.guest.relay"])
        await self._made("/run/dbus", by=bus)
        await self._made("/sys/class/bluetooth/hci0", by=relay)
        btmon = [*self._program("usr/bin/btmon"), "-w", str(self._out / "machine.btsnoop")]
        subprocess.Popen(btmon, stdout=subprocess.DEVNULL)
        self._start_bluetoothd()

    def calls(self) -> dict[str, Call]:
        """What the host may call, by name."""
        return {"bluetoothd.kill": self.kill, "bluetoothd.start": self.start_again}

    async def kill(self) -> None:
        """End bluetoothd as a crash does."""
        self._bluetoothd.kill()
        await asyncio.to_thread(self._bluetoothd.wait)

    async def start_again(self) -> None:
        """Start bluetoothd after that."""
        self._start_bluetoothd()

    def _start_bluetoothd(self) -> None:
        daemon = self._program("usr/libexec/bluetooth/bluetoothd")
        self._bluetoothd = self._spawn("bluetoothd", [*daemon, "-n", "-f", "/run/bluez.conf"])

    def _program(self, path: str) -> list[str]:
        """A program of the packages, under their own loader and with their own libraries: the host's may be older."""
        libraries = self._packages / "usr/lib/x86_64-linux-gnu"
        loader = str(libraries / "ld-linux-x86-64.so.2")
        return [loader, "--library-path", str(libraries), str(self._packages / path)]

    def _write_version_command(self) -> None:
        """Where bleak looks for BlueZ's version."""
        command = Path("/run/bin/bluetoothctl")
        command.parent.mkdir()
        command.write_text(f'#!/bin/sh\nexec {shlex.join(self._program("usr/bin/bluetoothctl"))} "$@"\n')
        command.chmod(0o755)

    async def _made(self, path: str, *, by: subprocess.Popen[bytes]) -> None:
        async with asyncio.timeout(STARTED_S):
            while not Path(path).exists():
                if by.poll() is not None:
                    logs = "".join(log.read_text() for log in self._out.glob("*.log"))
                    raise RuntimeError(f"there is no {path}, and never will be:\n{logs}")
                await asyncio.sleep(LOOK_AGAIN_S)

    def _spawn(self, name: str, command: list[str]) -> subprocess.Popen[bytes]:
        with (self._out / f"{name}.log").open("ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=log)
