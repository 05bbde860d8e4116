"""Fragments that travel at connection events, on the virtual clock."""

from __future__ import annotations

import asyncio
import time
from random import Random
from typing import Literal

import pytest

from blechannel.transports.airtime import AirTime
from blechannel.transports.loopback import Faults, LoopbackLink, loopback_pair
from blechannel.transports.loopback.faults import Stall
from blechannel.transports.virtual_time import run_virtual
from tests.transports.receivers import Receiver, numbered


def now_s() -> float:
    return asyncio.get_running_loop().time()


def pair_on(air_time: AirTime) -> tuple[LoopbackLink, LoopbackLink]:
    return loopback_pair(air_time=air_time, random=Random(1))


@pytest.mark.parametrize(
    ("phy", "interval_s", "kilobytes_per_s"),
    [("1M", 0.03, 97.6), ("2M", 0.015, 162.7), ("2M", 0.03, 170.8), ("2M", 0.05, 170.8)],
)
def test_throughput_one_way(phy: Literal["1M", "2M"], interval_s: float, kilobytes_per_s: float) -> None:
    async def main() -> None:
        phone, watch = pair_on(AirTime(phy=phy, interval_s=interval_s, encrypted=True))
        receives, sends = Receiver(phone), Receiver(watch)
        count = 35 * 10 * 12
        began_s = now_s()
        await sends.send_all(numbered(count))
        await receives.receive(count)
        assert receives.fragments == numbered(count)
        assert count * 244 / (now_s() - began_s) == pytest.approx(kilobytes_per_s * 1000, rel=0.01)

    run_virtual(main())


def test_both_directions_share_the_interval() -> None:
    async def main() -> None:
        phone, watch = pair_on(AirTime(phy="2M", encrypted=True))
        here, there = Receiver(phone), Receiver(watch)
        await asyncio.sleep(0)
        await asyncio.gather(here.send_all(numbered(1200)), there.send_all(numbered(1200)))
        await asyncio.gather(here.receive(1200), there.receive(1200))
        # 2 × 1064 + 2 × 150 µs an exchange: 12 in 30 ms instead of 21.
        assert 2400 * 244 / now_s() == pytest.approx(2 * 12 * 244 / 0.03, rel=0.02)

    run_virtual(main())


def test_a_round_trip_takes_two_intervals() -> None:
    async def main() -> None:
        phone, watch = pair_on(AirTime(interval_s=0.03))
        here = Receiver(phone)
        Receiver(watch, answer=watch.send)
        await asyncio.sleep(0.031)
        phone.send(b"ping")
        await here.receive(1)
        assert now_s() == pytest.approx(0.09, abs=0.005)

    run_virtual(main())


def test_nothing_ticks_while_nothing_waits() -> None:
    async def main() -> None:
        phone, watch = pair_on(AirTime())
        Receiver(phone)
        receives = Receiver(watch)
        await asyncio.sleep(3600)
        phone.send(b"late")
        await receives.receive(1)
        assert 3600 < now_s() < 3600.04

    run_virtual(main())


def test_an_hour_of_talk_takes_less_than_a_second() -> None:
    async def main() -> None:
        phone, watch = pair_on(AirTime())
        here = Receiver(phone)
        Receiver(watch, answer=watch.send)
        for number in range(1200):
            phone.send(b"beat")
            await here.receive(number + 1)
            await asyncio.sleep(3)

    began_s = time.process_time()
    run_virtual(main())
    assert time.process_time() - began_s < 1


def test_a_long_value_crosses_in_pieces() -> None:
    async def main() -> None:
        phone, watch = loopback_pair(phone_max_fragment_bytes=512, air_time=AirTime(interval_s=0.0075, encrypted=True))
        Receiver(phone)
        receives = Receiver(watch)
        for fragment in numbered(10, 512):
            phone.send(fragment)
        await receives.receive(10)
        assert receives.fragments == numbered(10, 512)
        # 30 packets of which at most 3 or 4 fit 7.5 ms: some values are half way when an event ends.
        assert 8 * 0.0075 < now_s() < 11 * 0.0075

    run_virtual(main())


