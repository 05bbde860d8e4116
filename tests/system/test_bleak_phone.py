"""A phone over bleak, bluetoothd and Linux' own kernel, and a watch on a controller of the host's."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio

from blechannel.aio.phone import Phone
from blechannel.aio.watch import Left
from blechannel.errors import BlechannelError
from blechannel.methods import Method
from blechannel.oob import qr
from blechannel.services import echo, transfer
from blechannel.stores.memory import MemoryStore
from tests.aio.rooms import happened, typing, wrong
from tests.system.bluez_vm.machine import GuestError, Machine
from tests.system.bluez_vm.sides import WatchSide, capture, until

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="session")]

BLOB_BYTES = 256 * 1024
SEED = 7
BLOB = random.Random(SEED).randbytes(BLOB_BYTES)
ECHOES = 20


@pytest_asyncio.fixture(loop_scope="session")
async def phone(machine: Machine) -> AsyncGenerator[Machine, None]:
    """The machine, with a new phone in it."""
    await machine.call("phone.start")
    yield machine
    await machine.call("phone.stop")


@pytest_asyncio.fixture(loop_scope="session")
async def watch(machine: Machine) -> AsyncGenerator[WatchSide, None]:
    """A new watch in reach of the machine."""
    side = WatchSide(machine)
    await side.switch_on()
    yield side
    await side.switch_off()


async def pair(phone: Machine, watch: WatchSide) -> None:
    await phone.call("phone.pair", way="passkey", secret=watch.on.open_pairing().code)


async def test_a_wrong_code_is_refused_and_the_next_one_pairs(phone: Machine, watch: WatchSide) -> None:
    window = watch.on.open_pairing()
    with pytest.raises(GuestError, match=r"PairingRefused.*wrong code"):
        await phone.call("phone.pair", way="passkey", secret=wrong(window.code))
    await phone.call("phone.pair", way="passkey", secret=window.code)
    await phone.call("phone.echo", count=ECHOES)
    await phone.call("phone.close")
    left = await happened(watch.on, Left)
    assert isinstance(left, Left)
    assert left.error is None, "both sides said CLOSE"


async def test_words_are_the_same_on_both_screens(phone: Machine, watch: WatchSide) -> None:
    shown: list[str] = []

    async def compare(words: tuple[str, ...]) -> bool:
        shown.extend(words)
        return True

    watch.on.open_pairing(Method.WORDS, compare=compare)
    paired = await phone.call("phone.pair", way="words")
    assert isinstance(paired, dict)
    assert shown
    assert paired["words"] == shown
    await phone.call("phone.echo", count=1)


async def test_a_qr_code_pairs(phone: Machine, watch: WatchSide) -> None:
    ticket = watch.on.open_pairing(Method.OUT_OF_BAND).ticket()
    await phone.call("phone.pair", way="qr", secret=qr.to_text(ticket))
    await phone.call("phone.echo", count=1)


async def test_a_quarter_of_a_mebibyte_each_way(phone: Machine, watch: WatchSide) -> None:
    await pair(phone, watch)
    await phone.call("phone.send", seed=SEED, size=BLOB_BYTES)
    assert watch.receiver.received == BLOB
    await transfer.send_blob(await watch.channel(), BLOB)
    assert await phone.call("phone.received") == hashlib.sha256(BLOB).hexdigest()


async def test_a_lost_link_is_resumed_in_one_round_trip(phone: Machine, watch: WatchSide) -> None:
    await pair(phone, watch)
    sending = asyncio.ensure_future(phone.call("phone.send", seed=SEED, size=BLOB_BYTES))
    await until(lambda: watch.receiver.offset > BLOB_BYTES // 3)
    watch.radio.drop_link()
    with pytest.raises(GuestError, match="LinkLost"):
        await sending
    had_bytes = watch.receiver.offset
    assert BLOB_BYTES // 3 < had_bytes < BLOB_BYTES
    assert await phone.call("phone.connect") == {"round_trips": 1, "resumed": True}
    await phone.call("phone.send", seed=SEED, size=BLOB_BYTES)
    assert watch.receiver.resumed_at == had_bytes
    assert watch.receiver.received == BLOB


async def test_a_link_lost_while_the_watch_sends_is_resumed(phone: Machine, watch: WatchSide) -> None:
    await pair(phone, watch)

    def lose_halfway(done: int, size: int) -> None:
        if done * 2 >= size:
            watch.radio.drop_link()

    with pytest.raises(BlechannelError):
        await transfer.send_blob(await watch.channel(), BLOB, progress=lose_halfway)
    await phone.call("phone.connect")
    await transfer.send_blob(await watch.channel(), BLOB)
    assert await phone.call("phone.received") == hashlib.sha256(BLOB).hexdigest()


async def test_bonding_below_changes_nothing_above(phone: Machine, watch: WatchSide) -> None:
    await pair(phone, watch)
    channel = await watch.channel()
    assert channel.posture.encrypted is False
    await phone.call("bluez.bond")
    await until(lambda: channel.posture.encrypted)
    await phone.call("phone.echo", count=ECHOES)
    await phone.call("phone.close")
    await phone.call("phone.connect")
    await phone.call("phone.echo", count=ECHOES)
    await phone.call("bluez.forget")
    await phone.call("phone.connect")
    await phone.call("phone.echo", count=ECHOES)


async def test_a_second_phone_at_the_same_time(phone: Machine, watch: WatchSide) -> None:
    await pair(phone, watch)
    radio = await watch.radio.phone(snoop=capture(watch.out, "second-phone"))
    async with Phone(MemoryStore(), radio) as second:
        window = watch.on.open_pairing()
        channel = await second.pair(await second.find(), typing(lambda: window.code))
        assert len(watch.on.channels) == 2
        first = asyncio.ensure_future(phone.call("phone.echo", count=ECHOES))
        async with channel.port(echo.PORT) as port:
            for number in range(ECHOES):
                await port.send(b"%d" % number)
                assert await port.receive() == b"%d" % number
        await first


async def test_a_watch_that_restarts_is_found_again(phone: Machine, watch: WatchSide) -> None:
    await pair(phone, watch)
    await watch.switch_off()
    await watch.switch_on()
    assert await phone.call("phone.connect") == {"round_trips": 1, "resumed": True}
    await phone.call("phone.echo", count=ECHOES)


async def test_a_phone_that_restarts_has_its_bond(phone: Machine, watch: WatchSide) -> None:
    await pair(phone, watch)
    await phone.call("phone.stop")
    await phone.call("phone.start", keep_bonds=True)
    await phone.call("phone.connect")
    await phone.call("phone.echo", count=ECHOES)


async def test_the_adapter_is_switched_off_in_a_transfer_and_on_again(phone: Machine, watch: WatchSide) -> None:
    await pair(phone, watch)
    sending = asyncio.ensure_future(phone.call("phone.send", seed=SEED, size=BLOB_BYTES))
    await until(lambda: watch.receiver.offset > BLOB_BYTES // 3)
    await phone.call("bluez.power", on=False)
    with pytest.raises(GuestError, match="LinkLost"):
        await sending
    with pytest.raises(GuestError, match=r"TransportError.*power"):
        await phone.call("phone.connect")
    await phone.call("bluez.power", on=True)
    await phone.call("phone.connect")
    await phone.call("phone.send", seed=SEED, size=BLOB_BYTES)
    assert watch.receiver.received == BLOB
