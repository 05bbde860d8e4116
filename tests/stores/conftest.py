"""A path for a store, and ways to open it."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

NOBODY = 65534


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a store may be made; the folder is there, the file is not."""
    return tmp_path / "bonds.db"


@pytest.fixture
def untouched(path: Path) -> Callable[[], AbstractContextManager[None]]:
    """A context after which the file's folder holds the same names and bytes as before."""

    def look() -> dict[str, str]:
        files = [each for each in path.parent.rglob("*") if each.is_file()]
        return {str(each): hashlib.sha256(each.read_bytes()).hexdigest() for each in files}

    @contextmanager
    def watch() -> Iterator[None]:
        before = look()
        yield
        assert look() == before

    return watch


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that every user of this machine may enter."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


@contextmanager
def someone_without_privileges() -> Iterator[None]:
    """The administrator may read everything: be someone else for a while. Others stay who they are."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
