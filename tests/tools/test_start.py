"""What is loaded before it is needed: nothing large."""

from __future__ import annotations

import argparse

import pytest

from blechannel_tools.command_line import COMMANDS, command_parser
from blechannel_tools.commands.capture import PARTS
from tests.unmeasured import run_unmeasured

LOADED = """
import sys
{program}
print(*sorted({{name.partition(".")[0] for name in sys.modules}}), file=sys.stderr)
"""
LARGE = {"bleak", "bumble", "dbus_fast", "matplotlib", "rich"}
BOTH_SIDES = """
from blechannel import Phone, Watch
from blechannel.stores.sqlite import SqliteStore
from blechannel.transports.loopback import LoopbackAir
"""
COMMAND = """
from blechannel_tools.cli import main
try:
    main({arguments})
except SystemExit:
    pass
"""


def loaded(program: str) -> set[str]:
    """The packages that a Python has loaded at the end of that program."""
    return set(run_unmeasured(LOADED.format(program=program)).stderr.splitlines()[-1].split())


def test_a_program_loads_no_radio_before_it_names_one() -> None:
    packages = loaded(BOTH_SIDES)
    assert {"asyncio", "blechannel", "cryptography"} <= packages
    assert not packages & LARGE


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_loads_nothing_that_it_does_not_need(arguments: list[str]) -> None:
    packages = loaded(COMMAND.format(arguments=arguments))
    assert "blechannel_tools" in packages
    assert not packages & {*LARGE, "asyncio", "blechannel_capture", "construct", "cryptography", "sqlite3"}


def test_a_capture_is_looked_at_without_an_event_loop() -> None:
    packages = loaded(COMMAND.format(arguments=["capture", "info", "no such file", "--json"]))
    assert "blechannel_capture" in packages
    assert not packages & {*LARGE, "asyncio", "sqlite3"}


def group_of(parser: argparse.ArgumentParser) -> argparse._SubParsersAction[argparse.ArgumentParser]:
    [group] = [each for each in parser._actions if isinstance(each, argparse._SubParsersAction)]
    return group


def commands_of(parser: argparse.ArgumentParser) -> dict[str, str | None]:
    return {each.dest: each.help for each in group_of(parser)._choices_actions}


def test_each_command_says_of_itself_what_help_says_of_it() -> None:
    assert commands_of(command_parser()) == commands_of(command_parser("--help")) == COMMANDS


def test_each_part_of_capture_says_of_itself_what_help_says_of_it() -> None:
    for action in ("", "info", "--help", "no such part"):
        assert commands_of(group_of(command_parser("capture", action)).choices["capture"]) == PARTS


def test_a_part_of_capture_loads_none_of_the_others() -> None:
    program = COMMAND.format(arguments=["capture", "info", "no such file", "--json"])
    program += "print(*sys.modules, file=sys.stderr)"
    printed = run_unmeasured("import sys\n" + program).stderr.splitlines()[-1].split()
    group = "blechannel_tools.commands.capture."
    assert {name.removeprefix(group) for name in printed if name.startswith(group)} == {"info", "reading"}
