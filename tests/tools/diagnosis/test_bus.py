"""What BlueZ says over D-Bus, and a bus that says nothing."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from dbus_fast import Message, MessageFlag, Variant

from blechannel_tools.diagnosis import bus
from blechannel_tools.diagnosis.finding import Finding, Level
from tests.tools.diagnosis.lone_bus import Answer, lone_bus

Interfaces = Mapping[str, Mapping[str, Variant]]

ON: Interfaces = {bus.ADAPTER: {"Powered": Variant("b", True)}, bus.ADVERTISING: {}}
OFF: Interfaces = {bus.ADAPTER: {"Powered": Variant("b", False)}, bus.ADVERTISING: {}}
NO_PERIPHERAL: Interfaces = {bus.ADAPTER: {"Powered": Variant("b", True)}}
ODD: Interfaces = {bus.ADAPTER: {}}
DEVICE: Interfaces = {"org.bluez.Device1": {}}


def having(**objects: Interfaces) -> Answer:
    """BlueZ with these objects."""
    body = [{f"/org/bluez/{name}": interfaces for name, interfaces in objects.items()}]
    return lambda asked: Message.new_method_return(asked, "a{oa{sa{sv}}}", body)


def refusing(error: str) -> Answer:
    return lambda asked: Message.new_error(asked, f"org.freedesktop.DBus.Error.{error}", "no")


async def found(answer: Answer | None) -> list[Finding]:
    """What is found; whoever asked has hung up."""
    async with lone_bus(answer) as there:
        findings = await bus.bluez_on_bus(there.address)
        async with asyncio.timeout(5):
            await there.left.wait()
        return findings


async def test_the_question_starts_nothing() -> None:
    async with lone_bus(having(hci0=ON)) as there:
        await bus.bluez_on_bus(there.address)
    [asked] = there.asked
    assert (asked.destination, asked.member) == ("org.bluez", "GetManagedObjects")
    assert asked.flags & MessageFlag.NO_AUTOSTART


async def test_adapters() -> None:
    assert await found(having(hci2=ODD, hci0=ON, dev_1=DEVICE, hci1=OFF, hci3=NO_PERIPHERAL)) == [
        Finding("bluez:hci0", Level.OK, "powered on, and can advertise"),
        Finding("bluez:hci1", Level.WARN, "powered off", "bluetoothctl select hci1; bluetoothctl power on"),
        Finding("bluez:hci2", Level.WARN, "powered off", "bluetoothctl select hci2; bluetoothctl power on"),
        Finding("bluez:hci3", Level.WARN, "cannot advertise: no watch on it", "use another adapter"),
    ]


async def test_no_adapter() -> None:
    [none] = await found(having(dev_1=DEVICE))
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
async def test_refusals(error: str, said: str) -> None:
    [refused] = await found(refusing(error))
    assert refused.level is Level.WARN
    assert said in refused.text
    assert refused.advice


async def test_a_bus_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bus, "ANSWER_S", 0.05)
    [dead] = await found(None)
    assert (dead.level, dead.text) == (Level.WARN, "no answer within 0.05 s")


async def test_bluez_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bus, "ANSWER_S", 0.05)
    # An answer to a question that nobody has asked.
    [dead] = await found(lambda asked: Message.new_signal("/", asked.interface or "", "Elsewhere"))
    assert (dead.level, dead.text) == (Level.WARN, "no answer within 0.05 s")


@pytest.mark.parametrize("address", ["unix:path=/nowhere/bus", "tcp:host=127.0.0.1,port=1", "smoke:colour=white"])
async def test_no_bus(address: str) -> None:
    [missing] = await bus.bluez_on_bus(address)
    assert missing.level is Level.WARN
    assert "out of reach" in missing.text
    assert "/run/dbus" in missing.advice


async def test_a_bus_that_hangs_up() -> None:
    def hang_up(_asked: Message) -> Message:
        raise ConnectionResetError

    async with lone_bus(hang_up) as there:
        [gone] = await bus.bluez_on_bus(there.address)
    assert (gone.subject, gone.level) == ("D-Bus", Level.WARN)


async def test_without_dbus_fast(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "dbus_fast", None)
    assert await bus.bluez_on_bus(f"unix:path={tmp_path}/bus") == []
