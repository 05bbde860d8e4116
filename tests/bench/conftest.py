"""One table of everything that was measured, at the end of the run, and in a page where one is named."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.bench import page
from tests.bench.ratio import HEADING, Figures, Sizes

_MEASURED = pytest.StashKey[list[Figures | Sizes]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where the table goes, beside the terminal."""
    parser.addoption("--table", type=Path, metavar="PAGE", help="write what was measured into this page of docs/")


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Callable[[Figures | Sizes], None]:
    """Puts figures into the table, then fails the test whose targets they miss."""

    def add(figures: Figures | Sizes) -> None:
        request.config.stash.setdefault(_MEASURED, []).append(figures)
        assert figures.missed() == [], "\n".join(figures.lines())

    return add


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The table, where anything was measured."""
    measured = config.stash.get(_MEASURED, [])
    if not measured:
        return
    terminalreporter.section("measured")
    terminalreporter.write_line(HEADING)
    for figures in measured:
        for line in figures.lines():
            terminalreporter.write_line(line)
    if (path := config.getoption("--table", default=None)) is not None:
        page.write(path, measured, _programs())
        terminalreporter.write_line(f"written to {path}")


def _programs() -> list[str]:
    """Programs that were measured, by their first line about themselves."""
    if shutil.which("tshark") is None:
        return []
    printed = subprocess.run(["tshark", "--version"], capture_output=True, check=True, text=True).stdout
    return [f"TShark {printed.split()[2].rstrip('.')}"]
