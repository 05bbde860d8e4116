"""`capture frames`: every event a line, chosen, followed, and cut short by whoever reads."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.tools.commands.capture.recording import Recording
from tests.tools.programs import Program, Run, command


def test_a_line_an_event(programs: Run, people: Run, recorded: Recording) -> None:
    ran = programs("capture", "frames", *recorded.opened)
    frames = ran.events[:-1]
    assert ran.last == {"event": "done", "count": len(frames)}
    assert {event["event"] for event in frames} == {"frame"}
    assert [each["packet"] for each in frames[:-1]] == sorted(each["packet"] for each in frames[:-1])
    lines = people("capture", "frames", *recorded.opened).out.splitlines()
    assert len(lines) == len(frames)
    assert lines[0].split()[:2] == ["1", "0.000000"]
    assert "#2 verified: reconnect" in "\n".join(lines)


def test_only_what_is_asked_for(programs: Run, recorded: Recording) -> None:
    frames = programs("capture", "frames", *recorded.opened, "--only", "HandshakeVerified", "--only", "Connected")
    assert [each["type"] for each in frames.events[:-1]] == ["Connected", "HandshakeVerified"] * 2
    second = programs("capture", "frames", *recorded.opened, "--connection", "2").events[:-1]
    assert {each["connection"] for each in second} == {2}
    assert len(programs("capture", "frames", str(recorded.phone), "--limit", "5").events) == 6


@pytest.mark.parametrize("wrong", [("--only", "Nothing"), ("--limit", "0"), ("--connection", "x")])
def test_wrong_usage(programs: Run, recorded: Recording, wrong: tuple[str, str]) -> None:
    assert programs("capture", "frames", str(recorded.phone), *wrong).code == 2


def test_a_growing_file_is_followed_until_ctrl_c(recorded: Recording, tmp_path: Path) -> None:
    content, growing = recorded.phone.read_bytes(), tmp_path / "growing.btsnoop"
    middle = len(content) // 2
    growing.write_bytes(content[:middle])
    with Program("capture", "frames", str(growing), "--follow") as following:
        assert following.event("frame")["type"] == "Connected"
        with growing.open("ab") as file:
            file.write(content[middle:])
        while following.event("frame")["type"] != "Disconnected" or following.seen[-1]["connection"] != 2:
            """All that came later is heard, too."""
        ran = following.interrupt()
    assert ran.code == 130
    assert ran.err.endswith("blechannel: interrupted\n")
    assert "Traceback" not in ran.err


def test_nobody_reads_any_more(recorded: Recording) -> None:
    with subprocess.Popen(
        command(["capture", "frames", str(recorded.phone)]), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(20) == 1


def test_where_the_disk_is_full(recorded: Recording) -> None:
    with Path("/dev/full").open("wb") as full:
        ran = subprocess.run(
            command(["capture", "frames", str(recorded.phone)]), stdout=full, stderr=subprocess.PIPE, timeout=20
        )
    assert ran.returncode == 1
    assert ran.stderr == b"blechannel: standard output: no space left on device\n"
