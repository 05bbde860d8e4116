"""A watch and a phone, each a process on a dongle of its own: exactly the commands that a person types."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tools.programs import Program

pytestmark = pytest.mark.system

BLOB_BYTES = 64 * 1024
LINK_FAILED = 6
STOP_S = 10


class Dongles:
    """Two on serial lines, and a port behind which there are more."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.system.dongles"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.first, self.second, self.port = json.loads(self._process.stdout.readline())

    def pull_out(self) -> None:
        """All of them at once; safe to call again."""
        self._process.communicate(timeout=STOP_S)


@pytest.fixture
def dongles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Dongles]:
    monkeypatch.setenv("BLECHANNEL_HOME", str(tmp_path))
    monkeypatch.delenv("BLECHANNEL_TRANSPORT", raising=False)
    plugged_in = Dongles()
    yield plugged_in
    plugged_in.pull_out()


def run(*arguments: str, types: str = "") -> None:
    """A command that succeeds."""
    with Program(*arguments) as program:
        if types:
            program.type(types)
        ran = program.wait()
    assert ran.code == 0, ran.err


def pair_and_talk(watch_dongle: str, phone_dongle: str, blob: Path) -> None:
    blob.write_bytes(bytes(range(256)) * (BLOB_BYTES // 256))
    with Program("watch", "--transport", watch_dongle, "--pair") as watch:
        phone = ("--transport", phone_dongle)
        run("phone", "pair", "--code-file", "-", *phone, types=watch.event("code")["code"])
        run("phone", "send", "echo", "hello", "--expect-reply", *phone)
        run("phone", "send", "--transfer", str(blob), *phone)


def test_two_dongles_on_serial_lines(dongles: Dongles, tmp_path: Path) -> None:
    pair_and_talk(dongles.first, dongles.second, tmp_path / "blob")


def test_two_controllers_behind_tcp(dongles: Dongles, tmp_path: Path) -> None:
    pair_and_talk(dongles.port, dongles.port, tmp_path / "blob")


def test_a_dongle_that_is_pulled_out(dongles: Dongles) -> None:
    with Program("watch", "--transport", dongles.port, "--pair") as watch:
        watch.event("code")
        dongles.pull_out()
        ran = watch.wait()
    assert ran.code == LINK_FAILED
    assert "is it still plugged in" in ran.out + ran.err
    assert "Traceback" not in ran.err
