"""Adapters: seen or why not, powered, blocked, known to be bad."""

from __future__ import annotations

import errno

import pytest

from blechannel_tools.diagnosis.adapters import adapters, kernel_info
from blechannel_tools.diagnosis.files import is_running
from blechannel_tools.diagnosis.finding import Finding, Level
from tests.tools.diagnosis.machines import Machine, info, levels, only


def found(machine: Machine, *, up: bool = False, daemon_runs: bool = False) -> list[Finding]:
    return list(adapters(machine.root, lambda _number: info(up=up), daemon_runs=daemon_runs))


def test_a_long_name_of_a_process_is_known_by_its_beginning(machine: Machine) -> None:
    assert not is_running(machine.root, "bluetooth-meshd-2")
    machine.run("bluetooth-meshd")
    assert is_running(machine.root, "bluetooth-meshd-2")


def silent(_number: int) -> bytes:
    raise OSError(errno.ENODEV, "no such device")


def test_a_free_adapter(machine: Machine) -> None:
    machine.adapter(usb="2fe3:000b")
    machine.switch(0, kind="wlan", soft="1")
    machine.switch(1)
    assert [finding.text for finding in found(machine)] == [
        "USB 2fe3:000b, attached by btusb",
        "down: free to be opened",
        "hci1 is not blocked",
    ]
    assert {level for _, level in levels(found(machine))} == {Level.OK}


def test_an_adapter_on_a_serial_line(machine: Machine) -> None:
    machine.adapter(driver="hci_uart_bcm")
    assert found(machine)[0] == Finding("hci0", Level.OK, "attached by hci_uart_bcm")


def test_an_adapter_without_a_driver(machine: Machine) -> None:
    machine.adapter(driver="")
    assert found(machine)[0].text == "attached by no driver"


def test_an_adapter_that_is_known_to_be_bad(machine: Machine) -> None:
    machine.adapter(usb="0a12:0001")
    bad = found(machine)[0]
    assert bad.level is Level.WARN
    assert "CSR" in bad.text
    assert "another adapter" in bad.advice


@pytest.mark.parametrize(("up", "advice"), [(True, "hciconfig hci0 down"), (False, "")])
def test_power(machine: Machine, *, up: bool, advice: str) -> None:
    machine.adapter()
    power = found(machine, up=up)[1]
    assert power.level is (Level.WARN if advice else Level.OK)
    assert advice in power.advice


def test_power_is_bluetoothds_where_it_runs(machine: Machine) -> None:
    machine.adapter()
    assert [finding.text for finding in found(machine, daemon_runs=True)] == ["attached by btusb"]


def test_a_kernel_that_does_not_tell(machine: Machine) -> None:
    machine.adapter()
    assert levels(list(adapters(machine.root, silent, daemon_runs=False))) == [("hci0", Level.OK)]


def test_this_kernel_tells_or_refuses() -> None:
    """No machine has an adapter of that number."""
    with pytest.raises(OSError, match=r".") as refused:
        kernel_info(4321)
    assert refused.value.errno in (errno.ENODEV, errno.EAFNOSUPPORT, errno.EPERM, errno.EACCES)


@pytest.mark.parametrize(
    ("path", "text", "advice"),
    [
        ("boot/firmware/config.txt", "# ours\ndtoverlay=disable-bt\n", "/boot/firmware/config.txt switches it off"),
        ("boot/config.txt", "dtoverlay=pi3-disable-bt", "/boot/config.txt switches it off"),
        ("boot/config.txt", "#dtoverlay=disable-bt", "plug one in"),
        ("proc/version", "Linux version 5.15.90.1-microsoft-standard-WSL2", "usbipd"),
        ("proc/version", "Linux version 6.1.0", "--transport"),
    ],
)
def test_no_adapter(machine: Machine, path: str, text: str, advice: str) -> None:
    machine.write(path, text)
    [none] = found(machine)
    assert (none.subject, none.level) == ("adapters", Level.WARN)
    assert advice in none.advice


@pytest.mark.parametrize(("soft", "hard", "advice"), [("1", "0", "rfkill unblock"), ("1", "1", "switch it on")])
def test_a_blocked_adapter(machine: Machine, soft: str, hard: str, advice: str) -> None:
    machine.adapter()
    machine.switch(1, soft=soft, hard=hard)
    blocked = only(found(machine), "rfkill")
    assert blocked.level is Level.WARN
    assert advice in blocked.advice
