"""Policies: what they take, what they refuse by name, what fails under them; and their reports for machines."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from blechannel.methods import Method, Suite
from blechannel.roles import Role
from blechannel_capture.errors import CaptureError
from blechannel_capture.findings import Certainty, Finding, Kind, Level
from blechannel_capture.policy import Judgement, Policy, Require, Requirement, load_policy, parse_policy
from blechannel_capture.reports import junit, sarif
from tests.capture.channel_traffic import CapturedWorld, honest_life
from tests.capture.reading import Heard

ATTACK = Finding(Kind.REPLAY, Level.ATTACK, Certainty.CERTAIN, (4, 9), 1, 'twice <b> & "again"')
DOUBTED = Finding(Kind.ALTERED, Level.ATTACK, Certainty.INCONCLUSIVE, (5,), 1, "perhaps")
WEAK = Finding(Kind.PLAINTEXT, Level.WEAKNESS, Certainty.CERTAIN, (6,), 0, "in the clear")
NOTE = Finding(Kind.CUT_OFF, Level.NOTE, Certainty.CERTAIN, (), 0, "cut off")
ALL = [ATTACK, DOUBTED, WEAK, NOTE]


def failing(policy: Policy) -> list[Finding]:
    return [each for each in ALL if policy.fails(each)]


def test_what_fails() -> None:
    assert failing(Policy()) == [ATTACK]
    assert failing(Policy(inconclusive_fails=True)) == [ATTACK, DOUBTED]
    assert failing(Policy(fail_on=frozenset(Level))) == [ATTACK, WEAK, NOTE]
    assert failing(Policy(allow=frozenset({Kind.REPLAY}))) == []


def test_a_policy_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(
        """
        fail_on = ["attack", "weakness"]
        inconclusive_fails = true
        allow = ["plaintext"]
        [require]
        sessions = 2
        verified = true
        closed = true
        suite = "hybrid"
        methods = ["passkey", "oob"]
        whole = true
        """
    )
    assert load_policy(path) == Policy(
        fail_on=frozenset({Level.ATTACK, Level.WEAKNESS}),
        inconclusive_fails=True,
        allow=frozenset({Kind.PLAINTEXT}),
        require=Require(2, True, True, Suite.HYBRID, frozenset({Method.PASSKEY, Method.OUT_OF_BAND}), True),
    )
    assert parse_policy({}) == Policy()


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"fail_no": []}, "unknown key fail_no: known are allow, fail_on, inconclusive_fails, require"),
    ({"require": {"session": 1}}, "unknown key require.session: known are closed"),
    ({"require": 3}, "require is a table"),
    ({"fail_on": "attack"}, "fail_on is made of: attack, weakness, note"),
    ({"fail_on": ["worry"]}, "fail_on is made of"),
    ({"allow": ["everything"]}, "allow is made of: replay"),
    ({"require": {"suite": "best"}}, "require.suite is made of: classical, hybrid"),
    ({"require": {"methods": ["guess"]}}, "require.methods is made of: passkey, words, oob, certificate"),
    ({"inconclusive_fails": "yes"}, "inconclusive_fails is true or false"),
    ({"require": {"sessions": -1}}, "sessions is a number, 0 or more"),
    ({"require": {"sessions": True}}, "sessions is a number, 0 or more"),
    ({"require": {"whole": 1}}, "whole is true or false"),
]


@pytest.mark.parametrize(("given", "text"), WRONG, ids=lambda value: str(value)[:30])
def test_what_a_policy_cannot_say_is_refused_by_name(given: dict[str, Any], text: str) -> None:
    with pytest.raises(CaptureError, match=text):
        parse_policy(given)


def test_files_that_are_no_policy(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    for content, text in (
        (b"= 3", "is no TOML"),
        (b"\xff", "is no TOML"),
        (b"fail_no = 1", "policy.toml: unknown key"),
    ):
        path.write_bytes(content)
        with pytest.raises(CaptureError, match=text):
            load_policy(path)
    with pytest.raises(FileNotFoundError):
        load_policy(tmp_path / "missing")


# --- what is required ---


def unmet(heard: Heard, **require: Any) -> list[str]:
    judgement = Judgement(Policy(require=Require(**require)))
    for event in heard.events:
        judgement.look(event)
    return [each.name for each in judgement.unmet(heard.ledger)]


def life() -> CapturedWorld:
    return honest_life(world=CapturedWorld("policy"))


def test_an_honest_life_meets_what_it_does() -> None:
    heard = life().heard_by(Role.PHONE)
    methods = frozenset({Method.PASSKEY})
    assert unmet(heard, sessions=2, verified=True, suite=Suite.CLASSICAL, methods=methods, whole=True) == []
    assert unmet(heard) == []


@pytest.mark.parametrize(
    ("require", "name"),
    [
        ({"sessions": 3}, "sessions"),
        ({"closed": True}, "closed"),
        ({"suite": Suite.HYBRID}, "suite"),
        ({"methods": frozenset({Method.WORDS})}, "methods"),
    ],
)
def test_what_it_does_not_do_is_named(require: dict[str, Any], name: str) -> None:
    assert unmet(life().heard_by(Role.PHONE), **require) == [name]


def test_handshakes_that_nobody_could_verify() -> None:
    assert unmet(life().heard_by(Role.PHONE, with_keys=False), verified=True) == ["verified", "verified"]


def test_a_capture_that_is_not_whole() -> None:
    world = life()
    said = world.taps[Role.PHONE].said
    del said[5]
    world.taps[Role.PHONE].acl(b"\x09", sent=True, continues=True)
    assert unmet(world.heard_by(Role.PHONE), whole=True) == ["whole"]


# --- reports ---

UNMET = [Requirement("sessions", "none, where <one> is required")]


def test_junit() -> None:
    root = ElementTree.fromstring(junit("a & b.btsnoop", ALL, [ATTACK], UNMET))
    cases = {case.get("name"): case for case in root}
    assert (root.get("name"), root.get("tests"), root.get("failures")) == ("a & b.btsnoop", str(len(Kind) + 1), "2")
    assert len(cases) == len(Kind) + 1
    failures = {name: case.find("failure") for name, case in cases.items()}
    replay, policy = failures["replay"], failures["policy: sessions"]
    assert replay is not None
    assert replay.text == str(ATTACK)
    assert policy is not None
    assert policy.get("message") == UNMET[0].text
    assert [name for name, failure in failures.items() if failure is not None] == ["replay", "policy: sessions"]
    assert cases["plaintext"].findtext("system-out") == str(WEAK)


def test_sarif() -> None:
    report = json.loads(sarif("a.btsnoop", ALL, [ATTACK], UNMET))
    [run] = report["runs"]
    assert report["version"] == "2.1.0"
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert rules == [*(kind.value for kind in Kind), "policy"]
    results = run["results"]
    assert {each["ruleId"] for each in results} <= set(rules)
    assert [each["level"] for each in results] == ["error", "error", "warning", "note", "error"]
    assert ["suppressions" in each for each in results] == [False, True, True, True, False]
    places = [place["name"] for each in results[0]["locations"] for place in each["logicalLocations"]]
    assert places == ["packet 4", "packet 9"]
    assert "logicalLocations" not in results[3]["locations"][0]


def test_sarif_has_what_github_asks_for() -> None:
    """GitHub's documentation, "SARIF support for code scanning": the properties that are required."""
    report = json.loads(sarif("captures/a b%.btsnoop", ALL, [ATTACK], UNMET))
    assert report["$schema"]
    [run] = report["runs"]
    assert run["tool"]["driver"]["name"]
    for rule in run["tool"]["driver"]["rules"]:
        assert all(rule[name]["text"] for name in ("shortDescription", "fullDescription", "help"))
    for result in run["results"]:
        assert result["message"]["text"]
        for place in result["locations"]:
            assert place["physicalLocation"]["artifactLocation"]["uri"] == "captures/a%20b%25.btsnoop"
            assert place["physicalLocation"]["region"]["startLine"] == 1


def test_a_file_whose_name_is_no_text() -> None:
    name = os.fsdecode(b"\x01\xff.btsnoop")
    text = junit(name, ALL, [ATTACK], UNMET)
    assert text.startswith("<?xml version='1.0' encoding='utf-8'?>")
    assert ElementTree.fromstring(text.encode("utf-8")).get("name") == "\\x01\\udcff.btsnoop"
    assert "%01%FF.btsnoop" in sarif(name, ALL, [ATTACK], UNMET)
