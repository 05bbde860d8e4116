"""What a desktop has running below a Bluetooth application: the bus, btmon and bluetoothd."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

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

    def __init__(self, packages: Path, out: Path) -> None:
        self._packages = packages
        self._out = out
        os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = BUS

    async def start(self) -> None:
        """Start them all, each once what it needs is there."""
        bus_config, bluez_config = Path("/run/bus.conf"), Path("/run/bluez.conf")
        policy = self._packages / "etc/dbus-1/system.d/bluetooth.conf"
        bus_config.write_text(_BUS_CONFIG.format(bus=BUS, bluez=policy))
        bluez_config.write_text(_BLUEZ_CONFIG)
        self._spawn("bus", ["dbus-daemon", "--nofork", f"--config-file={bus_config}"])
        self._spawn("relay", [sys.executable, "-m", "tests.system.bluez_vm.guest.relay"])
        await _there(Path("/run/dbus"))
        await _there(Path("/sys/class/bluetooth/hci0"))
        btmon = str(self._packages / "usr/bin/btmon")
        subprocess.Popen([btmon, "-w", str(self._out / "machine.btsnoop")], stdout=subprocess.DEVNULL)
        self.start_bluetoothd()

    def start_bluetoothd(self) -> None:
        """Start bluetoothd; what it says goes into the folder for results."""
        daemon = self._packages / "usr/libexec/bluetooth/bluetoothd"
        self.bluetoothd = self._spawn("bluetoothd", [str(daemon), "-n", "-f", "/run/bluez.conf"])

    def _spawn(self, name: str, command: list[str]) -> subprocess.Popen[bytes]:
        with (self._out / f"{name}.log").open("ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=log)


async def _there(path: Path) -> None:
    async with asyncio.timeout(STARTED_S):
        while not path.exists():
            await asyncio.sleep(LOOK_AGAIN_S)
