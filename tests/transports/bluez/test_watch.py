"""A watch on BlueZ, over real D-Bus bytes: what every link and every watch's transport keeps to."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest
from dbus_fast import Message, MessageType, Variant

from blechannel.aio.link import Link, WatchTransport
from blechannel.aio.phone import Phone
from blechannel.aio.watch import Watch
from blechannel.errors import LocalProtocolError
from blechannel.gatt import INBOX_UUID, INFO_UUID, OUTBOX_UUID, SERVICE_UUID
from blechannel.limits import MAX_WINDOW
from blechannel.services import echo
from blechannel.stores.memory import MemoryStore
from tests.transports.bluez.daemon import CHARACTERISTIC, OBJECT_MANAGER, PROPERTIES, DaemonPhone
from tests.transports.bluez.live import Desk, DeskPhone
from tests.transports.receivers import Receiver, numbered

NOT_PERMITTED = "org.bluez.Error.NotPermitted"


async def write(phone: DaemonPhone, value: bytes, **more: Variant) -> Message:
    return await phone.ask(INBOX_UUID, "WriteValue", "aya{sv}", value, phone.options(**more))


async def read_info(phone: DaemonPhone, **more: Variant) -> Message:
    return await phone.ask(INFO_UUID, "ReadValue", "a{sv}", phone.options(**more))


async def test_it_is_a_transport_and_gives_links(desk: Desk) -> None:
    watch: WatchTransport = desk.watch
    phone, on_watch = await desk.joined()
    link: Link = on_watch.link
    assert (watch, link.peer) == (desk.watch, "00:00:00:00:00:01")
    assert (link.posture.transport, link.posture.encrypted, link.posture.phy) == ("bluez", None, None)
    assert phone.notified is not None


async def test_the_service_is_what_the_protocol_says(desk: Desk) -> None:
    declared = {
        (interface, properties["UUID"].value): [*properties.get("Flags", Variant("as", [])).value]
        for interfaces in desk.daemon.application.values()
        for interface, properties in interfaces.items()
    }
    assert declared == {
        ("org.bluez.GattService1", SERVICE_UUID): [],
        (CHARACTERISTIC, INBOX_UUID): ["write", "write-without-response"],
        (CHARACTERISTIC, OUTBOX_UUID): ["notify"],
        (CHARACTERISTIC, INFO_UUID): ["read"],
    }


async def test_fragments_cross_in_order_both_ways(desk: Desk) -> None:
    phone, on_watch = await desk.joined()
    assert on_watch.link.max_fragment_bytes == 512
    sending = asyncio.ensure_future(on_watch.send_all(numbered(100, 512)))
    for fragment in numbered(100, 512):
        assert (await write(phone, fragment)).message_type is MessageType.METHOD_RETURN
        assert await phone.notification() == fragment
    await sending
    assert on_watch.fragments == numbered(100, 512)
    assert on_watch.resumed > 1


async def test_a_burst_of_writes_without_response_arrives_whole_and_is_not_answered(desk: Desk) -> None:
    phone, on_watch = await desk.joined()
    for fragment in numbered(MAX_WINDOW, 510):
        phone.command(INBOX_UUID, fragment)
    assert await on_watch.receive(MAX_WINDOW) == numbered(MAX_WINDOW, 510)
    stranger = desk.daemon.phone(2)
    stranger.command(INBOX_UUID, b"x")
    await desk.daemon.until(lambda: desk.daemon.disconnected == [stranger.path])


async def test_pairing_and_reconnecting_through_bluez(desk: Desk) -> None:
    async with (
        Watch(MemoryStore(), desk.watch) as watch,
        Phone(MemoryStore(), DeskPhone(desk.daemon)) as phone,
    ):
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


@pytest.mark.parametrize(("mtu", "fragment_bytes"), [(23, 20), (100, 97), (517, 512), (0, 20)])
async def test_the_mtu_is_what_bluetoothd_says(desk: Desk, mtu: int, fragment_bytes: int) -> None:
    phone, on_watch = await desk.joined(mtu=mtu)
    assert on_watch.link.max_fragment_bytes == fragment_bytes
    on_watch.link.send(bytes(fragment_bytes))
    assert await phone.notification() == bytes(fragment_bytes)
    with pytest.raises(LocalProtocolError, match="at most"):
        on_watch.link.send(bytes(fragment_bytes + 1))


async def test_an_mtu_that_grows_is_taken_up_and_kept(desk: Desk) -> None:
    phone, on_watch = await desk.joined(mtu=23)
    for mtu, fragment_bytes in ((185, 182), (23, 182)):
        phone.mtu = mtu
        await write(phone, b"x")
        assert on_watch.link.max_fragment_bytes == fragment_bytes


async def test_info_is_what_was_published_on_this_connection(desk: Desk) -> None:
    phone, on_watch = await desk.joined()
    assert (await read_info(phone)).error_name == NOT_PERMITTED
    on_watch.link.publish_info(b"info of the first")
    assert (await read_info(phone)).body == [b"info of the first"]
    assert (await read_info(phone, offset=Variant("q", 8))).body == [b"the first"[0:9]]
    assert (await read_info(phone, offset=Variant("q", 17))).body == [b""]
    assert (await read_info(phone, offset=Variant("q", 18))).error_name == "org.bluez.Error.InvalidOffset"
    phone.disconnect()
    await on_watch.lost.wait()
    again, _ = await desk.joined(2)
    assert (await read_info(again)).error_name == NOT_PERMITTED


async def test_before_subscribing_nothing_is_taken(desk: Desk) -> None:
    phone = desk.daemon.phone(1)
    assert (await write(phone, b"early")).error_name == NOT_PERMITTED
    assert (await read_info(phone)).error_name == NOT_PERMITTED
    assert desk.daemon.disconnected == []


async def test_a_value_in_parts_is_refused(desk: Desk) -> None:
    phone, on_watch = await desk.joined()
    assert (await write(phone, b"x", offset=Variant("q", 1))).error_name == "org.bluez.Error.InvalidOffset"
    assert on_watch.fragments == []


async def test_what_comes_before_the_start_is_kept_up_to_the_window(desk: Desk) -> None:
    phone = desk.daemon.phone(1)
    await phone.subscribe(OUTBOX_UUID)
    link = await desk.watch.accept()
    for fragment in numbered(MAX_WINDOW + 1):
        await write(phone, fragment)
    await link.close()
    on_watch = Receiver(link)
    assert on_watch.fragments == numbered(MAX_WINDOW)
    assert str(on_watch.error) == "the peer sent more than the window before the link was used"
    with pytest.raises(LocalProtocolError, match="once"):
        link.start(on_watch)


async def test_a_value_that_is_too_long_ends_the_link(desk: Desk) -> None:
    phone, on_watch = await desk.joined()
    await write(phone, bytes(513))
    await write(phone, b"after")
    await on_watch.lost.wait()
    assert (on_watch.fragments, desk.daemon.disconnected) == ([], [phone.path])


async def test_closing_sends_what_is_queued_and_disconnects(desk: Desk) -> None:
    phone, on_watch = await desk.joined()
    for fragment in numbered(10):
        on_watch.link.send(fragment)
    assert phone.notified is not None
    values = phone.notified.dup()
    await on_watch.link.close()
    assert str(on_watch.error) == "closed on this side"
    assert [values.recv(600) for _ in range(10)] == numbered(10)
    values.close()
    assert desk.daemon.disconnected == [phone.path]
    await on_watch.link.close()
    assert on_watch.link.room == 0


async def test_a_phone_that_disconnects_is_told_once_and_not_disconnected_again(desk: Desk) -> None:
    phone, on_watch = await desk.joined()
    await write(phone, b"last")
    phone.disconnect()
    await on_watch.lost.wait()
    assert on_watch.fragments == [b"last"]
    assert "the phone" in str(on_watch.error)
    await asyncio.sleep(0.02)
    assert desk.daemon.disconnected == []


async def test_a_device_that_is_removed_is_gone(desk: Desk) -> None:
    phone, on_watch = await desk.joined()
    desk.daemon.signal(":1.1", "/", OBJECT_MANAGER, "InterfacesRemoved", "oas", phone.path, ["org.bluez.Device1"])
    await on_watch.lost.wait()
    assert str(on_watch.error) == "the phone disconnected, or is out of reach"


async def test_a_phone_that_only_unsubscribes_is_disconnected(desk: Desk) -> None:
    phone, on_watch = await desk.joined()
    phone.let_go()
    await on_watch.lost.wait()
    assert "unsubscribed" in str(on_watch.error)
    await desk.daemon.until(lambda: desk.daemon.disconnected == [phone.path])


async def test_one_phone_after_another(desk: Desk) -> None:
    for number in (1, 2, 1):
        phone, on_watch = await desk.joined(number)
        await write(phone, bytes([number]))
        await on_watch.receive(1)
        phone.disconnect()
        await on_watch.lost.wait()


async def test_a_second_phone_is_turned_away_and_the_first_does_not_notice(desk: Desk) -> None:
    phone, on_watch = await desk.joined()
    second = desk.daemon.phone(2)
    assert (await second.subscribe(OUTBOX_UUID)).error_name == "org.bluez.Error.Failed"
    assert (await write(second, b"in between")).error_name == NOT_PERMITTED
    assert (await read_info(second)).error_name == NOT_PERMITTED
    await desk.daemon.until(lambda: desk.daemon.disconnected == [second.path] * 3)
    second.disconnect()
    await write(phone, b"undisturbed")
    assert (await on_watch.receive(1), on_watch.error) == ([b"undisturbed"], None)


async def test_a_phone_that_comes_back_at_once_takes_the_place_of_its_lost_link(desk: Desk) -> None:
    """Whether or not bluetoothd has told that it was gone."""
    phone, first = await desk.joined()
    _, second = await desk.joined()
    phone.disconnect()
    _, third = await desk.joined(2)
    await asyncio.gather(first.lost.wait(), second.lost.wait())
    await asyncio.sleep(0.02)
    assert (third.error, desk.daemon.disconnected) == (None, [])


async def test_only_bluetoothd_may_call_or_tell(desk: Desk) -> None:
    phone, on_watch = await desk.joined()
    [path] = [path for path in desk.daemon.application if path.endswith("inbox")]
    options = phone.options()
    refused = await desk.daemon.call(path, CHARACTERISTIC, "WriteValue", "aya{sv}", b"x", options, sender=":1.66")
    assert refused.error_name == "org.freedesktop.DBus.Error.AccessDenied"
    desk.daemon.changed(phone.path, "org.bluez.Device1", sender=":1.66", Connected=Variant("b", False))
    desk.daemon.signal(":1.66", "/", "org.freedesktop.DBus", "NameOwnerChanged", "sss", "org.bluez", ":1.1", "")
    await write(phone, b"still there")
    assert (on_watch.fragments, on_watch.link.room > 0) == ([b"still there"], True)
    await desk.watch.advertise(b"")


@pytest.mark.parametrize(
    ("path", "interface", "member", "signature", "body"),
    [
        ("/nowhere", PROPERTIES, "GetAll", "s", [CHARACTERISTIC]),
        ("/org/blechannel/watch/service/inbox", PROPERTIES, "GetAll", "s", ["no.such.interface"]),
        ("/org/blechannel/watch/service/inbox", PROPERTIES, "Get", "ss", [CHARACTERISTIC, "Value"]),
        ("/org/blechannel/watch/service/inbox", CHARACTERISTIC, "WriteValue", "s", ["text"]),
        ("/org/blechannel/watch/service/inbox", CHARACTERISTIC, "AcquireWrite", "a{sv}", [{}]),
        ("/org/blechannel/watch/service/outbox", CHARACTERISTIC, "StartNotify", "", []),
        ("/org/blechannel/watch/service/outbox", CHARACTERISTIC, "AcquireNotify", "a{sv}", [{}]),
        ("/org/blechannel/watch", CHARACTERISTIC, "ReadValue", "a{sv}", [{}]),
    ],
)
async def test_what_is_not_offered_is_refused(
    desk: Desk, path: str, interface: str, member: str, signature: str, body: list[object]
) -> None:
    reply = await desk.daemon.call(path, interface, member, signature, *body)
    assert reply.message_type is MessageType.ERROR
    phone, on_watch = await desk.joined()
    await write(phone, b"x")
    assert on_watch.fragments == [b"x"]


def test_without_the_extra_the_import_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['dbus_fast'] = None\n"
        "from blechannel.errors import MissingExtra\n"
        "try:\n"
        "    import blechannel.transports.bluez\n"
        "except MissingExtra as error:\n"
        "    print(error.extra, error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("bluez blechannel.transports.bluez needs an optional dependency")
