"""`capture gatt`: attributes, kept for captures that have no discovery."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from blechannel.gatt import INBOX_UUID
from tests.capture.traffic import INBOX
from tests.capture.writing import HCI_FILES
from tests.tools.commands.capture.recording import Recording
from tests.tools.programs import Run


def test_what_discovery_says(programs: Run, people: Run, recorded: Recording) -> None:
    ran = programs("capture", "gatt", str(recorded.phone))
    assert [event["event"] for event in ran.events] == ["gatt", "gatt", "done"]
    [inbox] = [each for each in ran.events[0]["attributes"]["attributes"] if each["handle"] == INBOX]
    assert (inbox["uuid"], inbox["known"]) == (INBOX_UUID, "discovered")
    shown = people("capture", "gatt", str(recorded.phone)).out
    assert f"{INBOX:#06x}" in shown
    assert "inbox (b1ec0001…)" in shown


def test_a_map_is_kept_and_used(programs: Run, attacked: Recording, recorded: Recording, tmp_path: Path) -> None:
    saved = tmp_path / "map.json"
    ran = programs("capture", "gatt", str(recorded.phone), "--save", str(saved))
    assert [event["event"] for event in ran.events] == ["gatt", "gatt", "written", "done"]
    without = programs("capture", "gatt", str(attacked.phone)).events[0]["attributes"]["attributes"]
    assert {each["known"] for each in without} <= {"inferred"}
    with_it = programs("capture", "gatt", str(attacked.phone), "--map", str(saved)).events[0]["attributes"]
    assert {each["uuid"]: each["known"] for each in with_it["attributes"]}[INBOX_UUID] == "imported"


def test_nothing_is_overwritten(programs: Run, recorded: Recording, tmp_path: Path) -> None:
    saved = tmp_path / "map.json"
    saved.write_text("mine")
    ran = programs("capture", "gatt", str(recorded.phone), "--save", str(saved))
    assert ran.code == 2
    assert saved.read_text() == "mine"


@pytest.mark.parametrize("content", ["", "[]", "{}", json.dumps({"version": 99}), '{"version": 1, "attributes": [1]}'])
def test_a_map_that_is_none(programs: Run, recorded: Recording, tmp_path: Path, content: str) -> None:
    path = tmp_path / "map.json"
    path.write_text(content)
    ran = programs("capture", "gatt", str(recorded.phone), "--map", str(path))
    assert ran.code == 7
    assert ran.last["message"].startswith(str(path))


def test_a_map_that_is_missing(programs: Run, recorded: Recording, tmp_path: Path) -> None:
    assert programs("capture", "gatt", str(recorded.phone), "--map", str(tmp_path / "map.json")).code == 7


def test_a_capture_without_any_connection(programs: Run, people: Run, tmp_path: Path) -> None:
    path = tmp_path / "quiet.btsnoop"
    path.write_bytes(HCI_FILES["btsnoop H4"]([]))
    assert people("capture", "gatt", str(path)).out == "No connection is in this capture.\n"
    assert [event["event"] for event in programs("capture", "gatt", str(path)).events] == ["gatt", "done"]


def test_a_connection_of_which_nothing_is_known(people: Run, sniffed: Path) -> None:
    assert "nothing tells what its attributes are (see --map)" in people("capture", "gatt", str(sniffed)).out
