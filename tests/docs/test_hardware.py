"""hardware/README.md and the files beside it, as far as a machine without a board can check them."""

from __future__ import annotations

import configparser
import re
import shlex
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from blechannel.limits import MAX_LINKS
from blechannel_tools.board import Board, find_board, shipped
from blechannel_tools.command_line import command_parser
from blechannel_tools.diagnosis.nfc import READERS

HARDWARE = Path(__file__).resolve().parents[2] / "hardware"
README = (HARDWARE / "README.md").read_text("utf-8")
UNIT = HARDWARE / "systemd/blechannel-watch.service"
RULES = HARDWARE / "udev/70-blechannel.rules"
FIRMWARE = HARDWARE / "firmware/controller.conf"
RULE_KEY = re.compile(r'(SUBSYSTEM|ATTRS?\{\w+\}|ENV\{\w+\}|MODE|GROUP|TAG)(==|\+=|=)"([^"]*)"')
MATCHED = ("SUBSYSTEM", "ATTR")


def commands() -> list[str]:
    """Every call of `blechannel` that the page or the unit makes, from its first argument on."""
    unit = [line.partition("=")[2] for line in UNIT.read_text("utf-8").splitlines() if line.startswith("ExecStart=")]
    shown = re.findall(r"^(?:\$|sudo) (\S*blechannel .*)$", README, re.MULTILINE) + unit
    in_text = re.findall(r"`(blechannel [^`]*[^`A-Z])`", README)
    return [line.partition(" ")[2] for line in shown + [line for line in in_text if "--help" not in line]]


def test_there_are_commands_to_check() -> None:
    assert len(commands()) > 12
    assert any("--board raspberry-pi " in f"{command} " for command in commands())


@pytest.mark.parametrize("command", sorted(set(commands())))
def test_a_command_is_understood(command: str) -> None:
    assert callable(command_parser().parse_args(shlex.split(command)).run)


def test_the_table_lists_the_boards() -> None:
    rows = re.findall(r"^\| \[([a-z0-9-]+)\]\(boards/(\S+)\.toml\) \| .* \| .*`(\S+)`.* \| (yes|no) \|$", README, re.M)
    assert {name for name, *_ in rows} == set(shipped())
    for name, file, transport, tried in rows:
        assert file == name
        assert find_board(name).transport in f"`{transport}` {README}"
        assert (tried == "yes") == find_board(name).tried


def test_the_table_of_keys_is_the_schema() -> None:
    listed = re.findall(r"^\| `(\w+)` \| ", README.partition("## A board of your own")[2], re.MULTILINE)
    assert set(listed) == {field.name for field in fields(Board)} - {"name", "where"}


def test_what_was_not_tried_is_marked() -> None:
    assert "**What was tried.** No radio was at hand" in README
    assert "Not tried" in UNIT.read_text("utf-8")
    assert "Not built" in FIRMWARE.read_text("utf-8")
    for path in shipped().values():
        board = tomllib.loads(path.read_text("utf-8"))
        assert board["tried"] or board["reason"]


def test_the_unit_has_what_the_board_needs() -> None:
    # A key may stand several times in a unit; what is asked for here stands once.
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(UNIT.read_text("utf-8"))
    assert set(unit) == {"DEFAULT", "Unit", "Service", "Install"}
    service = unit["Service"]
    assert "bluetooth.service" in unit["Unit"]["Conflicts"].split(), "the board wants bluetoothd stopped"
    for privileges in ("AmbientCapabilities", "CapabilityBoundingSet"):
        assert set(service[privileges].split()) == {"CAP_NET_ADMIN", "CAP_NET_RAW"}
    assert "AF_BLUETOOTH" in service["RestrictAddressFamilies"].split()
    assert service["Environment"] == f"BLECHANNEL_HOME=/var/lib/{service['StateDirectory']}"
    assert service["Restart"] == "on-failure"


def rules() -> list[list[tuple[str, str, str]]]:
    lines = [line for line in RULES.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    parts = [[RULE_KEY.fullmatch(part) for part in line.split(", ")] for line in lines]
    assert all(part for rule in parts for part in rule), "each part is KEY, an operator, and a value in quotes"
    return [[(part[1], part[2], part[3]) for part in rule if part] for rule in parts]


def test_the_rules_match_before_they_assign() -> None:
    for rule in rules():
        kinds = [operator == "==" for _, operator, _ in rule]
        assert kinds == sorted(kinds, reverse=True)
        assert 0 < sum(kinds) < len(kinds)
        for key, operator, _ in rule:
            assert (operator == "==") == key.startswith(MATCHED)


def test_the_rules_open_the_boards_and_the_readers() -> None:
    opened = set()
    for rule in rules():
        values = {key: value for key, _, value in rule}
        if values["SUBSYSTEM"] == "usb" and values.get("TAG") == "uaccess":
            opened.add(f"{values['ATTR{idVendor}']}:{values['ATTR{idProduct}']}")
    boards = [find_board(name).transport.removeprefix("usb:") for name in shipped()]
    assert opened == {number for number in boards if re.fullmatch("[0-9a-f]{4}:[0-9a-f]{4}", number)} | set(READERS)


def test_the_firmware_has_the_buffers_that_the_boards_promise() -> None:
    lines = [line for line in FIRMWARE.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    options = {}
    for line in lines:
        found = re.fullmatch(r"CONFIG_(BT_[A-Z0-9_]+)=(y|n|[0-9]+)", line)
        assert found, line
        options[found[1]] = found[2]
    assert len(options) == len(lines)
    assert int(options["BT_MAX_CONN"]) == MAX_LINKS
    for name in shipped():
        board = find_board(name)
        if name.startswith("nrf52"):
            assert options["BT_BUF_ACL_TX_SIZE"] == options["BT_CTLR_DATA_LENGTH_MAX"] == str(board.acl_bytes)
            assert ("2M" in board.phys) == (options["BT_CTLR_PHY_2M"] == "y")
