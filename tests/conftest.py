"""Third-party data that is read in place: present in continuous integration, perhaps absent elsewhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


def _folder(name: str) -> Path:
    folder = SHARED / name
    if folder.is_dir():
        return folder
    reason = f"../shared/{name} is not on this machine"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def vectors() -> Path:
    """The folder of published vectors."""
    return _folder("vectors")


@pytest.fixture(scope="session")
def captures() -> Path:
    """The folder of published radio captures."""
    return _folder("captures")
