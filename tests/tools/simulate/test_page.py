"""Every table of docs/simulate.md is what the program prints, and its options are the program's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from blechannel_tools.exits import Exit
from tests.tools.programs import Run

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "simulate.md").read_text("utf-8")
SHOWN: list[tuple[str, str]] = re.findall(r"```console\n\$ blechannel (simulate [^\n]+)\n(.+?)```", PAGE, re.DOTALL)


def test_there_are_tables() -> None:
    assert [line.split()[1] for line, _ in SHOWN] == ["reconnect", "pairing", "transfer", "transfer"]


@pytest.mark.parametrize(("line", "shown"), SHOWN, ids=[line for line, _ in SHOWN])
def test_a_table_is_what_the_program_prints(line: str, shown: str, people: Run) -> None:
    ran = people(*line.split())
    assert ran.code == Exit.DONE
    assert ran.out.split() == shown.split()


def test_the_options_are_those_of_the_program(people: Run) -> None:
    listed = set(re.findall(r"^\| `(--[a-z-]+)`", PAGE, re.MULTILINE))
    declared = set(re.findall(r"^  (?:-h, )?(--[a-z-]+)", people("simulate", "--help").out, re.MULTILINE))
    assert listed == declared - {"--help"}
