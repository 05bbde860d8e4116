"""A file for its owner alone: whole or not there, and never in another's place."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from blechannel.errors import StoreError
from blechannel.stores.private_file import write_private


def test_the_file_is_its_owners_alone_and_nothing_else_is_left(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        write_private(tmp_path / "file", b"content")
    finally:
        os.umask(old)
    assert [each.name for each in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_bytes() == b"content"
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o600


def test_no_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"precious")
    with pytest.raises(StoreError, match="such a file already"):
        write_private(tmp_path / "file", b"content")
    assert (tmp_path / "file").read_bytes() == b"precious"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be written") as caught:
        write_private(tmp_path / "nowhere" / "file", b"content")
    assert str(tmp_path / "nowhere" / "file") in str(caught.value)


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_what_could_not_be_finished_is_taken_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    def fail(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(StoreError, match="No space left"):
        write_private(tmp_path / "file", b"content")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="folders are opened on POSIX alone")
def test_content_and_name_are_on_the_disk_on_return(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[tuple[bool, bool]] = []
    real = os.fsync

    def note(descriptor: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        synced.append((is_folder, (tmp_path / "file").stat().st_size > 0))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    write_private(tmp_path / "file", b"content")
    assert synced == [(False, False), (True, True)]
