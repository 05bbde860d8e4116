"""Two joined ends keep the contract of a link."""

from __future__ import annotations

import asyncio

import pytest

from blechannel.aio.link import Link
from blechannel.errors import LinkLost, LocalProtocolError
from blechannel.roles import Role
from blechannel.transports.loopback import Faults, LoopbackLink, loopback_pair
from blechannel.transports.loopback.faults import Stall
from tests.transports.receivers import Receiver, numbered

Pair = tuple[LoopbackLink, LoopbackLink]


def ends(pair: Pair, sender: Role) -> Pair:
    return pair if sender is Role.PHONE else (pair[1], pair[0])


def test_it_is_a_link() -> None:
    async def main() -> None:
        link: Link = loopback_pair()[0]
        assert link.posture.encrypted is False
        assert link.peer == "watch"

    asyncio.run(main())


@pytest.mark.parametrize("sender", list(Role))
async def test_everything_arrives_in_order_and_room_comes_back(sender: Role) -> None:
    here, there = ends(loopback_pair(capacity=16), sender)
    receives, sends = Receiver(there), Receiver(here)
    await sends.send_all(numbered(1000))
    assert await receives.receive(1000) == numbered(1000)
    assert sends.resumed >= 1000 // 16
    assert here.room == 16


async def test_one_turn_delivers_all_that_is_queued() -> None:
    phone, watch = loopback_pair()
    Receiver(phone)
    receives = Receiver(watch)
    for fragment in numbered(64):
        phone.send(fragment)
    assert phone.room == 0
    assert receives.fragments == []
    await asyncio.sleep(0)
    assert receives.fragments == numbered(64)
    assert phone.room == 64


async def test_a_batch_crosses_at_once() -> None:
    phone, watch = loopback_pair()
    Receiver(phone)
    receives = Receiver(watch)
    phone.send_all(numbered(64))
    assert receives.fragments == numbered(64)
    assert phone.room == 64


async def test_a_batch_stays_behind_what_was_sent_before() -> None:
    phone, watch = loopback_pair()
    Receiver(phone)
    receives = Receiver(watch)
    phone.send(b"first")
    phone.send_all([b"second", b"third"])
    assert receives.fragments == []
    await asyncio.sleep(0)
    assert receives.fragments == [b"first", b"second", b"third"]


async def test_a_batch_does_not_overtake_one_that_stalls() -> None:
    phone, watch = loopback_pair()
    Receiver(phone)
    receives = Receiver(watch)
    phone.faults = Faults([Stall(0, 0.001)])
    phone.send_all([b"slow"])
    await asyncio.sleep(0)
    phone.faults = None
    phone.send_all([b"fast"])
    assert await receives.receive(2) == [b"slow", b"fast"]


async def test_a_batch_waits_for_who_has_not_started() -> None:
    phone, watch = loopback_pair()
    phone.send_all([b"early"])
    receives = Receiver(watch)
    assert await receives.receive(1) == [b"early"]


async def test_a_batch_is_held_to_room_and_length() -> None:
    phone, watch = loopback_pair(capacity=2, phone_max_fragment_bytes=20)
    receives = Receiver(watch)
    with pytest.raises(LocalProtocolError, match="no room"):
        phone.send_all([b"1", b"2", b"3"])
    assert await receives.receive(2) == [b"1", b"2"]
    with pytest.raises(LocalProtocolError, match="21 bytes: at most 20"):
        phone.send_all([b"4", bytes(21)])
    assert await receives.receive(3) == [b"1", b"2", b"4"]


async def test_a_batch_is_seen_on_air() -> None:
    phone, watch = loopback_pair()
    seen: list[bytes] = []
    phone.on_air = lambda _role, value: seen.append(value)
    receives = Receiver(watch)
    phone.send_all([b"one", b"two"])
    await receives.receive(2)
    assert seen == [b"one", b"two"]


async def test_nothing_is_sent_as_a_batch_once_the_link_is_gone() -> None:
    phone, watch = loopback_pair()
    receives = Receiver(watch)
    phone.drop("out of range")
    with pytest.raises(LocalProtocolError, match="ended"):
        phone.send_all([b"late"])
    assert receives.fragments == []


async def test_without_room_or_over_length_nothing_is_sent() -> None:
    phone, watch = loopback_pair(capacity=1, phone_max_fragment_bytes=20)
    receives = Receiver(watch)
    with pytest.raises(LocalProtocolError, match="21 bytes: at most 20"):
        phone.send(bytes(21))
    phone.send(b"first")
    with pytest.raises(LocalProtocolError, match="no room"):
        phone.send(b"second")
    await asyncio.sleep(0)
    assert receives.fragments == [b"first"]


async def test_the_directions_may_differ_in_length_and_change() -> None:
    phone, watch = loopback_pair(phone_max_fragment_bytes=20, watch_max_fragment_bytes=512)
    assert (phone.max_fragment_bytes, watch.max_fragment_bytes) == (20, 512)
    phone.set_max_fragment_bytes(100)
    receives = Receiver(watch)
    phone.send(bytes(100))
    await receives.receive(1)
    with pytest.raises(LocalProtocolError):
        phone.set_max_fragment_bytes(19)
    with pytest.raises(LocalProtocolError):
        loopback_pair(watch_max_fragment_bytes=513)


