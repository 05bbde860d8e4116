"""Results of a check for machines: JUnit XML and SARIF 2.1.0.

Source: the JUnit schema that CI servers read; OASIS, "Static Analysis Results Interchange Format Version 2.1.0".
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any, Final
from urllib.parse import quote
from xml.etree import ElementTree

from blechannel import __version__
from blechannel_capture.findings import MEANINGS, Finding, Kind, Level
from blechannel_capture.policy import Requirement

_LEVELS = {Level.ATTACK: "error", Level.WEAKNESS: "warning", Level.NOTE: "note"}
_POLICY: Final = "Something that the policy requires is not there."
_SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def junit(file: str, found: Sequence[Finding], failing: Sequence[Finding], unmet: Sequence[Requirement]) -> str:
    """One test case for each kind of finding and each requirement that is not met."""
    file, fails = _printable(file), frozenset(failing)
    by_kind = {kind: [each for each in found if each.kind is kind] for kind in Kind}
    failures = sum(any(each in fails for each in of_kind) for of_kind in by_kind.values()) + len(unmet)
    suite = ElementTree.Element(
        "testsuite", name=file, tests=str(len(by_kind) + len(unmet)), failures=str(failures), errors="0", skipped="0"
    )
    for kind, of_kind in by_kind.items():
        case = ElementTree.SubElement(suite, "testcase", classname=file, name=kind.value)
        if bad := [each for each in of_kind if each in fails]:
            failure = ElementTree.SubElement(case, "failure", message=str(bad[0]), type=kind.value)
            failure.text = "\n".join(map(str, bad))
        elif of_kind:
            ElementTree.SubElement(case, "system-out").text = "\n".join(map(str, of_kind))
    for each in unmet:
        case = ElementTree.SubElement(suite, "testcase", classname=file, name=f"policy: {each.name}")
        ElementTree.SubElement(case, "failure", message=each.text, type="policy")
    ElementTree.indent(suite)
    document: bytes = ElementTree.tostring(suite, encoding="utf-8", xml_declaration=True)
    return document.decode() + "\n"


def _printable(name: str) -> str:
    """XML has no place for control characters, nor for what is no text; a file's name may hold both."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in name)


def sarif(file: str, found: Sequence[Finding], failing: Sequence[Finding], unmet: Sequence[Requirement]) -> str:
    """One run; a finding that the policy lets pass is marked as suppressed."""
    fails = frozenset(failing)
    rules = [_rule(kind.value, text) for kind, text in MEANINGS.items()] + [_rule("policy", _POLICY)]
    results = [_result(file, finding, fails=finding in fails) for finding in found]
    results += [
        {"ruleId": "policy", "level": "error", "message": {"text": each.text}, "locations": [_location(file, 0)]}
        for each in unmet
    ]
    driver = {"name": "blechannel capture check", "version": __version__, "rules": rules}
    report = {"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}
    return json.dumps(report, indent=2) + "\n"


def _rule(name: str, text: str) -> dict[str, Any]:
    said = {"text": text}
    return {"id": name, "shortDescription": said, "fullDescription": said, "help": said}


def _result(file: str, finding: Finding, *, fails: bool) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.kind.value,
        "level": _LEVELS[finding.level],
        "message": {"text": str(finding)},
        "locations": [_location(file, packet) for packet in finding.packets or (0,)],
        "properties": {"certainty": finding.certainty.value, "connection": finding.connection},
    }
    if not fails:
        result["suppressions"] = [{"kind": "external", "justification": "the policy lets it pass"}]
    return result


def _location(file: str, packet: int) -> dict[str, Any]:
    # A capture has no lines, and GitHub takes no place without one; the packet is the true place.
    where = {"artifactLocation": {"uri": quote(os.fsencode(PurePath(file).as_posix()))}, "region": {"startLine": 1}}
    place: dict[str, Any] = {"physicalLocation": where}
    if packet:
        place["logicalLocations"] = [{"name": f"packet {packet}", "kind": "packet"}]
    return place
