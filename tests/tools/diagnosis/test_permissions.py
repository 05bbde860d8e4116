"""What this user and this Python may open."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable

import pytest

from blechannel_tools.board import find_board, shipped
from blechannel_tools.diagnosis.finding import Finding, Level
from blechannel_tools.diagnosis.permissions import OURS, devices, hci_socket, hci_sockets
from tests.tools.diagnosis.machines import Machine, levels

ADMIN = 1 << 12


def some_socket() -> socket.socket:
    return socket.socket()


def refusing(code: int) -> Callable[[], socket.socket]:
    def refuse() -> socket.socket:
        raise OSError(code, "refused")

    return refuse


@pytest.fixture
def closed_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user who may open nothing: for root, every file is open."""
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)


def test_all_is_permitted(machine: Machine) -> None:
    machine.capabilities(ADMIN | 1)
    assert hci_sockets(machine.root, some_socket, python_has_them=True) == Finding("HCI sockets", Level.OK, "permitted")


@pytest.mark.parametrize(("code", "advice"), [(errno.EPERM, "CAP_NET_ADMIN"), (errno.EAFNOSUPPORT, "usb:")])
def test_a_socket_that_is_refused(machine: Machine, code: int, advice: str) -> None:
    refused = hci_sockets(machine.root, refusing(code), python_has_them=True)
    assert refused.level is Level.WARN
    assert advice in refused.advice


def test_a_python_without_bluetooth(machine: Machine) -> None:
    machine.capabilities(ADMIN)
    without = hci_sockets(machine.root, some_socket, python_has_them=False)
    assert without.level is Level.WARN
    assert "/usr/bin/python3" in without.advice


@pytest.mark.parametrize("effective", [0, ~ADMIN & 0xFFFF, None])
def test_a_user_without_the_capability(machine: Machine, effective: int | None) -> None:
    if effective is not None:
        machine.capabilities(effective)
    refused = hci_sockets(machine.root, some_socket, python_has_them=True)
    assert refused.level is Level.WARN
    assert "CAP_NET_ADMIN is missing" in refused.text


def test_a_real_socket_is_opened_or_refused(machine: Machine) -> None:
    machine.capabilities(ADMIN)
    try:
        hci_socket().close()
    except OSError:
        expected = Level.WARN
    else:
        expected = Level.OK
    assert hci_sockets(machine.root, python_has_them=True).level is expected


def test_devices_that_may_be_opened(machine: Machine) -> None:
    machine.usb("2FE3:000B")
    machine.write("dev/ttyACM0", "")
    machine.write("dev/ttyUSB1", "")
    assert levels(list(devices(machine.root))) == [
        ("usb:2fe3:000b", Level.OK),
        ("serial:/dev/ttyACM0", Level.OK),
        ("serial:/dev/ttyUSB1", Level.OK),
    ]


@pytest.mark.usefixtures("closed_nodes")
def test_devices_that_may_not_be_opened(machine: Machine) -> None:
    machine.usb("2fe3:000b")
    machine.write("dev/ttyACM0", "")
    stick, line = devices(machine.root)
    assert {stick.level, line.level} == {Level.WARN}
    assert "udev rule" in stick.advice
    assert "dialout" in line.advice


@pytest.mark.usefixtures("closed_nodes")
@pytest.mark.parametrize(("driver", "advice"), [("btusb", None), ("", "like hardware/udev")])
def test_a_controller_of_another_make(machine: Machine, driver: str, advice: str | None) -> None:
    machine.usb("8087:0026", driver=driver)
    said = [finding.advice for finding in devices(machine.root)]
    assert len(said) == (advice is not None), "what the kernel drives is an adapter, and not for usb:"
    assert all(advice in words for words in said if advice)


@pytest.mark.usefixtures("closed_nodes")
def test_a_board_of_ours_that_the_kernel_drives(machine: Machine) -> None:
    machine.usb("2fe3:000b", driver="btusb")
    assert [finding.level for finding in devices(machine.root)] == [Level.WARN]


def test_ours_are_those_of_the_boards() -> None:
    boards = {find_board(name).transport for name in shipped()}
    assert {f"usb:{number}" for number in OURS} == {spec for spec in boards if spec.startswith("usb:")}


def test_a_device_that_is_no_controller(machine: Machine) -> None:
    machine.usb("1234:5678", bluetooth=False)
    assert list(devices(machine.root)) == []


def test_a_program_that_talks_to_serial_lines(machine: Machine) -> None:
    machine.run("ModemManager")
    assert list(devices(machine.root)) == []
    machine.write("dev/ttyACM0", "")
    *_, modems = devices(machine.root)
    assert modems.level is Level.WARN
    assert "ModemManager" in modems.advice
