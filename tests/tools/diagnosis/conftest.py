"""A machine of its own for every test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tools.diagnosis.machines import Machine


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """One that has nothing yet."""
    return Machine(tmp_path / "root")
