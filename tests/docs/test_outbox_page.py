"""docs/outbox.md: its program prints what the page says, and its lists are those of the code."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import get_args

import pytest

from blechannel.delivery.events import OutboxEvent
from tests.docs.test_programs import ROOT, blocks

PAGE = (ROOT / "docs" / "outbox.md").read_text(encoding="utf-8")


def test_the_program_prints_what_the_page_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    [program], [printed] = blocks(PAGE, "python"), blocks(PAGE, "text")
    (tmp_path / "program.py").write_text(program, encoding="utf-8")
    runpy.run_path(str(tmp_path / "program.py"), run_name="__main__")
    assert capsys.readouterr().out == printed


def test_every_event_is_named() -> None:
    listed = PAGE.split("`Outbox.events()` tells what happened:")[1].split("\n\n")[0]
    assert {word.strip("`.,\n ") for word in listed.split()} == {event.__name__ for event in get_args(OutboxEvent)}
