"""docs/command-line.md says which JSON objects each part of `capture` tells, and which keys they have."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.test_programs import ROOT
from tests.tools.commands.capture.recording import LINK_KEY, Recording
from tests.tools.programs import Run

PAGE = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
OBJECTS, KEYS = (
    {
        name: row[1]
        for row in re.findall(r"^\| (`.+?`.*?) \| (.*) \|$", table, re.MULTILINE)
        for name in re.findall(r"`(.+?)`", row[0])
    }
    for table in (
        PAGE.partition("| command | objects |")[2].partition("\n\n")[0],
        PAGE.partition("| event | keys |")[2],
    )
)
COMMANDS = {
    "info": (),
    "frames": (),
    "conversation": (),
    "check": (),
    "decrypt": (),
    "timing": (),
    "gatt": ("--save", "map.json"),
    "diff": ("{other}",),
    "export": ("out.jsonl",),
    "cut": ("out.pcapng",),
    "anonymise": ("out.pcapng",),
    "report": ("out.html",),
}


def _documented(event: str) -> set[str]:
    """Keys that stand in backquotes in the row, with those of objects within objects."""
    return set(re.findall(r"`(\w+)`", KEYS[event]))


@pytest.mark.parametrize("command", COMMANDS)
def test_what_a_command_tells_is_documented(
    programs: Run, attacked: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.chdir(tmp_path)
    more = [each.format(other=attacked.phone) for each in COMMANDS[command]]
    events = programs("capture", command, str(attacked.watch), *more).events
    allowed = set(re.findall(r"`([\w-]+)`", OBJECTS[f"capture {command}"]))
    assert {event["event"] for event in events} <= allowed
    for event in events:
        keys = event.keys() - {"event"}
        if event["event"] == "frame":
            assert keys >= _documented("frame")
        else:
            assert keys <= _documented(event["event"]), event["event"]


def test_link_keys_are_documented(programs: Run, sniffed: Path) -> None:
    ran = programs("capture", "decrypt", str(sniffed), "--ltk", LINK_KEY.hex())
    assert ran.only("link-key").keys() - {"event"} == _documented("link-key")
    assert [event["event"] for event in ran.events] == ["link-key", "decrypted", "done"]


def test_every_documented_part_is_tried() -> None:
    parts = {name.removeprefix("capture ") for name in OBJECTS if name.startswith("capture ")}
    assert parts == {*COMMANDS, "live"}
