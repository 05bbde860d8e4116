"""The programs of docs/capture.md: each runs on what the demo has recorded, and prints what the page says."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path

import pytest

from blechannel_tools.cli import main
from tests.docs.test_programs import ROOT, blocks

PAGE = (ROOT / "docs" / "capture.md").read_text(encoding="utf-8")
PROGRAMS = dict(re.findall(r"^### (.+?)\n(.*?)(?=^### |\Z)", PAGE, re.MULTILINE | re.DOTALL))


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "out"
    assert main(["demo", "--out", str(folder)]) == 0
    return folder


def test_there_are_five() -> None:
    assert len(PROGRAMS) == 5


@pytest.mark.parametrize("title", PROGRAMS)
def test_a_program_prints_what_the_page_says(
    title: str, recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    [program], [printed] = blocks(PROGRAMS[title], "python"), blocks(PROGRAMS[title], "text")
    path = tmp_path / "program.py"
    path.write_text(program, encoding="utf-8")
    monkeypatch.setattr(sys, "argv", [str(path), str(recorded / "phone.btsnoop"), str(recorded / "keys.log")])
    capsys.readouterr()
    runpy.run_path(str(path), run_name="__main__")
    assert capsys.readouterr().out == printed
