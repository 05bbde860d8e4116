"""The whole of Bumble on a radio that takes the time of air, on the virtual clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import pytest

from blechannel.aio.phone import Phone
from blechannel.aio.watch import Watch
from blechannel.errors import TransportError
from blechannel.stores.memory import MemoryStore
from blechannel.transports.airtime import AirTime, goodput_bytes_per_s
from blechannel.transports.bumble import TimedAir, VirtualRadio
from blechannel.transports.bumble.link import ROOM_FRAGMENTS, BumbleLink
from blechannel.transports.virtual_time import run_virtual
from tests.transports.bumble.live import Joined, Recorder, joined, on_air, sighted

FAST = AirTime(phy="2M", encrypted=True)
VALUES = [number.to_bytes(2, "big").ljust(244, b".") for number in range(252)]


class Fading(Random):
    """Loses everything once the phone is out of range."""

    out_of_range = False

    def random(self) -> float:
        return 0.0 if self.out_of_range else 0.999


@asynccontextmanager
async def linked(air_time: AirTime, random: Random | None = None) -> AsyncIterator[Joined]:
    radio = VirtualRadio(TimedAir(air_time, random or Random(1)))
    async with on_air(radio, phone_mtu=247, watch_mtu=247) as (phone, watch):
        yield await joined(phone, watch)


def now_s() -> float:
    return asyncio.get_running_loop().time()


async def send_all(link: BumbleLink, told: Recorder, values: list[bytes]) -> None:
    for value in values:
        while not link.room:
            await told.news()
        link.send(value)


@pytest.mark.parametrize("both_ways", [False, True])
def test_values_take_their_time_on_the_air(both_ways: bool) -> None:
    """Against the arithmetic; the first event fills slowly, and the last one is not full."""

    async def main() -> None:
        async with linked(FAST) as both:
            began_s = now_s()
            sending = [send_all(both.phone, both.on_phone, VALUES)]
            if both_ways:
                sending.append(send_all(both.watch, both.on_watch, VALUES))
            await asyncio.gather(*sending)
            assert await both.on_watch.received(len(VALUES)) == VALUES
            if both_ways:
                assert await both.on_phone.received(len(VALUES)) == VALUES
            bytes_per_s = len(VALUES) * 244 / (now_s() - began_s)
            assert bytes_per_s == pytest.approx(goodput_bytes_per_s(FAST, 244, both_ways=both_ways), rel=0.08)

    run_virtual(main())


def test_an_answer_takes_an_interval_as_its_question_does() -> None:
    async def main() -> None:
        async with linked(AirTime(interval_s=0.1)) as both:
            both.phone.send(b"ping")
            await both.on_watch.received(1)
            began_s = now_s()
            both.watch.send(b"pong")
            await both.on_phone.received(1)
            assert now_s() - began_s == pytest.approx(0.1, abs=0.002)

    run_virtual(main())


def test_a_connection_is_set_up_question_by_question() -> None:
    """Bumble's phone asks seven times; the loopback link reckons with nine."""

    async def main() -> None:
        radio = VirtualRadio(TimedAir(AirTime(interval_s=0.1), Random(1)))
        async with on_air(radio) as (phone, _):
            address = (await sighted(phone)).address
            began_s = now_s()
            await phone.connect(address)
            assert now_s() - began_s == pytest.approx(1.4, abs=0.1)

    run_virtual(main())


def test_loss_is_delay_and_never_a_gap() -> None:
    async def main(loss: float) -> float:
        async with linked(AirTime(phy="2M", loss=loss)) as both:
            began_s = now_s()
            await send_all(both.watch, both.on_watch, VALUES)
            assert await both.on_phone.received(len(VALUES)) == VALUES
            return now_s() - began_s

    assert run_virtual(main(0.3)) > 1.5 * run_virtual(main(0.0))


