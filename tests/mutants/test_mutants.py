"""The list of mutants describes the code, and the runner tells caught from survived."""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from tests.mutants.catalogue import MUTANTS
from tests.mutants.mutant import CHECKOUT, Mutant, Stale
from tests.mutants.run import CORE, Verdict, attempt, main

QUICK = [
    "own keys reflected are refused",
    "CPace: an own share sent back is refused",
    "an attempt is spent",
]


def named(check: str) -> Mutant:
    [mutant] = [each for each in MUTANTS if each.check == check]
    return mutant


def test_checks_are_named_once_each() -> None:
    assert len(MUTANTS) >= 350
    assert [check for check, count in Counter(each.check for each in MUTANTS).items() if count > 1] == []


@cache
def program(path: str) -> str:
    """What the file says to Python, without its layout and comments."""
    return ast.dump(ast.parse((CHECKOUT / path).read_text(encoding="utf-8")))


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.check)
def test_a_mutant_is_not_stale_and_is_another_program(mutant: Mutant) -> None:
    assert ast.dump(ast.parse(mutant.applied())) != program(mutant.path)


def test_the_tests_that_are_named_exist() -> None:
    paths = {path for mutant in MUTANTS for path in mutant.test_paths} | set(CORE)
    assert [path for path in paths if not (CHECKOUT / path).exists()] == []


@pytest.mark.parametrize("check", QUICK)
def test_a_quick_mutant_is_caught(check: str) -> None:
    assert attempt(named(check)).verdict is Verdict.CAUGHT


def test_a_change_that_changes_nothing_survives(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or else every verdict could be `caught`, for reasons of the runner's own."""
    monkeypatch.setattr("tests.mutants.run.CORE", ["tests/pairing/test_lv.py"])
    quick = named("a window is for its time")
    harmless = replace(quick, new=f"{quick.old}  # as before", tests="pairing/test_lv.py")
    assert attempt(harmless).verdict is Verdict.SURVIVED


def test_a_stale_mutant_is_one_whose_text_is_gone_or_there_twice(tmp_path: Path) -> None:
    path = tmp_path / "blechannel" / "a.py"
    path.parent.mkdir()
    mutant = Mutant("a check", "a.py", "if bad:", "if False:", "")
    path.write_text("if bad: pass")
    assert mutant.applied(tmp_path) == "if False: pass"
    for text in ("", "if bad: pass\nif bad: pass"):
        path.write_text(text)
        with pytest.raises(Stale, match="a check"):
            mutant.applied(tmp_path)
    assert attempt(mutant_of_no_text()).verdict is Verdict.STALE


def mutant_of_no_text() -> Mutant:
    return Mutant("what is not there", "codec.py", "no such text", "", "test_codec.py")


def test_a_mutant_that_no_test_can_try_is_broken() -> None:
    mutant = replace(named("an attempt is spent"), tests="no_such_folder")
    assert attempt(mutant).verdict is Verdict.BROKEN


def test_a_mutant_that_never_ends_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.mutants.run.NAMED_S", 4)
    endless = replace(named("an attempt is spent"), new="while True: pass")
    assert attempt(endless).verdict is Verdict.TIMED_OUT


def test_words_that_choose_nothing_fail(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["no mutant has this"]) == 1
    assert "mutants: 0" in capsys.readouterr().out
