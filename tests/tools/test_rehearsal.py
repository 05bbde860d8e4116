"""The rehearsal of hardware/README.md: its lines work, and print what the page says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from blechannel_tools.board import find_board
from blechannel_tools.exits import Exit
from tests.tools.programs import Program, Run, Terminal

PAGE = Path(__file__).resolve().parents[2] / "hardware/README.md"
CHANGES = re.compile(r"\d{3} \d{3}|\([0-9a-f]{8}\)|[\d.]+ ms|\((?:tcp|unix)\)|tcp:127\.0\.0\.1:7001|unix:\S+/w")
"""What differs from run to run, and from transport to transport."""


def rehearsal() -> tuple[list[list[str]], list[str]]:
    """The commands after the set-up, and the blocks of what they print."""
    section = PAGE.read_text("utf-8").partition("## 1. ")[2].partition("\n## ")[0]
    commands = [shlex.split(line)[1:] for line in re.findall(r"^\$ (blechannel (?:watch|phone) .*)$", section, re.M)]
    return commands, re.findall(r"^```text\n(.*?)^```", section, re.MULTILINE | re.DOTALL)


def steady(text: str) -> str:
    return CHANGES.sub("…", text)


def test_the_rehearsal(transport: str, people: Run, terminal: Terminal, tmp_path: Path) -> None:
    virtual = find_board("virtual")
    board = tmp_path / "virtual.toml"
    board.write_text(virtual.where.read_text("utf-8").replace(virtual.transport, transport))
    here = {"virtual": str(board), virtual.transport: transport}
    (watch, *phone), (on_watch, on_phone) = rehearsal()
    with Program(*(here.get(word, word) for word in watch), people=True) as running:
        shown = [running.line() for _ in on_watch.splitlines()]
        assert [steady(line) for line in shown] == steady(on_watch).splitlines()
        terminal.type("".join(re.findall(r"\d{3} \d{3}", shown[-1])) + "\n")
        ran = [people(*(here.get(word, word) for word in line)) for line in phone]
    assert [each.code for each in ran] == [Exit.DONE] * 3, ran
    assert steady("".join(each.out for each in ran)) == steady(on_phone)
