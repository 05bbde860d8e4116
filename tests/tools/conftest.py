"""A home of its own for every test of the tools, and ways to run `blechannel` there."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from blechannel_tools.cli import main
from tests.tools.programs import Program, Ran, Run, Terminal


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where bonds are kept."""
    folder = tmp_path / "home"
    monkeypatch.setenv("BLECHANNEL_HOME", str(folder))
    monkeypatch.setenv("COLUMNS", "80")
    for variable in ("BLECHANNEL_TRANSPORT", "BLECHANNEL_KEYLOG", "FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(variable, raising=False)
    return folder


@pytest.fixture
def transport(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A Unix socket, short enough for every system, that every command uses where no other is named."""
    folder = tempfile.mkdtemp(prefix="bc-")
    chosen = f"unix:{folder}/w"
    monkeypatch.setenv("BLECHANNEL_TRANSPORT", chosen)
    yield chosen
    shutil.rmtree(folder)


@pytest.fixture
def people(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command in this process, for people."""

    def run(*arguments: str) -> Ran:
        try:
            code = main(arguments)
        except SystemExit as usage:
            code = int(usage.code or 0)
        return Ran(code, *capsys.readouterr())

    return run


@pytest.fixture
def programs(people: Run) -> Run:
    """Runs a command in this process, for programs."""

    def run(*arguments: str) -> Ran:
        return people(*arguments, "--json")

    return run


@pytest.fixture
def watch(transport: str) -> Iterator[Program]:
    """A watch in a process of its own, with an open pairing window."""
    assert transport
    with Program("watch", "--pair") as program:
        yield program


@pytest.fixture(scope="session")
def lasting_pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """The home of a phone and of the watch that it is bonded with, which runs all the time; its transport."""
    home = tmp_path_factory.mktemp("home")
    folder = tempfile.mkdtemp(prefix="bc-")
    transport = f"unix:{folder}/w"
    there = ("--transport", transport)
    with (
        Program("watch", "--pair", *there, "--store", str(home / "watch.db")) as watch,
        Program("phone", "pair", "--code-file", "-", *there, "--store", str(home / "phone.db")) as phone,
    ):
        phone.type(watch.event("code")["code"])
        assert phone.wait().code == 0
        yield home, transport
    shutil.rmtree(folder)


@pytest.fixture
def bonded_watch(lasting_pair: tuple[Path, str], home: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """This process's phone is that of the lasting pair. The transport."""
    assert not home.exists()
    lasting_home, transport = lasting_pair
    monkeypatch.setenv("BLECHANNEL_HOME", str(lasting_home))
    monkeypatch.setenv("BLECHANNEL_TRANSPORT", transport)
    return transport


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    """A person at this process's standard input."""
    person = Terminal()
    monkeypatch.setattr("sys.stdin", person.program)
    yield person
    person.close()
