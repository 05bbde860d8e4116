"""What shows of the attack suite in its captures: the list has each test of the suite once, and nothing else."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.attacks.on_the_air import NOT_READ, SHOWS, SILENT

ATTACKS = Path(__file__).parents[2] / "attacks"


def test_each_attack_is_listed_once() -> None:
    suite = [
        f"{path.stem}::{each.name}"
        for path in ATTACKS.glob("test_*.py")
        for each in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) and each.name.startswith("test_")
    ]
    assert sorted(suite) == sorted([*SHOWS, *SILENT, *NOT_READ])