async def test_the_watch_has_no_room_before_the_phone_starts() -> None:
    phone, watch = loopback_pair()
    sends = Receiver(watch)
    await asyncio.sleep(0)
    assert (watch.room, sends.resumed) == (0, 0)
    receives = Receiver(phone)
    await asyncio.sleep(0)
    assert (watch.room, sends.resumed) == (64, 1)
    watch.send(b"info")
    assert await receives.receive(1) == [b"info"]


async def test_a_watch_that_starts_late_is_told_of_its_room() -> None:
    phone, watch = loopback_pair()
    Receiver(phone)
    await asyncio.sleep(0)
    sends = Receiver(watch)
    await asyncio.sleep(0)
    assert sends.resumed == 1


async def test_what_comes_before_the_start_is_kept() -> None:
    phone, watch = loopback_pair(capacity=2)
    phone.send(b"one")
    phone.send(b"two")
    await asyncio.sleep(0)
    assert phone.room == 0
    receives = Receiver(watch)
    assert receives.fragments == []
    assert await receives.receive(2) == [b"one", b"two"]
    assert phone.room == 2


async def test_a_link_starts_once() -> None:
    phone, _ = loopback_pair()
    receives = Receiver(phone)
    with pytest.raises(LocalProtocolError, match="once"):
        phone.start(receives)


@pytest.mark.parametrize("sender", list(Role))
async def test_closing_sends_what_is_queued_and_tells_both(sender: Role) -> None:
    here, there = ends(loopback_pair(), sender)
    receives, sends = Receiver(there), Receiver(here)
    await asyncio.sleep(0)
    here.send(b"last words")
    await here.close()
    assert receives.fragments == [b"last words"]
    assert str(sends.error) == "closed on this side"
    assert str(receives.error) == "the peer disconnected"
    assert here.ended
    with pytest.raises(LocalProtocolError, match="ended"):
        here.send(b"more")
    await asyncio.gather(here.close(), there.close())


async def test_closing_before_any_start_is_told_at_the_start() -> None:
    phone, watch = loopback_pair()
    phone.send(b"only words")
    await phone.close()
    receives, sends = Receiver(watch), Receiver(phone)
    await asyncio.gather(receives.lost.wait(), sends.lost.wait())
    assert receives.fragments == [b"only words"]
    assert isinstance(receives.error, LinkLost)


async def test_dropping_in_the_middle_of_a_batch_comes_behind_it() -> None:
    phone, watch = loopback_pair()
    sends = Receiver(phone)

    def drop_at_two(fragment: bytes) -> None:
        if fragment == b"two":
            watch.drop("out of range")

    receives = Receiver(watch, answer=drop_at_two)
    for fragment in (b"one", b"two", b"three"):
        phone.send(fragment)
    await asyncio.gather(receives.lost.wait(), sends.lost.wait())
    assert receives.fragments == [b"one", b"two", b"three"], "they had arrived at once"
    assert str(sends.error) == str(receives.error) == "out of range"
    watch.drop("again")
    await asyncio.sleep(0)


async def test_dropping_between_send_and_delivery_delivers_nothing() -> None:
    phone, watch = loopback_pair()
    Receiver(phone)
    receives = Receiver(watch)
    phone.send(b"lost")
    phone.drop("out of range")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert receives.fragments == []


async def test_a_tap_that_drops_stops_the_delivery() -> None:
    phone, watch = loopback_pair()
    Receiver(phone)
    receives = Receiver(watch, answer=lambda _: watch.drop("enough"))
    phone.on_air = lambda _role, _value: None
    for fragment in (b"one", b"two"):
        phone.send(fragment)
    await receives.lost.wait()
    assert receives.fragments == [b"one"]


async def test_closing_from_inside_a_delivery() -> None:
    phone, watch = loopback_pair()
    Receiver(phone)
    closing: list[asyncio.Task[None]] = []
    receives = Receiver(watch, answer=lambda _: closing.append(asyncio.create_task(watch.close())))
    phone.send(b"one")
    await receives.lost.wait()
    await asyncio.gather(*closing)
    assert receives.fragments == [b"one"]


async def test_a_cancelled_close_still_disconnects() -> None:
    phone, watch = loopback_pair()
    sends, receives = Receiver(phone), Receiver(watch)
    phone.send(b"hm")
    closing = asyncio.create_task(phone.close())
    asyncio.get_running_loop().call_soon(closing.cancel)
    await asyncio.gather(closing, return_exceptions=True)
    await asyncio.gather(sends.lost.wait(), receives.lost.wait())


async def test_both_may_answer_each_other_for_long() -> None:
    phone, watch = loopback_pair()
    first = Receiver(phone, answer=lambda fragment: phone.send(fragment) if first.link.room else None)
    second = Receiver(watch, answer=lambda fragment: watch.send(fragment) if second.link.room else None)
    phone.send(b"ping")
    await second.receive(500)
    await phone.close()


async def test_published_info_is_kept() -> None:
    _, watch = loopback_pair()
    watch.publish_info(b"info")
    assert watch.info == b"info"
