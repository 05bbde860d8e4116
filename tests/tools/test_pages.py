"""What README.md and docs/command-line.md say of the command line is so."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from blechannel_tools.exits import MEANINGS, Exit
from tests.tools.programs import WAIT_S, Program, Run, Terminal

CHECKOUT = Path(__file__).resolve().parents[2]
TRANSPORT = "unix:/tmp/ble"


@pytest.mark.parametrize("page", ["README.md", "docs/command-line.md"])
def test_the_exit_codes_are_those_of_the_program(page: str) -> None:
    text = (CHECKOUT / page).read_text("utf-8")
    listed = {int(code): meaning for code, meaning in re.findall(r"^\| (\d+) \| (.+) \|$", text, re.MULTILINE)}
    assert listed == {code.value: meaning for code, meaning in MEANINGS.items()}


def lines_of_the_readme() -> list[list[str]]:
    text = (CHECKOUT / "README.md").read_text("utf-8")
    _, _, section = text.partition("## The command line\n")
    section, _, _ = section.partition("\n## ")
    return [shlex.split(line)[1:] for line in re.findall(r"^\$ (blechannel .*)$", section, re.MULTILINE)]


def test_the_lines_of_the_readme_work(
    transport: str, people: Run, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BLECHANNEL_TRANSPORT")
    monkeypatch.chdir(CHECKOUT)
    here = {TRANSPORT: transport, "2": "0.1", "5": "1"}
    first, *others = [[here.get(word, word) for word in line] for line in lines_of_the_readme()]
    assert [line[0] for line in others] == ["phone"] * 5 + ["bonds"]
    with Program(*first) as watch:
        terminal.type(watch.event("code")["code"] + "\n")
        ran = [people(*line) for line in others]
    assert [each.code for each in ran] == [Exit.DONE] * len(others), ran
    pair, connect, send, transfer, live, bonds = (each.out for each in ran)
    assert pair.startswith("paired with watch")
    assert connect.startswith("connected to watch")
    assert send == "hello\nsent one message\n"
    assert "their digest is right" in transfer
    assert "Battery Level: " in live
    assert "passkey" in bonds


def test_nothing_posix_is_imported_before_it_is_needed() -> None:
    """Every command loads where there is no termios."""
    program = (
        "import sys; sys.modules.update(dict.fromkeys(['termios', 'tty', 'pty', 'fcntl', 'resource', 'grp', 'pwd']));"
        "from blechannel_tools.cli import main; sys.exit(main(['bonds', 'list', '--json']))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=WAIT_S)
    assert ran.returncode == Exit.DONE, ran.stderr