def test_a_slow_phy_cuts_packets_to_what_the_interval_carries() -> None:
    async def main() -> None:
        air_time = AirTime(phy="coded-S8", interval_s=0.0075, encrypted=True)
        phone, watch = pair_on(air_time)
        here, there = Receiver(phone), Receiver(watch)
        await asyncio.sleep(0)
        phone.send(bytes(244))
        watch.send(bytes(244))
        await asyncio.gather(here.receive(1), there.receive(1))
        events = -(-251 // air_time.max_packet_bytes)
        assert now_s() == pytest.approx(0.0075 * (1 + events), abs=0.0075)

    run_virtual(main())


@pytest.mark.parametrize(
    ("loss", "slower"),
    [
        (0.02, 1 / 0.98),
        # Two failures in a row close an event. Before that 3 packets get through on average, where 13 fit.
        (0.5, 13 / 3),
    ],
)
def test_loss_is_delay_and_never_a_gap(loss: float, slower: float) -> None:
    async def main(loss: float) -> float:
        phone, watch = pair_on(AirTime(loss=loss))
        receives, sends = Receiver(phone), Receiver(watch)
        await sends.send_all(numbered(1000))
        await receives.receive(1000)
        assert receives.fragments == numbered(1000)
        return now_s()

    assert run_virtual(main(loss)) == pytest.approx(slower * run_virtual(main(0.0)), rel=0.1)


@pytest.mark.parametrize("watch_sends", [True, False])
def test_out_of_range_ends_with_the_supervision_time_out(watch_sends: bool) -> None:
    async def main() -> None:
        phone, watch = pair_on(AirTime(loss=1.0, supervision_timeout_s=4.0))
        here, there = Receiver(phone), Receiver(watch)
        await asyncio.sleep(10)
        assert here.error is None
        (watch if watch_sends else phone).send(b"hello?")
        await asyncio.gather(here.lost.wait(), there.lost.wait())
        assert now_s() == pytest.approx(14.0, abs=0.1)
        assert "out of range" in str(here.error)

    run_virtual(main())


def test_closing_out_of_range_gives_up_in_time() -> None:
    async def main() -> None:
        phone, watch = pair_on(AirTime(loss=1.0, supervision_timeout_s=32.0))
        here, there = Receiver(phone), Receiver(watch)
        phone.send(b"hello?")
        await phone.close()
        assert now_s() == pytest.approx(2.0)
        await asyncio.sleep(60)
        assert here.error is not None
        assert there.fragments == []

    run_virtual(main())


def test_closing_waits_for_all_that_is_queued() -> None:
    async def main() -> None:
        phone, watch = pair_on(AirTime())
        Receiver(phone)
        receives = Receiver(watch)
        for fragment in numbered(64):
            phone.send(fragment)
        await phone.close()
        assert receives.fragments == numbered(64)

    run_virtual(main())


def test_a_link_dropped_in_the_middle_of_an_event_delivers_nothing() -> None:
    async def main() -> None:
        phone, watch = pair_on(AirTime())
        Receiver(phone)
        receives = Receiver(watch)
        phone.send(bytes(200))
        await asyncio.sleep(0.031)
        phone.drop("gone")
        await asyncio.sleep(1)
        assert receives.fragments == []

    run_virtual(main())


def test_a_stalled_direction_does_not_hold_the_other() -> None:
    async def main() -> None:
        phone, watch = pair_on(AirTime())
        phone.faults = Faults([Stall(0, 5.0)])
        here, there = Receiver(phone), Receiver(watch)
        await asyncio.sleep(0)
        phone.send(b"one")
        phone.send(b"two")
        watch.send(b"other way")
        await here.receive(1)
        assert now_s() < 0.1
        await there.receive(2)
        assert 5.0 < now_s() < 5.1

    run_virtual(main())


def test_what_is_sent_before_the_start_waits() -> None:
    async def main() -> None:
        phone, watch = pair_on(AirTime())
        Receiver(phone)
        phone.send(b"early")
        await asyncio.sleep(1)
        receives = Receiver(watch)
        assert await receives.receive(1) == [b"early"]

    run_virtual(main())


def test_room_comes_back_once_half_is_free() -> None:
    async def main() -> None:
        phone, watch = pair_on(AirTime(encrypted=True))
        sends = Receiver(phone)
        Receiver(watch)
        for fragment in numbered(64):
            phone.send(fragment)
        rooms: list[int] = []
        while not sends.resumed:
            rooms.append(phone.room)
            await asyncio.sleep(0.03)
        assert rooms == [0, 0, 12, 24]
        assert phone.room == 36

    run_virtual(main())
