"""From the watch's window to a bond over the virtual radio, by tag and by QR code; and what is done to tags."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from blechannel.aio.person import OutOfBand
from blechannel.aio.phone import FoundWatch, Phone
from blechannel.aio.watch import Watch
from blechannel.errors import AuthenticationFailed, MalformedFrame, PairingRefused
from blechannel.methods import Method
from blechannel.oob import ndef, qr
from blechannel.pairing.out_of_band import Ticket
from blechannel.stores.memory import MemoryStore
from blechannel.transports.bumble import VirtualRadio

Carry = Callable[[Ticket, Path], Ticket]


@asynccontextmanager
async def radio() -> AsyncGenerator[tuple[Watch, Phone], None]:
    air = VirtualRadio()
    watch = Watch(MemoryStore(), await air.watch())
    phone = Phone(MemoryStore(), await air.phone())
    async with watch, phone:
        yield watch, phone


async def seen(phone: Phone) -> FoundWatch:
    """The watch, whether or not a window is open by now."""
    watches = phone.scan()
    try:
        return await anext(watches)
    finally:
        await watches.aclose()


def by_tag(ticket: Ticket, folder: Path) -> Ticket:
    ndef.write_file(folder / "tag.ndef", ticket)
    return ndef.read_file(folder / "tag.ndef")


def by_code(ticket: Ticket, _folder: Path) -> Ticket:
    return qr.from_text(qr.to_text(ticket))


@pytest.mark.parametrize("carry", [by_tag, by_code])
async def test_what_was_carried_makes_a_bond(carry: Carry, tmp_path: Path) -> None:
    async with radio() as (watch, phone):
        ticket = watch.open_pairing(Method.OUT_OF_BAND).ticket()
        channel = await phone.pair(await phone.find(), OutOfBand(carry(ticket, tmp_path)))
        assert channel.bond.method is Method.OUT_OF_BAND
        await channel.close()
        again = await phone.connect(await phone.find())
        assert again.resumed


async def test_a_replayed_or_cloned_tag() -> None:
    """A tag is a static thing: whoever has read it can write another. It is good for one bond, and this was it."""
    async with radio() as (watch, phone):
        tag = ndef.encode(watch.open_pairing(Method.OUT_OF_BAND).ticket())
        clone = bytes(bytearray(tag))
        await (await phone.pair(await phone.find(), OutOfBand(ndef.decode(tag)))).close()
        for copy in (tag, clone):
            with pytest.raises(PairingRefused) as refused:
                await phone.pair(await seen(phone), OutOfBand(ndef.decode(copy)))
            assert refused.value.reason == "pairing-closed"
        watch.open_pairing(Method.OUT_OF_BAND)
        with pytest.raises(AuthenticationFailed):
            await phone.pair(await phone.find(), OutOfBand(ndef.decode(clone)))
        assert len(watch.store.book.bonds) == 1


async def test_an_expired_tag() -> None:
    async with radio() as (watch, phone):
        tag = ndef.encode(watch.open_pairing(Method.OUT_OF_BAND, duration_s=0.05).ticket())
        await asyncio.sleep(0.1)
        with pytest.raises(PairingRefused) as refused:
            await phone.pair(await seen(phone), OutOfBand(ndef.decode(tag)))
        assert refused.value.reason == "pairing-closed"
        assert not watch.store.book.bonds


async def test_a_flipped_bit_is_named_before_anything_is_sent() -> None:
    async with radio() as (watch, _):
        tag = ndef.encode(watch.open_pairing(Method.OUT_OF_BAND).ticket())
    refused = 0
    for at in range(8 * len(tag)):
        flipped = bytearray(tag)
        flipped[at // 8] ^= 1 << at % 8
        try:
            assert ndef.decode(bytes(flipped)) == ndef.decode(tag), "what decodes is what was written"
        except MalformedFrame:
            refused += 1
    assert refused == 8 * len(tag)
