"""Two live sides: connect, exchange, back-pressure, loss and closing."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from bumble.core import ConnectionPHY

from blechannel.errors import LinkLost, LocalProtocolError, TransportError
from blechannel.gatt import INFO_UUID
from blechannel.limits import MAX_LINKS, MAX_WINDOW
from blechannel.transports.bumble import VirtualRadio
from blechannel.transports.bumble.link import ROOM_FRAGMENTS, BumbleLink
from tests.transports.bumble.live import (
    SERVICE_DATA,
    Joined,
    Recorder,
    Stranger,
    joined,
    on_air,
    sighted,
)


def numbered(count: int, size: int) -> list[bytes]:
    return [number.to_bytes(4, "big") + bytes(size - 4) for number in range(count)]


async def send_all(link: BumbleLink, recorder: Recorder, fragments: list[bytes]) -> int:
    """As fast as `room` allows; the most that was ever queued in bumble, in packets."""
    most = 0
    for fragment in fragments:
        while not link.room:
            await recorder.news()
        link.send(fragment)
        most = max(most, link._flow.pending_packets)
    return most


def sent_until_refused(link: BumbleLink, fragments: list[bytes]) -> int:
    sent = 0
    with suppress(LocalProtocolError):
        for fragment in fragments:
            link.send(fragment)
            sent += 1
    with pytest.raises(LocalProtocolError, match="no room"):
        link.send(fragments[sent])
    return sent


async def test_a_thousand_fragments_cross_in_order_both_ways_at_once() -> None:
    fragments = numbered(1000, 244)
    async with on_air(VirtualRadio()) as (phone, watch):
        both = await joined(phone, watch)
        async with asyncio.timeout(20):
            queued = await asyncio.gather(
                send_all(both.phone, both.on_phone, fragments),
                send_all(both.watch, both.on_watch, fragments),
            )
            assert await both.on_watch.received(1000) == fragments
            assert await both.on_phone.received(1000) == fragments
        # A fragment of the largest size takes three packets here.
        assert max(queued) <= 3 * ROOM_FRAGMENTS
        assert both.on_phone.resumed > 1
        assert both.on_watch.resumed > 1


@pytest.mark.parametrize("size", [1, 244, 512])
async def test_whoever_does_not_wait_is_told_so_and_nothing_is_lost(size: int) -> None:
    fragments = [bytes([number]) * size for number in range(200)]
    async with on_air(VirtualRadio()) as (phone, watch):
        both = await joined(phone, watch)
        sent = sent_until_refused(both.watch, fragments)
        assert ROOM_FRAGMENTS <= sent <= 3 * ROOM_FRAGMENTS
        assert both.watch.room == 0
        assert await both.on_phone.received(sent) == fragments[:sent]
        while not both.watch.room:
            await both.on_watch.news()
        assert both.watch.room == ROOM_FRAGMENTS


@pytest.mark.parametrize(("phone_mtu", "watch_mtu"), [(517, 185), (185, 517), (23, 23), (517, 517)])
async def test_the_smaller_mtu_counts_for_both(phone_mtu: int, watch_mtu: int) -> None:
    payload = min(phone_mtu - 3, watch_mtu - 3)
    async with on_air(VirtualRadio(), phone_mtu=phone_mtu, watch_mtu=watch_mtu) as (phone, watch):
        both = await joined(phone, watch)
        # BlueZ before 5.69, as a watch, throws away what is written over 510 bytes.
        up, down = min(payload, 510), min(payload, 512)
        for link, far, longest in ((both.phone, both.on_watch, up), (both.watch, both.on_phone, down)):
            assert link.max_fragment_bytes == longest
            link.send(bytes(longest))
            assert await far.received(1) == [bytes(longest)]
            with pytest.raises(LocalProtocolError, match=f"at most {longest}"):
                link.send(bytes(longest + 1))


@pytest.mark.parametrize("mtu", [22, 518])
async def test_an_mtu_outside_what_ble_allows_is_refused(mtu: int) -> None:
    with pytest.raises(LocalProtocolError, match="ATT_MTU"):
        await VirtualRadio().watch(att_mtu_bytes=mtu)


async def test_the_watch_has_no_room_before_the_phone_subscribes() -> None:
    radio = VirtualRadio()
    async with on_air(radio) as (phone, watch):
        stranger = Stranger(radio)
        await stranger.connect((await sighted(phone)).address)
        link = await watch.accept()
        recorder = Recorder()
        link.start(recorder)
        assert link.room == 0
        with pytest.raises(LocalProtocolError, match="no room"):
            link.send(b"x")
        handles = await stranger.handles()
        assert await stranger.client.read_value(handles["cccd"]) == b"\0\0"
        await stranger.client.write_value(handles["cccd"], b"\1\0", with_response=True)
        while not recorder.resumed:
            await recorder.news()
        assert recorder.resumed == 1
        assert link.room == ROOM_FRAGMENTS
        await stranger.client.write_value(handles["cccd"], b"\1\0", with_response=True)
        assert await stranger.client.read_value(handles["cccd"]) == b"\1\0"
        assert recorder.resumed == 1
        await stranger.client.write_value(handles["cccd"], b"\0\0", with_response=True)
        assert str(await recorder.lost()) == "the phone unsubscribed"
        await stranger.close()


async def test_what_comes_before_start_is_delivered_at_start() -> None:
    async with on_air(VirtualRadio()) as (phone, watch):
        link = await phone.connect((await sighted(phone)).address)
        accepted = await watch.accept()
        await asyncio.sleep(0.02)
        on_watch, on_phone = Recorder(), Recorder()
        accepted.start(on_watch)
        assert on_watch.resumed == 1
        accepted.send(b"INFO")
        accepted.send(b"more")
        await asyncio.sleep(0.02)
        link.start(on_phone)
        assert on_phone.fragments == [b"INFO", b"more"]
        with pytest.raises(LocalProtocolError, match="once"):
            link.start(on_phone)


async def test_more_than_a_window_before_start_ends_the_link() -> None:
    async with on_air(VirtualRadio()) as (phone, watch):
        link = await phone.connect((await sighted(phone)).address)
        accepted = await watch.accept()
        recorder = Recorder()
        link.start(recorder)
        for _ in range(MAX_WINDOW + 1):
            while not link.room:
                await recorder.news()
            link.send(b"x")
        assert "the peer disconnected" in str(await recorder.lost())
        late = Recorder()
        accepted.start(late)
        assert len(late.fragments) == MAX_WINDOW
        assert "more than the window" in str(await late.lost())


async def test_info_is_what_was_published_on_this_connection() -> None:
    radio = VirtualRadio()
    async with on_air(radio, watch_mtu=23) as (phone, watch):
        both = await joined(phone, watch)
        other = await radio.phone(att_mtu_bytes=23)
        second = await joined(other, watch)
        both.watch.publish_info(b"first connection's" * 3)
        second.watch.publish_info(b"second connection's" * 3)
        for link, info in ((both.phone, both.watch.info), (second.phone, second.watch.info)):
            [service] = link._connection.gatt_client.services
            [characteristic] = [c for c in service.characteristics if str(c.uuid).lower() == INFO_UUID]
            assert await characteristic.read_value() == info
        await other.close()


@pytest.mark.parametrize("closing", ["phone", "watch"])
async def test_either_side_closes_and_both_are_told_once(closing: str) -> None:
    async with on_air(VirtualRadio()) as (phone, watch):
        both = await joined(phone, watch)
        near, far = (both.phone, both.on_watch) if closing == "phone" else (both.watch, both.on_phone)
        fragments = numbered(ROOM_FRAGMENTS, 200)
        for fragment in fragments:
            near.send(fragment)
        await asyncio.gather(near.close(), near.close())
        assert await far.received(len(fragments)) == fragments
        losses = {str(await both.on_phone.lost()), str(await both.on_watch.lost())}
        assert losses == {"closed on this side", "the peer disconnected (HCI 0x13)"}
        assert isinstance(both.on_phone.losses[0], LinkLost)
        assert (both.phone.room, both.watch.room) == (0, 0)
        with pytest.raises(LocalProtocolError):
            near.send(b"late")
        await both.phone.close()
        await both.watch.close()


async def test_both_sides_close_at_once() -> None:
    async with on_air(VirtualRadio()) as (phone, watch):
        both = await joined(phone, watch)
        await asyncio.gather(both.phone.close(), both.watch.close())
        await both.on_phone.lost()
        await both.on_watch.lost()


async def test_a_dropped_link_is_lost_on_both_sides_and_comes_back() -> None:
    radio = VirtualRadio()
    async with on_air(radio) as (phone, watch):
        both = await joined(phone, watch)
        both.phone.send(b"x")
        radio.drop_link()
        for recorder in (both.on_phone, both.on_watch):
            assert "supervision time-out (HCI 0x08)" in str(await recorder.lost())
        await both.phone.close()
        again = await joined(phone, watch)
        again.phone.send(b"back")
        assert await again.on_watch.received(1) == [b"back"]


async def test_a_link_lost_before_start_is_told_at_start() -> None:
    radio = VirtualRadio()
    async with on_air(radio) as (phone, watch):
        link = await phone.connect((await sighted(phone)).address)
        await watch.accept()
        radio.drop_link()
        await asyncio.sleep(0.02)
        recorder = Recorder()
        link.start(recorder)
        assert len(recorder.losses) == 1


async def test_the_transports_close_under_a_fast_sender() -> None:
    async with on_air(VirtualRadio()) as (phone, watch):
        both = await joined(phone, watch)
        sender = asyncio.ensure_future(send_all(both.watch, both.on_watch, numbered(10_000, 244)))
        await both.on_phone.received(50)
        await watch.close()
        with pytest.raises((LocalProtocolError, TimeoutError, AssertionError)):
            await asyncio.wait_for(sender, 0.5)
        await both.on_watch.lost()
        assert "the peer disconnected" in str(await both.on_phone.lost())
        with pytest.raises(TransportError, match="closed"):
            await watch.advertise(b"")
        with pytest.raises(TransportError, match="closed"):
            await watch.accept()
        await phone.close()
        with pytest.raises(TransportError, match="closed"):
            await phone.connect("F0:00:00:00:00:01")
        with pytest.raises(TransportError, match="closed"):
            await sighted(phone)


async def test_a_close_that_the_controller_does_not_answer_ends_the_link_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("blechannel.transports.bumble.adapter.DISCONNECT_S", 0.05)
    monkeypatch.setattr("blechannel.transports.bumble.link.FLUSH_S", 0.05)
    async with on_air(VirtualRadio()) as (phone, watch):
        both = await joined(phone, watch)
        both.phone.send(b"x")
        monkeypatch.setattr(phone._adapter.host, "hci_sink", None)
        both.phone.send(b"never completed")
        await both.phone.close()
        assert str(await both.on_phone.lost()) == "closed on this side"


async def test_a_controller_that_fails_while_sending_ends_the_link() -> None:
    class Unplugged:
        def on_packet(self, packet: bytes) -> None:
            raise OSError(19, "No such device", packet[:0])

    async with on_air(VirtualRadio()) as (phone, watch):
        both = await joined(phone, watch)
        sink = phone._adapter.host.hci_sink
        phone._adapter.host.set_packet_sink(Unplugged())
        both.phone.send(b"x")
        assert "is it plugged in?" in str(await both.on_phone.lost())
        assert both.phone.room == 0
        assert both.phone.deliver(b"late") is not None
        phone._adapter.host.set_packet_sink(sink)


async def test_several_phones_at_once_up_to_the_limit() -> None:
    radio = VirtualRadio()
    async with on_air(radio) as (first, watch):
        phones = [first, *[await radio.phone() for _ in range(MAX_LINKS - 1)]]
        links: list[Joined] = []
        for phone in phones:
            links.append(await joined(phone, watch))
        for number, both in enumerate(links):
            both.phone.send(bytes([number]))
            both.watch.send(bytes([100 + number]))
        for number, both in enumerate(links):
            assert await both.on_watch.received(1) == [bytes([number])]
            assert await both.on_phone.received(1) == [bytes([100 + number])]
        one_more = await radio.phone()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(sighted(one_more), 0.2)
        await links[1].phone.close()
        extra = await joined(one_more, watch)
        extra.phone.send(b"fifth")
        assert await extra.on_watch.received(1) == [b"fifth"]
        assert all(not both.on_phone.losses for both in (links[0], links[2], links[3]))
        for phone in (*phones[1:], one_more):
            await phone.close()


async def test_one_phone_with_two_watches() -> None:
    radio = VirtualRadio()
    async with on_air(radio) as (phone, watch), on_air(radio) as (other_phone, other_watch):
        await other_watch.advertise(b"other")
        scan = phone.scan()
        found: dict[bytes, str] = {}
        async for sighting in scan:
            found[sighting.service_data] = sighting.address
            if {SERVICE_DATA, b"other"} <= found.keys():
                break
        await scan.aclose()
        one, two = await asyncio.gather(phone.connect(found[SERVICE_DATA]), phone.connect(found[b"other"]))
        here, there = Recorder(), Recorder()
        (await watch.accept()).start(here)
        (await other_watch.accept()).start(there)
        one.send(b"one")
        two.send(b"two")
        assert await here.received(1) == [b"one"]
        assert await there.received(1) == [b"two"]
        with pytest.raises(TransportError, match="already"):
            await phone.connect(found[SERVICE_DATA])
        assert other_phone is not phone


async def test_the_posture_tells_what_bumble_knows() -> None:
    async with on_air(VirtualRadio()) as (phone, watch):
        both = await joined(phone, watch)
        await asyncio.sleep(0.02)
        for link in (both.phone, both.watch):
            assert (link.posture.transport, link.posture.encrypted, link.posture.phy) == (
                "bumble",
                False,
                "1M",
            )
        connection = both.phone._connection
        connection.emit(connection.EVENT_CONNECTION_PHY_UPDATE, ConnectionPHY(2, 3))
        assert both.phone.posture.phy == "2M/coded"
        assert both.phone.peer == str(connection.peer_address)
        await connection.pair()
        assert both.phone.posture.encrypted


async def test_who_has_left_before_it_was_accepted_is_not_accepted() -> None:
    radio = VirtualRadio()
    async with on_air(radio) as (phone, watch):
        address = (await sighted(phone)).address
        for _ in range(2):
            await (await phone.connect(address)).close()
        async with asyncio.timeout(10):
            while watch._service.links:
                await asyncio.sleep(0.01)
        link = await phone.connect((await sighted(phone)).address)
        recorder = Recorder()
        (await watch.accept()).start(recorder)
        link.start(Recorder())
        link.send(b"here")
        assert await recorder.received(1) == [b"here"]
