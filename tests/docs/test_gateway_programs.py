"""The programs and files of docs/gateway.md: each runs, or is read, and does what the page says."""

from __future__ import annotations

import re
import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from blechannel.aio.keep_policy import KeepPolicy
from blechannel_gateway.broker import Broker
from blechannel_gateway.forwarder import Pace
from blechannel_gateway.messages import Limits
from blechannel_gateway.plan import Plan
from tests.docs.test_programs import ROOT, blocks

PAGE = (ROOT / "docs" / "gateway.md").read_text(encoding="utf-8")
PROGRAMS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))


@pytest.mark.parametrize("title", ["In a program", "Sealed for the cloud alone"])
def test_a_program_prints_what_the_page_says(
    title: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    [program], [printed] = blocks(PROGRAMS[title], "python"), blocks(PROGRAMS[title], "text")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "program.py").write_text(program, encoding="utf-8")
    runpy.run_path(str(tmp_path / "program.py"), run_name="__main__")
    assert capsys.readouterr().out == printed


def test_the_first_try_is_a_plan(tmp_path: Path) -> None:
    [text] = blocks(PROGRAMS["A first try"], "toml")
    (tmp_path / "gateway.toml").write_text(text)
    plan = Plan.load(tmp_path / "gateway.toml")
    assert (plan.broker.port, plan.broker.protocol) == (1883, "3.1.1")


def test_the_whole_plan_shows_what_holds_where_nothing_is_said(tmp_path: Path) -> None:
    [text] = blocks(PROGRAMS["gateway.toml"], "toml")
    (tmp_path / "gateway.toml").write_text(text)
    plan = Plan.load(tmp_path / "gateway.toml")
    assert (plan.keep, plan.limits, plan.pace) == (KeepPolicy(), Limits(), Pace())
    bare = replace(plan.broker, ca=None, certificate=None, key=None)
    assert bare == Broker(url="mqtts://broker.example")
    assert {name: kind.by.value for kind in plan.up for name in [kind.port]} == {
        "journal": "outbox",
        "heart-rate": "profile",
        "steps": "port",
    }
