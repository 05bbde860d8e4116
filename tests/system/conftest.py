"""One virtual machine for all tests that ask for it."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.system.bluez_vm.apt import Unavailable
from tests.system.bluez_vm.machine import Machine, running


@pytest.fixture(scope="session")
def captures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where captures and logs go: the folder that BLECHANNEL_CAPTURES names, or one that pytest keeps for a while."""
    named = os.environ.get("BLECHANNEL_CAPTURES")
    folder = Path(named).resolve() if named else tmp_path_factory.mktemp("captures")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def machine(captures: Path) -> AsyncGenerator[Machine, None]:
    """The machine, booted once."""
    try:
        async with running(captures) as booted:
            yield booted
    except Unavailable as error:
        pytest.skip(str(error))
