"""A watch on BlueZ, bluetoothd and Linux' own kernel, and a phone on a controller of the host's."""

from __future__ import annotations

import hashlib
import random
from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio

from blechannel.aio.channel import Channel
from blechannel.aio.person import OutOfBand, Passkey, Words
from blechannel.errors import LinkLost, PairingRefused
from blechannel.oob import qr
from blechannel.services import echo, transfer
from tests.aio.rooms import typing, wrong
from tests.system.bluez_vm.machine import GuestError, Machine
from tests.system.bluez_vm.sides import PhoneSide, without_bluetoothd

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="session")]

BLOB_BYTES = 256 * 1024
SEED = 8
ECHOES = 20
BLOB = random.Random(SEED).randbytes(BLOB_BYTES)
DIGEST = hashlib.sha256(BLOB).hexdigest()


@pytest_asyncio.fixture(loop_scope="session")
async def watch(machine: Machine) -> AsyncGenerator[Machine, None]:
    """The machine, with a new watch in it."""
    await machine.call("watch.start")
    yield machine
    await machine.call("watch.stop")


@pytest_asyncio.fixture(loop_scope="session")
async def phone(machine: Machine) -> AsyncGenerator[PhoneSide, None]:
    """A new phone in reach of the machine."""
    side = PhoneSide(machine)
    await side.switch_on()
    yield side
    await side.switch_off()


async def pair(phone: PhoneSide, watch: Machine) -> Channel:
    code = await watch.call("watch.open", way="passkey")
    return await phone.pair(Passkey(typing(lambda: str(code))))


async def echoed(channel: Channel) -> None:
    async with channel.port(echo.PORT) as port:
        for number in range(ECHOES):
            await port.send(b"%d" % number)
            assert await port.receive() == b"%d" % number


async def received(watch: Machine) -> str:
    """The digest of what the watch has received."""
    answer = await watch.call("watch.received")
    assert isinstance(answer, dict)
    return str(answer["digest"])


async def test_a_wrong_code_is_refused_and_the_next_one_pairs(watch: Machine, phone: PhoneSide) -> None:
    code = await watch.call("watch.open", way="passkey")
    with pytest.raises(PairingRefused, match="wrong code"):
        await phone.pair(Passkey(typing(lambda: wrong(str(code)))))
    code = await watch.call("watch.code")
    channel = await phone.pair(Passkey(typing(lambda: str(code))))
    await echoed(channel)
    await channel.close()
    assert await watch.call("watch.left") == "closed"


async def test_words_are_the_same_on_both_screens(watch: Machine, phone: PhoneSide) -> None:
    shown: list[str] = []

    async def compare(words: tuple[str, ...]) -> bool:
        shown.extend(words)
        return True

    await watch.call("watch.open", way="words")
    await echoed(await phone.pair(Words(compare)))
    assert shown
    assert await watch.call("watch.words") == shown


async def test_a_qr_code_pairs(watch: Machine, phone: PhoneSide) -> None:
    text = await watch.call("watch.open", way="qr")
    await echoed(await phone.pair(OutOfBand(qr.from_text(str(text)))))


async def test_a_quarter_of_a_mebibyte_each_way(watch: Machine, phone: PhoneSide) -> None:
    await transfer.send_blob(await pair(phone, watch), BLOB)
    assert await received(watch) == DIGEST
    await watch.call("watch.send", seed=SEED, size=BLOB_BYTES)
    assert phone.receiver.received == BLOB


async def test_a_lost_link_is_resumed_in_one_round_trip(watch: Machine, phone: PhoneSide) -> None:
    channel = await pair(phone, watch)

    def lose_in_the_middle(done: int, size: int) -> None:
        if done * 3 >= size:
            phone.radio.drop_link()

    with pytest.raises(LinkLost):
        await transfer.send_blob(channel, BLOB, progress=lose_in_the_middle)
    assert await watch.call("watch.left") == "LinkLost"
    before = phone.meter.round_trips
    channel = await phone.connect()
    assert phone.meter.round_trips - before == 1
    await transfer.send_blob(channel, BLOB)
    assert await received(watch) == DIGEST


async def test_a_watch_that_restarts_is_found_again(watch: Machine, phone: PhoneSide) -> None:
    await pair(phone, watch)
    await watch.call("watch.stop")
    await watch.call("watch.start", keep_bonds=True)
    await echoed(await phone.connect())


async def test_the_adapter_is_switched_off_and_on_again(watch: Machine, phone: PhoneSide) -> None:
    channel = await pair(phone, watch)
    await watch.call("bluez.power", on=False)
    await channel.wait_over()
    await watch.call("watch.stop")
    with pytest.raises(GuestError, match=r"TransportError.*switched off"):
        await watch.call("watch.start", keep_bonds=True)
    await watch.call("bluez.power", on=True)
    await watch.call("watch.start", keep_bonds=True)
    await echoed(await phone.connect())


async def test_bluetoothd_ends_and_is_started_again(watch: Machine, phone: PhoneSide) -> None:
    channel = await pair(phone, watch)
    async with without_bluetoothd(watch):
        assert "bluetoothd has ended" in str(await watch.call("watch.failure"))
        await watch.call("watch.stop")
        await channel.close()
        with pytest.raises(GuestError, match=r"TransportError.*bluetoothd is not running"):
            await watch.call("watch.start", keep_bonds=True)
    await watch.call("watch.start", keep_bonds=True)
    await echoed(await phone.connect())
