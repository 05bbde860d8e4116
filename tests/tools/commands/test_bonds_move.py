"""`bonds export` and `bonds import`: from one home to another, and every way in which nothing moves."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from blechannel_tools.commands.bonds_move import AGAIN, QUESTION
from blechannel_tools.exits import Exit
from tests.pairing.made_bonds import bond
from tests.tools.commands.test_bonds import made
from tests.tools.programs import Run


@pytest.fixture
def phone(home: Path) -> list[str]:
    """The ids of two bonds of this phone."""
    bonds = [bond(1), bond(2)]
    made(home / "phone.db", *bonds)
    return [each.bond_id.hex() for each in bonds]


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file with the passphrase of the transfer file."""
    path = tmp_path / "secret"
    path.write_text("correct horse\nsecond line\n")
    return path


def ids(programs: Run, *options: str) -> list[str]:
    return [each["id"] for each in programs("bonds", "list", *options).last["bonds"]]


def test_bonds_move_from_one_phone_to_another(phone: list[str], secret: Path, tmp_path: Path, programs: Run) -> None:
    file, given = tmp_path / "my.bonds", ("--transfer-passphrase-file", str(secret))
    exported = programs("bonds", "export", str(file), *given)
    assert exported.code == Exit.DONE
    assert [each["id"] for each in exported.last["bonds"]] == phone
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert ids(programs) == []

    other = ("--store", str(tmp_path / "other.db"))
    imported = programs("bonds", "import", str(file), *given, *other)
    assert imported.code == Exit.DONE
    assert imported.last["file_remains"] is False
    assert not file.exists()
    assert ids(programs, *other) == phone


def test_people_are_told_where_their_bonds_are(phone: list[str], secret: Path, tmp_path: Path, people: Run) -> None:
    assert len(phone) == 2
    file, given = tmp_path / "my.bonds", ("--transfer-passphrase-file", str(secret))
    told = " ".join(people("bonds", "export", str(file), *given).out.split())
    assert "2 bond(s) are in" in told
    assert "not here any more" in told
    assert "2 bond(s) are here now" in people("bonds", "import", str(file), *given).out


def test_a_file_that_cannot_be_removed_is_told(
    phone: list[str], secret: Path, tmp_path: Path, people: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(phone) == 2
    file, given = tmp_path / "my.bonds", ("--transfer-passphrase-file", str(secret))
    people("bonds", "export", str(file), *given)

    def refuse(path: Path) -> None:
        raise PermissionError(13, "not allowed", str(path))

    monkeypatch.setattr(Path, "unlink", refuse)
    assert "could not be removed" in " ".join(people("bonds", "import", str(file), *given).out.split())


@pytest.mark.parametrize(("typed", "code"), [("correct horse", Exit.DONE), ("wrong horse", Exit.USAGE)])
@pytest.mark.usefixtures("terminal")
def test_a_passphrase_is_asked_for_twice(
    phone: list[str], tmp_path: Path, programs: Run, monkeypatch: pytest.MonkeyPatch, typed: str, code: Exit
) -> None:
    monkeypatch.setattr("getpass.getpass", {QUESTION: "correct horse", AGAIN: typed}.__getitem__)
    file = tmp_path / "my.bonds"
    assert programs("bonds", "export", str(file)).code == code
    assert file.exists() == (code == Exit.DONE)
    assert ids(programs) == ([] if code == Exit.DONE else phone)


def test_nobody_to_ask(phone: list[str], tmp_path: Path, programs: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    ran = programs("bonds", "export", str(tmp_path / "my.bonds"))
    assert ran.code == Exit.USAGE
    assert "--transfer-passphrase-file" in ran.err
    assert ids(programs) == phone


def test_another_passphrase_moves_nothing(phone: list[str], secret: Path, tmp_path: Path, programs: Run) -> None:
    assert len(phone) == 2
    file, given = tmp_path / "my.bonds", ("--transfer-passphrase-file", str(secret))
    programs("bonds", "export", str(file), *given)
    secret.write_text("another\n")
    ran = programs("bonds", "import", str(file), *given)
    assert ran.code == Exit.STORE
    assert ran.last["error"] == "WrongPassphrase"
    assert file.exists()
    assert ids(programs) == []


def test_an_empty_passphrase_and_no_store(phone: list[str], secret: Path, tmp_path: Path, programs: Run) -> None:
    file, given = tmp_path / "my.bonds", ("--transfer-passphrase-file", str(secret))
    none = programs("bonds", "export", str(file), *given, "--store", str(tmp_path / "none.db"))
    assert none.code == Exit.STORE
    assert not (tmp_path / "none.db").exists()
    secret.write_text("")
    assert programs("bonds", "export", str(file), *given).code == Exit.USAGE
    assert not file.exists()
    assert ids(programs) == phone
