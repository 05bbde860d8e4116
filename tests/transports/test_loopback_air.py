"""Watches and phones on one air."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from functools import partial

import pytest

from blechannel.aio.link import PhoneTransport, Sighting, WatchTransport
from blechannel.errors import LocalProtocolError, TransportError
from blechannel.transports.airtime import AirTime
from blechannel.transports.loopback import LoopbackAir, LoopbackLink, loopback_pair
from blechannel.transports.virtual_time import run_virtual
from tests.transports.receivers import Receiver


async def first(phone: PhoneTransport, count: int) -> list[tuple[str, bytes]]:
    seen: list[Sighting] = []
    async with aclosing(phone.scan()) as sightings:
        async for sighting in sightings:
            seen.append(sighting)
            if len(seen) == count:
                break
    return [(sighting.address, sighting.service_data) for sighting in seen]


def test_they_are_transports() -> None:
    air = LoopbackAir()
    sides: tuple[PhoneTransport, WatchTransport] = (air.phone(), air.watch())
    assert len(sides) == 2


def test_a_scan_sees_what_is_there_at_once_and_again_each_interval() -> None:
    async def main() -> None:
        loop, air = asyncio.get_running_loop(), LoopbackAir(advertising_interval_s=0.1)
        one, two = air.watch(address="one"), air.watch(address="two")
        await one.advertise(b"1")
        await two.advertise(b"2")
        assert await first(air.phone(), 2) == [("one", b"1"), ("two", b"2")]
        assert loop.time() == 0
        assert len(await first(air.phone(), 6)) == 6
        assert loop.time() == pytest.approx(0.2)

    run_virtual(main())


def test_a_change_is_seen_at_once_and_a_closed_watch_never() -> None:
    async def main() -> None:
        loop, air = asyncio.get_running_loop(), LoopbackAir(advertising_interval_s=10)
        watch = air.watch(address="one")
        scanning = asyncio.create_task(first(air.phone(), 3))
        await asyncio.sleep(1)
        await watch.advertise(b"old")
        await asyncio.sleep(1)
        await watch.advertise(b"new")
        await asyncio.sleep(1)
        await watch.close()
        other = air.watch(address="other")
        await other.advertise(b"o")
        assert await scanning == [("one", b"old"), ("one", b"new"), ("other", b"o")]
        assert loop.time() == 3

    run_virtual(main())


async def test_phones_and_watches_find_each_other() -> None:
    air = LoopbackAir()
    watches = [air.watch(address=name) for name in ("one", "two")]
    for watch in watches:
        await watch.advertise(b"")
    for phone in (air.phone(), air.phone()):
        for watch in watches:
            link = await phone.connect(watch.address)
            far = await watch.accept()
            here, there = Receiver(link), Receiver(far)
            link.send(watch.address.encode())
            assert await there.receive(1) == [watch.address.encode()]
            await link.close()
            assert here.error is not None


async def test_a_waiting_accept_is_served() -> None:
    air = LoopbackAir()
    watch = air.watch()
    await watch.advertise(b"")
    accepting = [asyncio.create_task(watch.accept()) for _ in range(2)]
    await asyncio.sleep(0)
    phone = air.phone()
    await phone.connect(watch.address)
    await phone.connect(watch.address)
    assert len({id(link) for link in await asyncio.gather(*accepting)}) == 2


async def test_nobody_there() -> None:
    air = LoopbackAir()
    watch = air.watch()
    with pytest.raises(TransportError, match="is the watch running"):
        await air.phone().connect(watch.address)


async def test_service_data_is_bounded() -> None:
    with pytest.raises(LocalProtocolError, match="at most 13"):
        await LoopbackAir().watch().advertise(bytes(14))


async def test_one_address_is_one_watch() -> None:
    air = LoopbackAir()
    await air.watch(address="one").advertise(b"")
    imposter = air.watch(address="one")
    with pytest.raises(TransportError, match="another watch"):
        await imposter.advertise(b"")
    await imposter.close()
    await air.phone().connect("one")


async def test_a_watch_serves_so_many_links_and_ended_ones_do_not_count() -> None:
    air = LoopbackAir()
    watch, phone = air.watch(max_links=2), air.phone()
    await watch.advertise(b"")
    link = await phone.connect(watch.address)
    await phone.connect(watch.address)
    with pytest.raises(TransportError, match="2 links already"):
        await phone.connect(watch.address)
    await link.close()
    await phone.connect(watch.address)


async def test_a_link_that_ended_before_it_was_accepted_is_skipped() -> None:
    air = LoopbackAir()
    watch, phone = air.watch(), air.phone()
    await watch.advertise(b"")
    gone, live = await phone.connect(watch.address), await phone.connect(watch.address)
    gone.drop("out of range")
    far = await watch.accept()
    receives = Receiver(far)
    live.send(b"here")
    assert await receives.receive(1) == [b"here"]


async def test_closing_the_watch_drops_its_links_and_ends_accept() -> None:
    air = LoopbackAir()
    watch, phone = air.watch(), air.phone()
    await watch.advertise(b"")
    link = await phone.connect(watch.address)
    receives = Receiver(link)
    await watch.accept()
    accepting = [asyncio.create_task(watch.accept()) for _ in range(2)]
    await asyncio.sleep(0)
    await watch.close()
    await watch.close()
    await receives.lost.wait()
    for error in await asyncio.gather(*accepting, return_exceptions=True):
        assert isinstance(error, TransportError)
    with pytest.raises(TransportError, match="closed"):
        await watch.accept()
    with pytest.raises(TransportError, match="closed"):
        await watch.advertise(b"")


async def test_closing_the_phone_drops_its_links_and_ends_scans() -> None:
    air = LoopbackAir(advertising_interval_s=0.01)
    watch, phone = air.watch(), air.phone()
    await watch.advertise(b"")
    link = await phone.connect(watch.address)
    receives = Receiver(link)
    scanning = asyncio.create_task(first(phone, 10_000))
    await asyncio.sleep(0)
    await phone.close()
    await phone.close()
    await receives.lost.wait()
    with pytest.raises(TransportError, match="closed"):
        await scanning
    with pytest.raises(TransportError, match="closed"):
        await phone.connect(watch.address)


def slow_air() -> tuple[LoopbackAir, list[tuple[LoopbackLink, LoopbackLink]]]:
    made: list[tuple[LoopbackLink, LoopbackLink]] = []

    def join() -> tuple[LoopbackLink, LoopbackLink]:
        made.append(loopback_pair(air_time=AirTime(interval_s=0.03)))
        return made[-1]

    return LoopbackAir(join=join), made


@pytest.mark.parametrize(("handles_known", "intervals"), [(False, 18), (True, 4)])
def test_the_answer_to_the_subscription_travels_with_what_the_watch_says_first(
    handles_known: bool, intervals: int
) -> None:
    async def main() -> None:
        air_time = AirTime(interval_s=0.03, handles_known=handles_known)
        air = LoopbackAir(join=partial(loopback_pair, air_time=air_time))
        watch = air.watch()
        await watch.advertise(b"")
        accepting = asyncio.create_task(watch.accept())
        link = await air.phone().connect(watch.address)
        assert link.posture.phy == "1M"
        sends, receives = Receiver(await accepting), Receiver(link)
        await sends.until(lambda: sends.resumed)
        sends.link.send(b"hello")
        await receives.receive(1)
        assert asyncio.get_running_loop().time() / 0.03 == pytest.approx(intervals, abs=0.1)

    run_virtual(main())


def test_setting_up_takes_longer_where_packets_are_lost() -> None:
    async def main(loss: float) -> float:
        air = LoopbackAir(join=partial(loopback_pair, air_time=AirTime(loss=loss)))
        watch = air.watch()
        await watch.advertise(b"")
        await air.phone().connect(watch.address)
        return asyncio.get_running_loop().time()

    # Each of the 17 packets has two tries in an event: in half of the events none of them gets through.
    assert run_virtual(main(0.5**0.5)) == pytest.approx(2 * run_virtual(main(0.0)), rel=0.3)


def test_a_connection_that_is_never_heard_ends_while_it_is_set_up() -> None:
    async def main() -> None:
        air = LoopbackAir(join=partial(loopback_pair, air_time=AirTime(loss=1.0, supervision_timeout_s=4.0)))
        watch = air.watch()
        await watch.advertise(b"")
        with pytest.raises(TransportError, match="set up"):
            await air.phone().connect(watch.address)
        assert asyncio.get_running_loop().time() == pytest.approx(4.0, abs=0.1)

    run_virtual(main())


def test_a_cancelled_connect_leaves_no_link() -> None:
    async def main() -> None:
        air, made = slow_air()
        watch = air.watch()
        await watch.advertise(b"")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await air.phone().connect(watch.address)
        assert made[0][1].ended

    run_virtual(main())


def test_a_link_lost_while_it_is_set_up() -> None:
    async def main() -> None:
        air, _ = slow_air()
        watch = air.watch()
        await watch.advertise(b"")
        connecting = asyncio.create_task(air.phone().connect(watch.address))
        await asyncio.sleep(0.1)
        await watch.close()
        with pytest.raises(TransportError, match="set up"):
            await connecting

    run_virtual(main())
