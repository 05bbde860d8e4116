"""BlueZ: there, its age, its settings, and whom its policy lets in."""

from __future__ import annotations

from pathlib import Path

import pytest

from blechannel_tools.diagnosis import bluez
from blechannel_tools.diagnosis.finding import Finding, Level
from tests.tools.diagnosis.machines import Machine, levels, only

ROOT_ONLY = '<policy user="root"><allow own="org.bluez"/><allow send_destination="org.bluez"/></policy>'
A_GROUP = '<policy group="bluetooth"><allow send_destination="org.bluez"/></policy>'
EVERYBODY = '<policy context="default"><allow send_destination="org.bluez"/></policy>'
NOBODY = '<policy context="default"><deny send_destination="org.bluez"/></policy>'


@pytest.fixture
def installed(machine: Machine) -> Machine:
    """A machine with BlueZ as Debian has it."""
    program(machine, "echo 5.66")
    machine.write("etc/bluetooth/main.conf", "[General]\n#ControllerMode = dual\n[Policy]\nAutoEnable=true\n")
    policy(machine, ROOT_ONLY, EVERYBODY)
    return machine


def program(machine: Machine, does: str) -> Path:
    path = machine.write("usr/libexec/bluetooth/bluetoothd", f"#!/bin/sh\n{does}\n")
    path.chmod(0o755)
    return path


def policy(machine: Machine, *parts: str) -> None:
    doctype = '<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN" "busconfig.dtd">'
    machine.write("etc/dbus-1/system.d/bluetooth.conf", f"{doctype}<busconfig>{''.join(parts)}</busconfig>")


def found(
    machine: Machine, *, daemon_runs: bool = False, groups: frozenset[str] = frozenset(), is_root: bool = False
) -> list[Finding]:
    return list(bluez.bluez(machine.root, daemon_runs=daemon_runs, groups=groups, is_root=is_root))


def test_all_is_well(installed: Machine) -> None:
    assert levels(found(installed)) == [
        ("bluetoothd", Level.OK),
        ("BlueZ", Level.OK),
        ("main.conf", Level.OK),
        ("D-Bus policy", Level.OK),
    ]


def test_not_installed(machine: Machine) -> None:
    [none] = found(machine)
    assert none.level is Level.WARN
    assert "apt install bluez" in none.advice


@pytest.mark.parametrize(("daemon_runs", "said"), [(True, "hci-socket:N needs it stopped"), (False, "does not run")])
def test_who_has_the_adapters(installed: Machine, daemon_runs: bool, said: str) -> None:
    assert said in found(installed, daemon_runs=daemon_runs)[0].text


def test_it_runs_from_elsewhere(machine: Machine) -> None:
    assert [subject for subject, _ in levels(found(machine, daemon_runs=True))] == [
        "bluetoothd",
        "main.conf",
        "D-Bus policy",
    ]


@pytest.mark.parametrize(
    ("does", "level", "said"),
    [
        ("echo 5.80", Level.OK, "5.80"),
        ("echo 5.79", Level.OK, "5.79; before 5.80 a watch on bluez"),
        ("echo 5.55", Level.OK, "5.55; before"),
        ("echo 5.54", Level.WARN, "5.54"),
        ("echo 4.101", Level.WARN, "4.101"),
        ("echo what?", Level.WARN, "says no version"),
        ("exit 1", Level.WARN, "says no version"),
        ("exec sleep 60", Level.WARN, "timed out"),
    ],
)
def test_versions(machine: Machine, monkeypatch: pytest.MonkeyPatch, does: str, level: Level, said: str) -> None:
    if level is Level.WARN and "sleep" in does:
        monkeypatch.setattr(bluez, "VERSION_S", 0.05)
    finding = bluez.version(program(machine, does))
    assert finding.level is level
    assert said in finding.text


def test_a_program_that_cannot_be_run(machine: Machine) -> None:
    finding = bluez.version(machine.write("bluetoothd", ""))
    assert finding.level is Level.WARN
    assert "Permission denied" in finding.text


@pytest.mark.parametrize(
    ("main_conf", "said"),
    [
        ("[General]\nControllerMode = bredr\n", ["ControllerMode"]),
        ("[General]\nControllerMode = LE\n", []),
        ("[Policy]\nAutoEnable=False\n", ["AutoEnable"]),
        ("[GATT]\nExchangeMTU = 23\n", ["ExchangeMTU = 23"]),
        ("[GATT]\nExchangeMTU = 247\n", []),
        ("[GATT]\nExchangeMTU = many\n", []),
        ("[General]\nControllerMode\n[Policy]\nAutoEnable=false\n[GATT]\nExchangeMTU=100\n", ["Auto", "Exchange"]),
        ("ControllerMode = le\n", ["cannot be understood"]),
        ("[General]\nName = 100 %\n[General]\nName = twice\n", []),
        ("", []),
    ],
)
def test_settings(main_conf: str, said: list[str]) -> None:
    findings = bluez.settings(main_conf)
    if not said:
        assert levels(findings) == [("main.conf", Level.OK)]
        return
    assert {finding.level for finding in findings} == {Level.WARN}
    assert all(word in finding.text for word, finding in zip(said, findings, strict=True))


@pytest.mark.parametrize(
    ("parts", "groups", "is_root", "advice"),
    [
        ((ROOT_ONLY, EVERYBODY), (), False, None),
        ((ROOT_ONLY, A_GROUP, NOBODY), ("bluetooth",), False, None),
        ((ROOT_ONLY, A_GROUP, NOBODY), ("audio",), False, "usermod -aG bluetooth"),
        ((ROOT_ONLY, NOBODY), ("bluetooth",), False, "allow send_destination=org.bluez"),
        ((ROOT_ONLY, NOBODY), (), True, None),
        ((NOBODY,), (), True, "allow send_destination=org.bluez"),
        (("<policy",), (), False, "reinstall"),
    ],
)
def test_policies(
    installed: Machine, parts: tuple[str, ...], groups: tuple[str, ...], is_root: bool, advice: str | None
) -> None:
    policy(installed, *parts)
    finding = only(found(installed, groups=frozenset(groups), is_root=is_root), "D-Bus policy")
    assert finding.level is (Level.OK if advice is None else Level.WARN)
    assert (advice or "") in finding.advice


def test_no_policy(installed: Machine) -> None:
    (installed.root / "etc/dbus-1/system.d/bluetooth.conf").unlink()
    assert "nobody is let in" in only(found(installed), "D-Bus policy").text
