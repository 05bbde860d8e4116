"""All of Linux together: what is asked depends on what is there."""

from __future__ import annotations

import grp
import os
from dataclasses import replace
from pathlib import Path

import pytest

from blechannel_tools.board import Nfc, find_board
from blechannel_tools.diagnosis.finding import Level
from blechannel_tools.diagnosis.linux import linux, own_groups, wants
from tests.tools.diagnosis.machines import Machine, only
from tests.transports.bluez.daemon import daemon

NOWHERE = "unix:path=/nowhere/bus"


async def test_an_empty_machine(machine: Machine) -> None:
    subjects = [finding.subject for finding in await linux(machine.root, bus_address=NOWHERE)]
    assert subjects == ["adapters", "BlueZ", "NFC reader"], "without an adapter, nobody asks for sockets or the bus"


async def test_a_machine_with_everything(machine: Machine, tmp_path: Path) -> None:
    machine.adapter(usb="2fe3:000b")
    machine.run("bluetoothd")
    async with daemon(tmp_path) as (_, address):
        findings = await linux(machine.root, bus_address=address)
    assert only(findings, "bluez:hci0").level is Level.OK
    assert "runs" in only(findings, "bluetoothd").text
    assert {"hci0", "HCI sockets", "usb:2fe3:000b"} <= {finding.subject for finding in findings}


async def test_a_board_is_heard(machine: Machine) -> None:
    board = find_board("raspberry-pi-bluez")
    findings = await linux(machine.root, board=board)
    assert only(findings, "board").level is Level.FAIL
    assert only(findings, "NFC reader").level is Level.OK
    findings = await linux(machine.root, board=replace(board, nfc=Nfc.READER))
    assert only(findings, "NFC reader").level is Level.WARN


@pytest.mark.parametrize(
    ("name", "daemon_runs", "advice"),
    [
        ("raspberry-pi", True, "systemctl stop bluetooth"),
        ("raspberry-pi", False, ""),
        ("raspberry-pi-bluez", False, "systemctl start bluetooth"),
        ("raspberry-pi-bluez", True, ""),
        ("virtual", True, ""),
        ("virtual", False, ""),
    ],
)
def test_what_a_board_wants(name: str, daemon_runs: bool, advice: str) -> None:
    finding = wants(find_board(name), daemon_runs)
    assert finding.level is (Level.FAIL if advice else Level.OK)
    assert advice in finding.advice
    if not advice:
        assert ("not tried" in finding.text) == (name != "virtual")


def test_own_groups() -> None:
    own = grp.getgrgid(os.getegid()).gr_name
    foreign = {group.gr_name for group in grp.getgrall() if group.gr_gid not in {os.getegid(), *os.getgroups()}}
    assert own in own_groups()
    assert not own_groups() & foreign
