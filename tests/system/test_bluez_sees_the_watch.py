"""The watch as Linux' own kernel, bluetoothd and bleak see it, with nothing of this project on that side."""

from __future__ import annotations

import pytest

from blechannel.gatt import INBOX_UUID, INFO_UUID, MAX_ATTRIBUTE_BYTES, OUTBOX_UUID, SERVICE_UUID
from blechannel.transports.bumble import VirtualRadio
from tests.system.bluez_vm.machine import Machine

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="session")]


async def test_bluez_finds_the_service_and_its_characteristics(machine: Machine) -> None:
    watch = await VirtualRadio(machine.air).watch()
    try:
        await watch.advertise(bytes(range(13)))
        seen = await machine.call("plain_table", service=SERVICE_UUID)
    finally:
        await watch.close()
    assert isinstance(seen, dict)
    assert seen["service_data"] == bytes(range(13)).hex()
    assert seen["write_bytes"] >= MAX_ATTRIBUTE_BYTES
    assert seen["characteristics"] == {
        INBOX_UUID: ["write", "write-without-response"],
        OUTBOX_UUID: ["notify"],
        INFO_UUID: ["read"],
    }
