"""What BlueZ says over D-Bus, and a bus that says nothing."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from dbus_fast import Variant

from blechannel_tools.diagnosis import bus
from blechannel_tools.diagnosis.finding import Finding, Level
from tests.transports.bluez.daemon import Daemon, adapter, daemon

Interfaces = Mapping[str, Mapping[str, Variant]]

NO_PERIPHERAL: Interfaces = {bus.ADAPTER: {"Powered": Variant("b", True)}}
ODD: Interfaces = {bus.ADAPTER: {}}
DEVICE: Interfaces = {"org.bluez.Device1": {}}
ANSWER_S = 0.05


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bus, "ANSWER_S", ANSWER_S)


async def has_hung_up(bluetoothd: Daemon) -> None:
    async with asyncio.timeout(5):
        while bluetoothd._stream is not None:
            await asyncio.sleep(0.001)


async def test_an_adapter_is_asked_for_and_nothing_else(tmp_path: Path) -> None:
    async with daemon(tmp_path) as (bluetoothd, address):
        assert await bus.bluez_on_bus(address) == [
            Finding("bluez:hci0", Level.OK, "powered on, and can advertise"),
        ]
        await has_hung_up(bluetoothd)
        assert bluetoothd.calls == ["Hello", "GetManagedObjects"]
        assert bluetoothd.starting == [], "who looks starts nothing"


async def test_adapters(tmp_path: Path) -> None:
    objects = {"hci2": ODD, "hci0": adapter(), "dev_1": DEVICE, "hci1": adapter(powered=False), "hci3": NO_PERIPHERAL}
    async with daemon(tmp_path) as (bluetoothd, address):
        bluetoothd.objects = {f"/org/bluez/{name}": interfaces for name, interfaces in objects.items()}
        assert await bus.bluez_on_bus(address) == [
            Finding("bluez:hci0", Level.OK, "powered on, and can advertise"),
            Finding("bluez:hci1", Level.WARN, "powered off", "bluetoothctl select hci1; bluetoothctl power on"),
            Finding("bluez:hci2", Level.WARN, "powered off", "bluetoothctl select hci2; bluetoothctl power on"),
            Finding("bluez:hci3", Level.WARN, "cannot advertise: no watch on it", "use another adapter"),
        ]


async def test_no_adapter(tmp_path: Path) -> None:
    async with daemon(tmp_path) as (bluetoothd, address):
        bluetoothd.objects = {"/org/bluez/dev_1": DEVICE}
        [none] = await bus.bluez_on_bus(address)
    assert (none.level, none.text) == (Level.WARN, "BlueZ answers, and has no adapter")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("ServiceUnknown", "BlueZ does not answer"),
        ("NameHasNoOwner", "BlueZ does not answer"),
        ("AccessDenied", "the policy does not let"),
        ("NoMemory", "BlueZ refused: org.freedesktop.DBus.Error.NoMemory"),
    ],
)
async def test_refusals(tmp_path: Path, error: str, said: str) -> None:
    async with daemon(tmp_path) as (bluetoothd, address):
        bluetoothd.refusals["GetManagedObjects"] = f"org.freedesktop.DBus.Error.{error}"
        [refused] = await bus.bluez_on_bus(address)
        await has_hung_up(bluetoothd)
    assert refused.level is Level.WARN
    assert said in refused.text
    assert refused.advice


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("deaf", ["Hello", "GetManagedObjects"])
async def test_no_answer(tmp_path: Path, deaf: str) -> None:
    async with daemon(tmp_path) as (bluetoothd, address):
        bluetoothd.deaf.add(deaf)
        [dead] = await bus.bluez_on_bus(address)
        await has_hung_up(bluetoothd)
    assert (dead.level, dead.text) == (Level.WARN, f"no answer within {ANSWER_S:g} s")


@pytest.mark.usefixtures("impatient")
async def test_a_bus_that_lets_nobody_in(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "bus"))
        dead.listen()
        [finding] = await bus.bluez_on_bus(f"unix:path={tmp_path}/bus")
    assert (finding.level, finding.text) == (Level.WARN, f"no answer within {ANSWER_S:g} s")


@pytest.mark.parametrize("address", ["unix:path=/nowhere/bus", "tcp:host=127.0.0.1,port=1", "smoke:colour=white"])
async def test_no_bus(address: str) -> None:
    [missing] = await bus.bluez_on_bus(address)
    assert missing.level is Level.WARN
    assert "out of reach" in missing.text
    assert "/run/dbus" in missing.advice


async def test_a_bus_that_ends(tmp_path: Path) -> None:
    async with daemon(tmp_path) as (bluetoothd, address):
        bluetoothd.deaf.add("GetManagedObjects")
        asking = asyncio.ensure_future(bus.bluez_on_bus(address))
        await bluetoothd.until(lambda: "GetManagedObjects" in bluetoothd.calls)
        bluetoothd.cut()
        [gone] = await asking
    assert gone.level is Level.WARN
    assert "out of reach" in gone.text


async def test_without_dbus_fast(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "dbus_fast", None)
    assert await bus.bluez_on_bus(f"unix:path={tmp_path}/bus") == []
