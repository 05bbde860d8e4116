"""docs/threats.md names the tests that hold its claims: they exist, and each attacker has one or an admission."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "threats.md").read_text(encoding="utf-8")
REFERENCE = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


@pytest.mark.parametrize(("path", "name"), sorted(set(REFERENCE.findall(PAGE))))
def test_a_named_test_exists(path: str, name: str) -> None:
    source = (ROOT / path).read_text(encoding="utf-8")
    assert re.search(rf"^\s*(async )?def {name or 'test_'}", source, re.MULTILINE), f"{path} has no {name}"


def test_every_attacker_has_a_test_or_an_admission() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| **")]
    assert len(rows) > 15
    assert [row for row in rows if not REFERENCE.search(row) and "not held" not in row] == []
