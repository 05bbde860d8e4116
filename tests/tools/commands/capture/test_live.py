"""`capture live`: lines for programs and pipes, a picture on a terminal."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from blechannel_capture.events import Connection, Disconnected
from blechannel_tools.commands.capture.live import TABLE_LINES, _View
from tests.tools.commands.capture.recording import Pipe, Recording
from tests.tools.programs import Program, Run, Terminal, command


def test_programs_get_events_and_findings_until_ctrl_c(attacked: Recording, tmp_path: Path) -> None:
    growing = tmp_path / "growing.btsnoop"
    content = attacked.watch.read_bytes()
    growing.write_bytes(content[:200])
    with Program("capture", "live", str(growing), "--keys", str(attacked.keys)) as live:
        live.event("frame")
        with growing.open("ab") as file:
            file.write(content[200:])
        finding = live.event("finding")
        while finding["kind"] != "replay":
            finding = live.event("finding")
        ran = live.interrupt()
    assert (finding["level"], finding["certainty"]) == ("attack", "certain")
    assert ran.code == 130


def test_a_pipe_ends_by_itself(recorded: Recording) -> None:
    ran = subprocess.run(
        command(["capture", "live", "-", "--keys", str(recorded.keys)]),
        input=recorded.phone.read_bytes(),
        capture_output=True,
        timeout=20,
    )
    assert ran.returncode == 0
    assert b"#2 disconnected" in ran.stdout
    assert b"note: cut-off" in ran.stdout


def test_what_only_the_end_shows_is_told(programs: Run, guessed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Pipe(guessed.read_bytes()))
    ran = programs("capture", "live", "-")
    assert (ran.code, ran.last["event"], ran.last["kind"]) == (0, "finding", "guessing")


def test_a_terminal_shows_the_connections(recorded: Recording, terminal: Terminal) -> None:
    environment = {**os.environ, "TERM": "xterm", "LINES": "40", "COLUMNS": "100"}
    arguments = command(["capture", "live", str(recorded.phone), "--keys", str(recorded.keys)])
    with subprocess.Popen(arguments, stdout=terminal.program, stderr=subprocess.PIPE, env=environment) as live:
        terminal.until("ATT PDUs")
        terminal.until("verified")
        terminal.until("#2 session closed by both sides")
        live.send_signal(signal.SIGINT)
        assert live.wait(20) == 130
        assert live.stderr is not None
        assert live.stderr.read() == b"blechannel: interrupted\n"
    terminal.until("#2 session closed by both sides")  # the last picture stays


def gone(path: Path) -> None:
    path.rename(path.with_suffix(".last"))


def replaced(path: Path) -> None:
    other = path.with_suffix(".new")
    other.write_bytes(path.read_bytes())
    other.replace(path)


def cut(path: Path) -> None:
    os.truncate(path, 100)


def garbled(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"\xff" * 64)


@pytest.mark.parametrize(
    ("action", "happens", "why"),
    [
        ("live", gone, "moved away"),
        ("live", replaced, "replaced"),
        ("frames", cut, "cut short"),
        ("frames", garbled, "cannot be followed further"),
    ],
)
def test_a_file_that_is_taken_away_ends_it_with_the_reason(
    recorded: Recording, tmp_path: Path, action: str, happens: Callable[[Path], None], why: str
) -> None:
    growing = tmp_path / "growing.btsnoop"
    growing.write_bytes(recorded.phone.read_bytes())
    with Program("capture", action, str(growing), *(["--follow"] if action == "frames" else [])) as program:
        while not program.event("frame")["type"].startswith("Disc"):
            """To the end of the first connection at least."""
        happens(growing)
        ran = program.wait()
    assert ran.code == 7
    assert why in ran.last["message"]
    assert str(growing) in ran.last["message"]


@pytest.mark.parametrize(("height", "shares"), [(24, (4, 6, 10)), (60, (16, 15, 25)), (8, (1, 2, 1)), (1, (1, 1, 1))])
def test_a_screen_is_shared(height: int, shares: tuple[int, int, int]) -> None:
    view = _View()
    for number in range(1, 31):
        view.take(Disconnected(number, number, Connection(number, number), 0x13))
        view.findings.append("note: something")
    assert view.shares(height) == shares
    links, findings, events = view.shares(height)
    assert len(view.table(links).rows) == links
    if height >= 24:
        assert links + findings + events + TABLE_LINES == height
