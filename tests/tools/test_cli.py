"""The command line as a person types it, and as a program reads it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from blechannel import __version__
from blechannel.errors import (
    AuthenticationFailed,
    BondNotFound,
    LinkLost,
    LocalProtocolError,
    MissingExtra,
    PairingRefused,
    StoreLocked,
    TransportError,
    WatchNotFound,
)
from blechannel_tools.cli import main
from blechannel_tools.exits import MEANINGS, Exit, exit_of
from tests.tools.programs import Ran, Run, command


def test_it_tells_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"blechannel {__version__}\n"


def test_help_teaches(people: Run) -> None:
    printed = people("--help").out
    for word in ("demo", "watch", "phone", "bonds", "identity", "doctor", "first steps", "exit codes:"):
        assert word in printed
    for code, meaning in MEANINGS.items():
        assert f"  {code.value:3}  {meaning}\n" in printed + "\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["demo"],
        ["watch"],
        ["phone"],
        *(["phone", part] for part in ("scan", "pair", "connect", "send", "listen")),
        ["phone", "household"],
        ["identity"],
        *(["phone", "household", part] for part in ("list", "permit", "rename", "remove", "transfer", "unlock")),
        ["bonds"],
        *(["bonds", part] for part in ("list", "show", "forget", "rename", "export", "import")),
        *(["identity", part] for part in ("create", "show", "export", "trust", "untrust", "list")),
        ["doctor"],
    ],
)
def test_every_command_has_examples(people: Run, arguments: list[str]) -> None:
    ran = people(*arguments, "--help")
    assert ran.code == Exit.DONE
    assert "examples" in ran.out
    assert f"  blechannel {' '.join(arguments)}" in ran.out
    assert all(len(line) <= 120 for line in ran.out.splitlines())


def test_every_error_has_its_exit_code() -> None:
    expected = {
        WatchNotFound("x"): Exit.NO_WATCH,
        LinkLost("x"): Exit.LINK,
        TransportError("x"): Exit.LINK,
        PairingRefused("busy", "x"): Exit.REFUSED,
        StoreLocked("x"): Exit.STORE,
        BondNotFound("x"): Exit.STORE,
        LocalProtocolError("x"): Exit.USAGE,
        AuthenticationFailed(): Exit.FAILED,
        MissingExtra("cli", "x"): Exit.FAILED,
        OSError("x"): Exit.FAILED,
    }
    assert {error: exit_of(error) for error in expected} == expected


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["fly"],
        ["phone"],
        ["phone", "scan"],
        ["phone", "scan", "--transport", "unix:/tmp/ble", "--seconds", "0"],
        ["phone", "listen", "battery", "--transport", "unix:/tmp/ble", "--count", "0"],
        ["phone", "scan", "--transport", "tcp:nowhere"],
        ["phone", "scan", "--transport", "tcp:192.0.2.1:7001"],
        ["phone", "scan", "--transport", "unix:/tmp/ble", "--snoop", "capture"],
        ["phone", "scan", "--transport", "unix:/tmp/ble", "--name", ""],
        ["watch", "--transport", "tcp:192.0.2.1:7001"],
    ],
)
def test_wrong_usage(people: Run, arguments: list[str]) -> None:
    ran = people(*arguments)
    assert ran.code == Exit.USAGE
    assert ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("side", [("phone", "scan"), ("watch",)])
def test_a_controller_that_is_not_there(programs: Run, side: tuple[str, ...]) -> None:
    ran = programs(*side, "--transport", "serial:/dev/no-such-device")
    assert ran.code == Exit.LINK
    assert ran.last["error"] == "TransportError"
    assert "is it plugged in?" in ran.err


def test_people_need_rich_and_programs_do_not(people: Run, programs: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "rich"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "rich", None)
    monkeypatch.setitem(sys.modules, "rich.console", None)
    ran = people("bonds", "list")
    assert ran.code == Exit.FAILED
    assert "pip install 'blechannel[cli]'" in ran.err
    assert programs("bonds", "list").code == Exit.DONE
    assert people("--help").code == Exit.DONE


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    ran = subprocess.run(command(["bonds", "list", "--json"]), stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    assert ran.returncode == Exit.FAILED
    assert ran.stderr == ""


def test_a_name_that_the_terminal_cannot_show(tmp_path: Path) -> None:
    for arguments in (["bonds", "list"], ["bonds", "show", "⌚"]):
        ran = subprocess.run(
            command([*arguments, "--store", str(tmp_path / "⌚.db")]),
            capture_output=True,
            env={**os.environ, "PYTHONIOENCODING": "ascii"},
        )
        assert b"\\u231a" in ran.stdout + ran.stderr
        assert b"Traceback" not in ran.stderr


def test_ctrl_c_before_a_command_runs(people: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_arguments: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("blechannel_tools.command_line.run", interrupted)
    assert people("bonds", "list") == Ran(Exit.INTERRUPTED, "", "blechannel: interrupted\n")


def test_the_demo_for_programs(tmp_path: Path, programs: Run) -> None:
    ran = programs("demo", "--out", str(tmp_path))
    assert ran.code == Exit.DONE
    summary = ran.last
    assert summary["event"] == "summary"
    assert summary["wrong_code"] == "refused: failed"
    assert 0 < summary["resumed_at_byte"] < summary["transfer_bytes"] == 256 * 1024
    for capture in summary["captures"]:
        assert (tmp_path / capture).read_bytes().startswith(b"btsnoop\0")
    lines = (tmp_path / summary["key_log"]).read_text().splitlines()
    # A wrong code leaves the phone's secrets only: the watch gives up before it has a transport.
    assert [line.split("_")[1] for line in lines] == ["PAIR"] * 3 + ["RECONNECT"] * 2 + ["PAIR"] * 4 + ["RECONNECT"] * 2


def test_the_demo_for_people(tmp_path: Path, people: Run) -> None:
    ran = people("demo", "--out", str(tmp_path))
    assert ran.code == Exit.DONE
    for step in ("refused, as it must be", "paired with", "lost in the middle", "one round trip", "goodput"):
        assert step in ran.out


def test_a_folder_that_cannot_be_made(tmp_path: Path, programs: Run) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    ran = programs("demo", "--out", str(in_the_way / "folder"))
    assert ran.code == Exit.FAILED
    assert ran.last["event"] == "error"
    assert ran.err.startswith("blechannel: ")