def test_a_link_holds_no_more_than_its_room() -> None:
    """What the peer has not acknowledged is pending, however much the controller could take."""

    async def main() -> None:
        async with linked(AirTime(interval_s=0.2)) as both:
            for value in VALUES[:ROOM_FRAGMENTS]:
                both.phone.send(value)
            assert both.phone.room == 0
            await asyncio.sleep(0.1)
            assert both.phone.room == 0
            assert both.on_watch.fragments == []
            await both.on_watch.received(ROOM_FRAGMENTS)
            assert both.phone.room == ROOM_FRAGMENTS

    run_virtual(main())


@pytest.mark.parametrize("watch_sends", [False, True])
def test_out_of_range_ends_with_the_supervision_time_out_at_both_ends(watch_sends: bool) -> None:
    async def main() -> None:
        fading = Fading()
        air_time = AirTime(loss=0.5, supervision_timeout_s=3.0)
        async with linked(air_time, fading) as both:
            fading.out_of_range = True
            began_s = now_s()
            (both.watch if watch_sends else both.phone).send(b"hello?")
            for told in (both.on_phone, both.on_watch):
                assert "out of reach" in str(await told.lost())
            assert now_s() - began_s == pytest.approx(3.0, abs=0.1)
            assert both.on_phone.fragments == both.on_watch.fragments == []

    run_virtual(main())


def test_a_phone_that_never_gets_through_is_told() -> None:
    async def main() -> None:
        radio = VirtualRadio(TimedAir(AirTime(loss=1.0), Random(1)))
        async with on_air(radio) as (phone, _):
            address = (await sighted(phone)).address
            with pytest.raises(TransportError, match="link or its adapter was lost"):
                await phone.connect(address)
            assert now_s() < 6

    run_virtual(main())


def test_what_waits_when_a_link_is_dropped_never_arrives() -> None:
    async def main() -> None:
        air = TimedAir(AirTime(interval_s=0.2), Random(1))
        radio = VirtualRadio(air)
        async with on_air(radio) as (phone, watch):
            first = await joined(phone, watch)
            first.phone.send(b"too late")
            radio.drop_link()
            await first.on_watch.lost()
            assert not air._queues, "nor is it kept"
            second = await joined(phone, watch)
            second.phone.send(b"in time")
            assert await second.on_watch.received(1) == [b"in time"]
            assert first.on_watch.fragments == []

    run_virtual(main())


def test_closing_sends_what_is_queued() -> None:
    async def main() -> None:
        async with linked(AirTime()) as both:
            for value in VALUES[:20]:
                both.phone.send(value)
            await both.phone.close()
            assert both.on_watch.fragments == VALUES[:20]

    run_virtual(main())


def test_a_channel_needs_as_many_intervals_as_on_the_loopback_link() -> None:
    """A pairing takes three round trips after the set-up and a reconnect one, through HCI, L2CAP, ATT and GATT."""

    async def main() -> None:
        air_time = AirTime(phy="2M", encrypted=True)
        radio = VirtualRadio(TimedAir(air_time, Random(1)))
        watch = Watch(MemoryStore(), await radio.watch(att_mtu_bytes=247))
        phone = Phone(MemoryStore(), await radio.phone(att_mtu_bytes=247))
        async with watch, phone:
            window = watch.open_pairing()
            asked_s = 0.0

            async def ask_code() -> str:
                nonlocal asked_s
                asked_s = now_s()
                return window.code

            channel = await phone.pair(await phone.find(), ask_code)
            assert (now_s() - asked_s) / air_time.interval_s == pytest.approx(6, abs=0.3)
            await channel.close()
            while (found := await phone.find()).bond is None:
                pass
            began_s = now_s()
            channel = await phone.connect(found)
            # 14 for the seven questions of the set-up, with the last answer INFO, and less than one to the first event.
            assert (now_s() - began_s) / air_time.interval_s == pytest.approx(16.5, abs=0.6)

    run_virtual(main())
