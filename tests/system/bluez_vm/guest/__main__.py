"""The machine's only program: starts what lies below an application, then does what the host calls for."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

from tests.system.bluez_vm.guest import calls
from tests.system.bluez_vm.guest.bluez import Bluez
from tests.system.bluez_vm.guest.phone import GuestPhone
from tests.system.bluez_vm.guest.plain import plain_battery, plain_table
from tests.system.bluez_vm.guest.profiles import GuestProfiles
from tests.system.bluez_vm.guest.services import Services
from tests.system.bluez_vm.guest.watch import GuestWatch


async def main() -> None:
    """Until the host closes its end; the kernel stops when its first process does, and so does the machine."""
    services = Services(Path(os.environ["PACKAGES"]), Path(os.environ["POLICY"]), Path("/run/out"))
    await services.start()
    bluez = await Bluez.connect()
    print(f"up after {time.clock_gettime(time.CLOCK_BOOTTIME):.1f} s", flush=True)
    ours: dict[str, calls.Call] = {"plain_table": plain_table, "plain_battery": plain_battery, "sync": sync}
    phone = GuestPhone()
    sides = {**phone.calls(), **GuestProfiles(phone).calls(), **GuestWatch().calls()}
    await calls.serve({**ours, **services.calls(), **bluez.calls(), **sides})


async def sync() -> None:
    """Everything that was written is with the host."""
    os.sync()


asyncio.run(main())
