"""Fixtures that every test may ask for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

VECTORS = Path(__file__).resolve().parent.parent.parent / "shared" / "vectors"


@pytest.fixture(scope="session")
def vectors() -> Path:
    """The folder of published third-party vectors, read in place; CI must have it."""
    if VECTORS.is_dir():
        return VECTORS
    if os.environ.get("CI") == "true":
        pytest.fail("the folder of published vectors, ../shared/vectors, is missing")
    pytest.skip("no published vectors here: ../shared/vectors is missing")
