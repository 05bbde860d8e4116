"""The command line as a person types it, and as a program reads it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from blechannel import __version__
from blechannel_tools.cli import main
from blechannel_tools.exits import Exit


def test_it_tells_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"blechannel {__version__}\n"


def test_help_names_every_command_and_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    printed = capsys.readouterr().out
    assert "demo" in printed
    assert "exit codes" in printed


def test_the_demo_for_programs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--json", "--out", str(tmp_path)]) == Exit.DONE
    summary = json.loads(capsys.readouterr().out)
    assert summary["wrong_code"] == "refused: failed"
    assert 0 < summary["resumed_at_byte"] < summary["transfer_bytes"] == 256 * 1024
    for capture in summary["captures"]:
        assert (tmp_path / capture).read_bytes().startswith(b"btsnoop\0")
    lines = (tmp_path / summary["key_log"]).read_text().splitlines()
    # A wrong code leaves the phone's secrets only: the watch gives up before it has a transport.
    assert [line.split("_")[1] for line in lines] == ["PAIR", "PAIR", "PAIR", "RECONNECT", "RECONNECT"]


def test_the_demo_for_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--out", str(tmp_path)]) == Exit.DONE
    printed = capsys.readouterr().out
    for step in ("refused, as it must be", "paired with", "lost in the middle", "one round trip", "goodput"):
        assert step in printed


def test_a_folder_that_cannot_be_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    assert main(["demo", "--json", "--out", str(in_the_way / "folder")]) == Exit.FAILED
    assert capsys.readouterr().err.startswith("blechannel: ")
