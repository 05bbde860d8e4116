"""The key log: who may read it, what it costs when it fails, and that it is on only where somebody asked."""

from __future__ import annotations

import errno
import logging
import os
import stat
from pathlib import Path

import pytest

from blechannel.aio.key_log import VARIABLE, KeyLog
from blechannel.errors import StoreError

posix = pytest.mark.skipif(os.name != "posix", reason="this system has no file modes")


@posix
def test_only_its_owner_reads_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "keys"
    log = KeyLog(path)
    log.write("a line")
    log.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes() == b"a line\n"
    assert "KEY LOG IS ON" in caplog.text


@posix
def test_one_that_others_may_read_is_refused_and_not_written(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.touch(0o644)
    before = _open_files()
    with pytest.raises(StoreError, match="chmod 600"):
        KeyLog(path)
    assert path.read_bytes() == b""
    assert _open_files() == before


@posix
def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").touch(0o600)
    (tmp_path / "keys").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match="cannot be opened"):
        KeyLog(tmp_path / "keys")


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be opened"):
        KeyLog(tmp_path / "nowhere" / "keys")


def test_lines_are_added_to_what_is_there(tmp_path: Path) -> None:
    for line in ("first", "second"):
        log = KeyLog(tmp_path / "keys")
        log.write(line)
        log.close()
    assert (tmp_path / "keys").read_bytes() == b"first\nsecond\n"


def test_it_is_on_only_where_the_variable_names_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert KeyLog.from_environment() is None
    monkeypatch.setenv(VARIABLE, "")
    assert KeyLog.from_environment() is None
    monkeypatch.setenv(VARIABLE, str(tmp_path / "keys"))
    log = KeyLog.from_environment()
    assert log is not None
    log.close()
    assert (tmp_path / "keys").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full disk to write to")
def test_a_full_disk_costs_the_line_only(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    log = KeyLog(tmp_path / "keys")
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, log._file or 0)
    os.close(full)
    with caplog.at_level(logging.ERROR):
        log.write("a secret")
    assert os.strerror(errno.ENOSPC) in caplog.text
    assert "a secret" not in caplog.text
    log.close()


def test_a_line_that_comes_late_goes_into_no_other_file(tmp_path: Path) -> None:
    """The system gives a closed file's number to the next one that is opened."""
    log = KeyLog(tmp_path / "keys")
    log.close()
    with (tmp_path / "other").open("wb", buffering=0) as other:
        log.write("a secret")
        log.close()
        other.write(b"still open")
    assert (tmp_path / "other").read_bytes() == b"still open"
    assert (tmp_path / "keys").read_bytes() == b""


def _open_files() -> int:
    """How many of the lowest numbers are in use."""
    number = 0
    for candidate in range(256):
        try:
            os.fstat(candidate)
        except OSError:
            continue
        number += 1
    return number
