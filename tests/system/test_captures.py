"""A pairing, captured by btmon in the machine and by the watch outside, read by a dissector that knows neither."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.system.bluez_vm.machine import Machine
from tests.system.bluez_vm.sides import WatchSide

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="session")]

NOTIFICATION, WRITE_COMMAND = 0x1B, 0x52
READ_S = 50


def _values(capture: Path, opcode: int) -> list[str]:
    tshark = shutil.which("tshark")
    if tshark is None:
        pytest.skip("tshark is not installed")
    command = [tshark, "-r", str(capture), "-Y", f"btatt.opcode == {opcode}", "-T", "fields", "-e", "btatt.value"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True, timeout=READ_S).stdout
    return printed.split()


async def test_both_ends_saw_the_same(machine: Machine) -> None:
    side = WatchSide(machine)
    await side.switch_on()
    await machine.call("phone.start")
    await machine.call("phone.pair", way="passkey", secret=side.on.open_pairing().code)
    await machine.call("phone.echo", count=1)
    await machine.call("phone.stop")
    await side.switch_off()
    await machine.call("sync")
    [inside, outside] = [machine.out / "machine.btsnoop", side.captures[-1]]
    assert len(_values(outside, NOTIFICATION)) > 4
    for opcode in (NOTIFICATION, WRITE_COMMAND):
        exchanged = _values(outside, opcode)
        assert _values(inside, opcode)[-len(exchanged) :] == exchanged
