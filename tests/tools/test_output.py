"""What people and programs see of the same event."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from blechannel_tools.output import Event, HumanOutput, JsonOutput, Table, printable, tell_error

PAGE = Path(__file__).resolve().parents[2] / "docs" / "command-line.md"


def test_the_page_lists_every_event_and_no_other() -> None:
    _, _, events = PAGE.read_text("utf-8").partition("| event | keys |")
    listed = re.findall(r"^\| `([a-z-]+)` \|", events, re.MULTILINE)
    assert sorted(listed) == sorted(event.value for event in Event)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Ünïcode ⌚", "Ünïcode ⌚"),
        ("\x1b[2J\r\n\t", "\\x1b[2J\\r\\n\\t"),
        ("\u202eright to left", "\\u202eright to left"),
        ("\x9b31m", "\\x9b31m"),
    ],
)
def test_no_control_character_is_printed(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_json_is_one_ascii_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    JsonOutput().say(Event.MESSAGE, "for people", text="⌚\n")
    printed = capsys.readouterr().out
    assert printed == '{"event": "message", "text": "\\u231a\\n"}\n'


def test_json_progress_comes_in_tenths(capsys: pytest.CaptureFixture[str]) -> None:
    with JsonOutput().progress("transfer", 1000) as show:
        for done in range(0, 1001, 10):
            show(done)
    done_bytes = [json.loads(line)["done_bytes"] for line in capsys.readouterr().out.splitlines()]
    assert done_bytes == list(range(0, 1001, 100))


def test_progress_of_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with JsonOutput().progress("transfer", 0) as show:
        show(0)
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_peers_do_not_speak_markup(capsys: pytest.CaptureFixture[str]) -> None:
    output = HumanOutput()
    output.say(Event.MESSAGE, "[red]:watch:[/] [link=x]")
    output.say(Event.BONDS, Table("[b]title", ("name",), [("[red]wrist",)]))
    printed = capsys.readouterr().out
    assert "[red]:watch:[/] [link=x]" in printed
    assert "[b]title" in printed
    assert "[red]wrist" in printed


def test_long_lines_stay_whole_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    HumanOutput().say(Event.MESSAGE, "word " * 100)
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_long_lines_break_between_words_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    HumanOutput().say(Event.MESSAGE, "word " * 100)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 5
    assert {line.split()[-1] for line in lines} == {"word"}


def test_waiting_is_shown_to_people_on_a_terminal_only(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with HumanOutput().waiting("looking"), JsonOutput().waiting("looking"):
        pass
    assert capsys.readouterr().out == ""
    monkeypatch.setenv("FORCE_COLOR", "1")
    with HumanOutput().waiting("looking"):
        pass
    assert "looking" in capsys.readouterr().out


def test_errors_go_to_standard_error_and_to_programs(capsys: pytest.CaptureFixture[str]) -> None:
    tell_error("no\x1b watch", error="WatchNotFound", exit_code=3, as_json=False)
    assert capsys.readouterr() == ("", "blechannel: no\\x1b watch\n")
    tell_error("no watch", error="WatchNotFound", exit_code=3, as_json=True)
    printed = capsys.readouterr()
    assert json.loads(printed.out) == {
        "event": "error",
        "error": "WatchNotFound",
        "message": "no watch",
        "exit_code": 3,
    }
    assert printed.err == "blechannel: no watch\n"
