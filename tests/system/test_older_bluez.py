"""The same on Linux 6.1 and BlueZ 5.66, where writes are shorter and advertisements need the kernel."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio

from blechannel.aio.person import Passkey
from blechannel.services import transfer
from tests.aio.rooms import typing
from tests.system.bluez_vm.machine import GuestError, Machine
from tests.system.bluez_vm.sides import PhoneSide, WatchSide, until

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="session")]

BLOB_BYTES = 64 * 1024
SEED = 9
BLOB = random.Random(SEED).randbytes(BLOB_BYTES)
DIGEST = hashlib.sha256(BLOB).hexdigest()


@pytest_asyncio.fixture(loop_scope="session")
async def side_outside(older_machine: Machine) -> AsyncGenerator[WatchSide, None]:
    side = WatchSide(older_machine)
    await side.switch_on()
    yield side
    await side.switch_off()


async def test_a_phone_on_bleak(older_machine: Machine, side_outside: WatchSide) -> None:
    watch, phone = side_outside, older_machine
    await phone.call("phone.start")
    await phone.call("phone.pair", way="passkey", secret=watch.on.open_pairing().code)
    sending = asyncio.ensure_future(phone.call("phone.send", seed=SEED, size=BLOB_BYTES))
    await until(lambda: watch.receiver.offset > BLOB_BYTES // 3)
    watch.radio.drop_link()
    with pytest.raises(GuestError, match="LinkLost"):
        await sending
    assert await phone.call("phone.connect") == {"round_trips": 1, "resumed": True}
    await phone.call("phone.send", seed=SEED, size=BLOB_BYTES)
    assert watch.receiver.received == BLOB
    await transfer.send_blob(await watch.channel(), BLOB)
    assert await phone.call("phone.received") == DIGEST
    await phone.call("phone.stop")


async def test_a_watch_on_bluez(older_machine: Machine) -> None:
    phone, watch = PhoneSide(older_machine), older_machine
    await phone.switch_on()
    await watch.call("watch.start")
    code = await watch.call("watch.open", way="passkey")
    channel = await phone.pair(Passkey(typing(lambda: str(code))))
    await transfer.send_blob(channel, BLOB)
    answer = await watch.call("watch.received")
    assert isinstance(answer, dict)
    assert answer["digest"] == DIGEST
    await watch.call("watch.send", seed=SEED, size=BLOB_BYTES)
    assert phone.receiver.received == BLOB
    await channel.close()
    await (await phone.connect()).close()
    await watch.call("watch.stop")
    await phone.switch_off()
