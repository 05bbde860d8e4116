"""One table of everything that was measured, at the end of the run."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.bench.ratio import HEADING, Figures

_MEASURED = pytest.StashKey[list[Figures]]()


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Callable[[Figures], None]:
    """Puts figures into the table, then fails the test whose targets they miss."""

    def add(figures: Figures) -> None:
        request.config.stash.setdefault(_MEASURED, []).append(figures)
        assert figures.missed() == [], "\n".join(figures.lines())

    return add


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The table, where anything was measured."""
    measured = config.stash.get(_MEASURED, [])
    if measured:
        terminalreporter.section("measured")
        terminalreporter.write_line(HEADING)
        for figures in measured:
            for line in figures.lines():
                terminalreporter.write_line(line)
