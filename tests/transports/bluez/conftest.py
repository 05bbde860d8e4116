"""A watch that is registered with the stand-in for bluetoothd."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from blechannel.transports.bluez import BluezWatchTransport
from tests.transports.bluez.daemon import daemon
from tests.transports.bluez.live import Desk


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with daemon(tmp_path) as (made, address):
        watch = await BluezWatchTransport.open(bus_address=address)
        try:
            yield Desk(made, watch, address)
        finally:
            await watch.close()
        assert made.faults == []
        assert made.application == {}
        assert made.advertisement is None
