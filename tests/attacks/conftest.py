"""Every test of this suite is recorded at both hosts, and its captures are judged: see `on_the_air`.

Where BLECHANNEL_CAPTURES names a folder, each is written there with its key log, for `blechannel capture`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from blechannel.roles import Role
from blechannel_capture.findings import Finding, Kind, Level
from tests.attacks.on_the_air import NOT_READ, SHOWS, SILENT
from tests.attacks.recorder import Recorder, recording


@pytest.fixture(autouse=True)
def recorded(request: pytest.FixtureRequest) -> Iterator[None]:
    """Records the test; afterwards its captures show what they should."""
    with recording() as recorder:
        yield
    recorder.end()
    if folder := os.environ.get("BLECHANNEL_CAPTURES"):
        written(Path(folder), request.node.name, recorder)
    name = f"{request.path.stem}::{request.node.originalname}"
    if name in NOT_READ:
        return
    during = attack_findings(recorder)
    shown = {each.kind for each in during}
    accusing = {each.kind for each in during if each.level is not Level.NOTE}
    if name in SILENT:
        assert accusing == set(), f"{name} should not show: {SILENT[name]}"
        return
    expected: set[Kind] = SHOWS[name]
    assert shown & expected, f"no capture of {name} shows any of {expected}"
    assert accusing <= expected


def written(folder: Path, name: str, recorder: Recorder) -> None:
    """Captures and key logs as files."""
    folder.mkdir(parents=True, exist_ok=True)
    for role in Role:
        for number, host in enumerate(recorder.hosts(role), 1):
            file = folder / f"{re.sub(r'[^A-Za-z0-9_-]+', '-', name)}-{role.value}{number}"
            file.with_suffix(".btsnoop").write_bytes(host.capture)
            file.with_suffix(".keys").write_text("\n".join([*host.key_log, ""]), encoding="ascii")


def attack_findings(recorder: Recorder) -> list[Finding]:
    """What the captures show since the attack began; before it, nothing but that a session was cut off."""
    found: list[Finding] = []
    for host in (*recorder.hosts(Role.PHONE), *recorder.hosts(Role.WATCH)):
        for finding in host.heard().findings:
            if finding.connection and finding.connection <= host.honest:
                assert finding.kind is Kind.CUT_OFF, f"an honest connection is blamed: {finding}"
            else:
                found.append(finding)
    return found
