"""One virtual machine for all tests that ask for it, and an older one."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from tests.system.bluez_vm.apt import Unavailable
from tests.system.bluez_vm.machine import Machine, running
from tests.system.bluez_vm.packages import OLDER, TODAYS, Release


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where captures and logs go: the folder that BLECHANNEL_CAPTURES names, or one that pytest keeps for a while."""
    named = os.environ.get("BLECHANNEL_CAPTURES")
    folder = Path(named).resolve() if named else tmp_path_factory.mktemp("captures")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def machine(results: Path) -> AsyncGenerator[Machine, None]:
    """A machine of today, booted once."""
    async with _booted(TODAYS, results) as booted:
        yield booted


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def older_machine(results: Path) -> AsyncGenerator[Machine, None]:
    """One with a kernel and a BlueZ of 2023."""
    async with _booted(OLDER, results) as booted:
        yield booted


@asynccontextmanager
async def _booted(release: Release, results: Path) -> AsyncGenerator[Machine, None]:
    out = results / release.name
    out.mkdir(exist_ok=True)
    try:
        async with running(release, out) as booted:
            yield booted
    except Unavailable as error:
        pytest.skip(str(error))
