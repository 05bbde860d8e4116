"""`capture live`: lines for programs and pipes, a picture on a terminal."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

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
