"""`capture check`: findings, policies, exit codes, and the files for machines."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from blechannel_capture.findings import Kind
from tests.tools.commands.capture.recording import Recording
from tests.tools.programs import Ran, Run


def checked(run: Run, recording: Recording, folder: Path, policy: str) -> Ran:
    path = folder / "policy.toml"
    path.write_text(policy)
    return run("capture", "check", *recording.opened_watch, "--policy", str(path))


def test_an_honest_session_passes(programs: Run, recorded: Recording) -> None:
    ran = programs("capture", "check", *recorded.opened)
    assert (ran.code, ran.last["passed"], ran.last["failing"]) == (0, True, 0)


def test_an_attack_fails(programs: Run, people: Run, attacked: Recording) -> None:
    ran = programs("capture", "check", *attacked.opened_watch)
    assert (ran.code, ran.last["event"], ran.last["passed"]) == (1, "checked", False)
    [replay] = [each for each in ran.only("findings")["findings"] if each["kind"] == "replay"]
    assert (replay["level"], replay["certainty"], replay["fails"]) == ("attack", "certain", True)
    shown = people("capture", "check", *attacked.opened_watch).out
    assert "FAILS:" in shown
    assert "1 fails; " in shown


def test_a_policy_may_let_it_pass(programs: Run, attacked: Recording, tmp_path: Path) -> None:
    assert checked(programs, attacked, tmp_path, 'allow = ["replay"]').code == 0
    assert checked(programs, attacked, tmp_path, "fail_on = []").code == 0


def test_a_policy_may_ask_for_more(programs: Run, people: Run, recorded: Recording, tmp_path: Path) -> None:
    met = '[require]\nsessions = 2\nverified = true\nsuite = "classical"\nmethods = ["passkey"]\nwhole = true\n'
    assert checked(programs, recorded, tmp_path, met).code == 0
    unmet = checked(programs, recorded, tmp_path, '[require]\nsessions = 3\nmethods = ["words"]\nclosed = true\n')
    assert unmet.code == 1
    assert {each["name"] for each in unmet.only("findings")["unmet"]} == {"sessions", "methods", "closed"}
    assert unmet.last["unmet"] == 3
    assert "2 sessions of our channel" in checked(people, recorded, tmp_path, "[require]\nsessions = 3").out


def test_verified_needs_the_keys(programs: Run, recorded: Recording, tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text("[require]\nverified = true\n")
    ran = programs("capture", "check", str(recorded.phone), "--policy", str(policy))
    assert ran.code == 1
    assert {each["name"] for each in ran.only("findings")["unmet"]} == {"verified"}


@pytest.mark.parametrize(
    ("policy", "why"),
    [
        ("fail_on = [", "is no TOML"),
        ("fails_on = []", "unknown key fails_on: known are allow, fail_on, inconclusive_fails, require"),
        ("[require]\nsession = 1", "unknown key require.session"),
        ('fail_on = ["terror"]', "fail_on is made of: attack, weakness, note"),
    ],
)
def test_a_policy_that_is_none(programs: Run, recorded: Recording, tmp_path: Path, policy: str, why: str) -> None:
    ran = checked(programs, recorded, tmp_path, policy)
    assert ran.code == 7
    assert why in ran.last["message"]
    assert "policy.toml" in ran.last["message"]


def test_a_policy_that_is_missing(programs: Run, recorded: Recording, tmp_path: Path) -> None:
    ran = programs("capture", "check", str(recorded.phone), "--policy", str(tmp_path / "missing.toml"))
    assert (ran.code, ran.last["message"]) == (7, f"{tmp_path / 'missing.toml'}: no such file or directory")


def test_files_for_machines(programs: Run, attacked: Recording, tmp_path: Path) -> None:
    xml, sarif = tmp_path / "check.xml", tmp_path / "check.sarif"
    ran = programs("capture", "check", *attacked.opened_watch, "--junit", str(xml), "--sarif", str(sarif))
    assert ran.code == 1
    suite = ElementTree.parse(xml).getroot()
    assert suite.attrib["failures"] == str(ran.last["failing"])
    assert {case.attrib["name"] for case in suite} == {kind.value for kind in Kind}
    [run] = json.loads(sarif.read_text())["runs"]
    failing = [each for each in run["results"] if "suppressions" not in each]
    assert [each["ruleId"] for each in failing] == ["replay"]


@pytest.mark.parametrize("option", ["--junit", "--sarif"])
@pytest.mark.parametrize("target", ["/dev/full", "missing/check"])
def test_files_that_cannot_be_written(
    programs: Run, recorded: Recording, tmp_path: Path, option: str, target: str
) -> None:
    ran = programs("capture", "check", str(recorded.phone), option, str(tmp_path / target))
    assert ran.code == 1
    assert ran.last["event"] == "error"
    assert target in ran.last["message"]
