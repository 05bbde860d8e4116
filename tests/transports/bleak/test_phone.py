"""Bleak's own objects against our watch: what every link and every phone's transport keeps to."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
from bumble.gatt import Characteristic, Service

from blechannel.aio.link import Link, PhoneTransport
from blechannel.aio.phone import Phone
from blechannel.aio.watch import Watch
from blechannel.errors import LocalProtocolError, TransportError
from blechannel.gatt import INBOX_UUID, OUTBOX_UUID, SERVICE_UUID
from blechannel.limits import MAX_WINDOW
from blechannel.services import echo
from blechannel.stores.memory import MemoryStore
from blechannel.transports.bleak import BleakPhoneTransport, Stack, central, sightings
from blechannel.transports.chores import Chores
from tests.transports.bleak.live import SERVICE_DATA, on_air
from tests.transports.bumble.test_air import advertising_stranger
from tests.transports.receivers import Receiver, numbered


async def test_it_is_a_transport_and_gives_links() -> None:
    async with on_air() as air:
        phone: PhoneTransport = air.phone
        on_phone, _ = await air.joined()
        link: Link = on_phone.link
        assert (phone, link.peer) == (air.phone, air.system.clients[0].address)
        assert (link.posture.transport, link.posture.encrypted, link.posture.phy) == ("bleak", None, None)


async def test_a_hundred_fragments_cross_in_order_both_ways_at_once() -> None:
    async with on_air() as air:
        on_phone, on_watch = await air.joined()
        fragments = numbered(100)
        async with asyncio.timeout(5):
            await asyncio.gather(on_phone.send_all(fragments), on_watch.send_all(fragments))
            assert await on_watch.receive(100) == fragments
            assert await on_phone.receive(100) == fragments
        assert on_phone.resumed > 1


async def test_pairing_and_reconnecting_through_bleak() -> None:
    async with on_air() as air, Watch(MemoryStore(), air.watch) as watch, Phone(MemoryStore(), air.phone) as phone:
        watch.serve(echo.PORT, echo.echo)
        window = watch.open_pairing()

        async def ask_code() -> str:
            return window.code

        async with asyncio.timeout(10):
            await (await phone.pair(await phone.find(), ask_code)).close()
            channel = await phone.connect(await phone.find())
            async with channel.port(echo.PORT) as port:
                await port.send(bytes(3000))
                assert await port.receive() == bytes(3000)
        assert channel.resumed


@pytest.mark.parametrize(("phone_mtu", "watch_mtu"), [(517, 517), (100, 517), (517, 23)])
async def test_the_smaller_mtu_counts_for_both(phone_mtu: int, watch_mtu: int) -> None:
    payload = min(phone_mtu - 3, watch_mtu - 3)
    async with on_air(phone_mtu=phone_mtu, watch_mtu=watch_mtu) as air:
        on_phone, on_watch = await air.joined()
        # BlueZ before 5.69, as a watch, throws away what is written over 510 bytes.
        for near, far, longest in ((on_phone, on_watch, min(payload, 510)), (on_watch, on_phone, min(payload, 512))):
            assert near.link.max_fragment_bytes == longest
            near.link.send(bytes(longest))
            assert await far.receive(1) == [bytes(longest)]
        with pytest.raises(LocalProtocolError, match="at most"):
            on_phone.link.send(bytes(payload + 1))


async def test_a_payload_that_the_system_learns_late_is_taken_up_and_kept() -> None:
    async with on_air() as air:
        air.system.faults.payload_bytes = 20
        on_phone, on_watch = await air.joined()
        assert on_phone.link.max_fragment_bytes == 20
        air.system.faults.payload_bytes = None
        on_phone.link.send(bytes(510))
        assert await on_watch.receive(1) == [bytes(510)]
        air.system.faults.payload_bytes = 20
        assert on_phone.link.max_fragment_bytes == 510


async def test_what_bleak_is_asked_for() -> None:
    async with on_air() as air:
        await air.joined()
        scanner, client, subscription = air.system.arguments
        assert scanner["bluez"] == client["bluez"] == {"adapter": "hci0"}
        assert subscription["bluez"] == {"use_start_notify": False}


@pytest.mark.parametrize("adapter", ["", "hci", "hci0/../x", "HCI0", "hci0\n", "hci1234"])
def test_what_is_no_adapter(adapter: str) -> None:
    with pytest.raises(LocalProtocolError, match="hci0"):
        Stack(adapter)


def test_an_adapter_where_none_can_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(LocalProtocolError, match="only Linux"):
        Stack("hci0")


async def test_scanning_goes_on_while_anybody_looks() -> None:
    async with on_air() as air:
        one, other = air.phone.scan(), air.phone.scan()
        for scan in (one, other):
            while not (sighting := await anext(scan)).service_data:
                pass
            assert sighting.service_data == SERVICE_DATA
            assert air.system.scans == 1
        await one.aclose()
        await anext(other)
        await other.aclose()
        assert air.system.scans == 0


async def looked_without_end(phone: BleakPhoneTransport) -> None:
    async for _sighting in phone.scan():
        pass


async def test_the_end_of_the_transport_ends_what_waits() -> None:
    async with on_air() as air:
        on_phone, _ = await air.joined()
        waiting = asyncio.ensure_future(looked_without_end(air.phone))
        connecting = asyncio.ensure_future(air.phone.connect("F0:00:00:00:00:01"))
        await asyncio.sleep(0.02)
        await air.phone.close()
        for ended in (waiting, connecting, air.phone.connect("x"), looked_without_end(air.phone)):
            with pytest.raises(TransportError, match="closed"):
                await ended
        assert on_phone.error is not None
        await air.phone.close()


def heard(service_data: bytes, rssi: int = -60) -> AdvertisementData:
    return AdvertisementData(None, {}, {SERVICE_UUID: service_data}, [SERVICE_UUID], None, rssi, ())


async def test_sightings_join_their_scan_response_and_are_bounded() -> None:
    async with on_air() as air:
        looked = sightings.Sightings(air.system.stack, Chores())
        looked._advertised(BLEDevice("unheard", None, {}), heard(b"x"))
        assert looked.device("unheard") is None
        async with looked.watched() as queue:
            for number in range(sightings.MAX_ADDRESSES + 1):
                looked._advertised(BLEDevice(f"Device{number}", None, {}), heard(bytes([number % 250])))
            assert queue.qsize() == sightings.MAX_WAITING
            assert looked.device("device0") is None
            assert looked.device("device1") is not None
            looked._advertised(BLEDevice("Device1", None, {}), heard(b"", -127))
            looked._advertised(BLEDevice("Device1", None, {}), heard(bytes(14)))
            [*_, unknown_rssi, too_long] = [queue.get_nowait() for _ in range(queue.qsize())]
            assert unknown_rssi is not None
            assert (unknown_rssi.service_data, unknown_rssi.rssi_dbm) == (b"\1", None)
            assert too_long is not None
            assert (too_long.service_data, too_long.rssi_dbm) == (b"\1", -60)


async def test_an_address_that_was_not_seen_is_looked_for() -> None:
    async with on_air() as air:
        address = (await air.sighted()).address
        another = BleakPhoneTransport(air.system.stack)
        link = await another.connect(address.lower())
        on_watch = Receiver(await air.watch.accept())
        link.send(b"found")
        assert await on_watch.receive(1) == [b"found"]
        await another.close()


async def test_an_address_where_nobody_advertises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(central, "LOOK_S", 0.1)
    async with on_air() as air:
        with pytest.raises(TransportError, match="is it on, in reach, and not connected to another program"):
            await air.phone.connect("F0:00:00:00:00:01")
        assert air.system.connects == 0


async def test_one_link_to_a_watch_at_a_time() -> None:
    async with on_air() as air:
        on_phone, _ = await air.joined()
        with pytest.raises(TransportError, match="already"):
            await air.phone.connect(on_phone.link.peer)
        assert (air.system.connects, on_phone.error) == (1, None)


@pytest.mark.parametrize("characteristics", [None, [], [INBOX_UUID], [INBOX_UUID, OUTBOX_UUID]])
async def test_a_peer_without_the_service_is_left_again(characteristics: list[str] | None) -> None:
    async with on_air() as air:
        await air.watch.close()
        properties = Characteristic.Properties.WRITE_WITHOUT_RESPONSE
        permissions = Characteristic.Permissions.WRITEABLE
        made = [Characteristic(uuid, properties, permissions, b"") for uuid in characteristics or []]
        stranger = await advertising_stranger(
            air.radio, [] if characteristics is None else [Service(SERVICE_UUID, made)]
        )
        with pytest.raises(TransportError, match="does not have the service"):
            await air.phone.connect((await air.sighted()).address)
        assert (air.system.connections, air.system.connects) == (0, 1)
        await stranger.close()


async def test_notifications_before_the_start_are_kept_up_to_the_window() -> None:
    async with on_air() as air:
        link = await air.phone.connect((await air.sighted()).address)
        on_watch = Receiver(await air.watch.accept())
        await on_watch.send_all(numbered(MAX_WINDOW))
        await asyncio.sleep(0.05)
        on_phone = Receiver(link)
        assert on_phone.fragments == numbered(MAX_WINDOW)
        with pytest.raises(LocalProtocolError, match="once"):
            link.start(on_phone)


async def test_more_than_a_window_before_the_start_ends_the_link() -> None:
    async with on_air() as air:
        link = await air.phone.connect((await air.sighted()).address)
        on_watch = Receiver(await air.watch.accept())
        await on_watch.send_all(numbered(MAX_WINDOW + 1))
        await on_watch.lost.wait()
        await link.close()
        on_phone = Receiver(link)
        assert (len(on_phone.fragments), str(on_phone.error)) == (
            MAX_WINDOW,
            "the peer sent more than the window before the link was used",
        )


@pytest.mark.parametrize("closing", ["phone", "watch"])
async def test_either_side_closes_and_what_was_queued_arrives_first(closing: str) -> None:
    async with on_air() as air:
        sides = await air.joined()
        closer, other = sides if closing == "phone" else sides[::-1]
        for fragment in numbered(10):
            closer.link.send(fragment)
        async with asyncio.timeout(5):
            await closer.link.close()
            await other.lost.wait()
        assert other.fragments == numbered(10)
        assert str(closer.error) == "closed on this side"
        assert "the watch disconnected" in str(other.error) or "the peer disconnected" in str(other.error)
        await closer.link.close()
        assert closer.link.room == 0
        with pytest.raises(LocalProtocolError):
            closer.link.send(b"")


async def test_a_dropped_link_is_lost_on_both_sides_and_comes_back() -> None:
    async with on_air() as air:
        on_phone, on_watch = await air.joined()
        air.radio.drop_link()
        await asyncio.gather(on_phone.lost.wait(), on_watch.lost.wait())
        again, _ = await air.joined()
        assert again.error is None
        assert [client.releases for client in air.system.clients] == [1, 0]


async def test_the_system_s_connection_is_freed_after_each_of_many_losses() -> None:
    async with on_air() as air:
        for _ in range(5):
            on_phone, _ = await air.joined()
            air.radio.drop_link()
            await on_phone.lost.wait()
        await air.phone.close()
        assert [client.releases for client in air.system.clients] == [1] * 5


def test_without_the_extra_the_import_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['bleak'] = None\n"
        "from blechannel.errors import MissingExtra\n"
        "try:\n"
        "    import blechannel.transports.bleak\n"
        "except MissingExtra as error:\n"
        "    print(error.extra, error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("bleak blechannel.transports.bleak needs an optional dependency")


def test_a_broken_dependency_of_bleak_is_not_called_missing() -> None:
    program = (
        "import sys; sys.modules['dbus_fast'] = sys.modules['random'] = None\nimport blechannel.transports.bleak\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "ModuleNotFoundError" in done.stderr.splitlines()[-1]
