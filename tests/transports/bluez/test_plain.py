"""Services in the plain on BlueZ, over real D-Bus bytes."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from dbus_fast import Message, MessageType, Variant

from blechannel.aio.attributes import PlainService
from blechannel.errors import AttributeRefused, LocalProtocolError
from blechannel.transports.bluez import BluezWatchTransport
from gatt_profiles import battery, current_time
from gatt_profiles.battery import LEVEL, BatteryLevel
from gatt_profiles.current_time import CURRENT_TIME, Adjusted, CurrentTime
from gatt_profiles.plain import plain_service
from gatt_profiles.server import Server
from tests.transports.bluez.daemon import CHARACTERISTIC, PROPERTIES, Daemon, DaemonPhone, daemon

NO_TIME = CurrentTime(0, 0, 0, 0, 0, 0, 0, 0, Adjusted(0))


@asynccontextmanager
async def serving(folder: Path, *plain: PlainService) -> AsyncIterator[tuple[Daemon, DaemonPhone]]:
    async with daemon(folder) as (made, address):
        watch = await BluezWatchTransport.open(bus_address=address, plain_services=plain)
        try:
            yield made, made.phone(1)
        finally:
            await watch.close()


def charged() -> Server:
    server = Server(battery.SERVICE)
    server.set(LEVEL, BatteryLevel(87))
    return server


def clock(written: list[CurrentTime]) -> Server:
    server = Server(current_time.SERVICE)
    server.set(CURRENT_TIME, NO_TIME)
    server.on_write(CURRENT_TIME, written.append)
    return server


async def read(phone: DaemonPhone, uuid: str, **more: Variant) -> Message:
    return await phone.ask(uuid, "ReadValue", "a{sv}", phone.options(**more))


async def write(phone: DaemonPhone, uuid: str, value: bytes, **more: Variant) -> Message:
    return await phone.ask(uuid, "WriteValue", "aya{sv}", value, phone.options(**more))


async def test_declared_read_and_notified(tmp_path: Path) -> None:
    server = charged()
    async with serving(tmp_path, plain_service(server)) as (made, phone):
        flags = {
            properties["UUID"].value: properties["Flags"].value
            for interfaces in made.application.values()
            for interface, properties in interfaces.items()
            if interface == CHARACTERISTIC
        }
        assert flags[LEVEL.uuid] == ["read", "notify"]
        assert (await read(phone, LEVEL.uuid)).body == [b"\x57"]
        assert (await read(phone, LEVEL.uuid, offset=Variant("q", 1))).body == [b""]
        assert (await read(phone, LEVEL.uuid, offset=Variant("q", 2))).error_name == "org.bluez.Error.InvalidOffset"
        for member in ("StartNotify", "StartNotify"):
            assert (await phone.ask(LEVEL.uuid, member, "")).message_type is MessageType.METHOD_RETURN
        server.set(LEVEL, BatteryLevel(86))
        await made.until(lambda: made.signals)
        [signal] = made.signals
        assert (signal.interface, signal.member) == (PROPERTIES, "PropertiesChanged")
        assert signal.body == [CHARACTERISTIC, {"Value": Variant("ay", b"\x56")}, []]
        for member in ("StopNotify", "StopNotify"):
            assert (await phone.ask(LEVEL.uuid, member, "")).message_type is MessageType.METHOD_RETURN
        assert server._subscribers[LEVEL.uuid] == []


async def test_what_is_closed_hears_no_more(tmp_path: Path) -> None:
    server = charged()
    async with serving(tmp_path, plain_service(server)) as (_, phone):
        await phone.ask(LEVEL.uuid, "StartNotify", "")
        assert len(server._subscribers[LEVEL.uuid]) == 1
    assert server._subscribers[LEVEL.uuid] == []


async def test_strangers_write_only_what_they_may(tmp_path: Path) -> None:
    written: list[CurrentTime] = []
    async with serving(tmp_path, plain_service(clock(written))) as (_, phone):
        reply = await write(phone, CURRENT_TIME.uuid, bytes(10))
        assert reply.error_name == "org.freedesktop.DBus.Error.UnknownMethod"
        assert written == []


async def test_everything_for_everybody(tmp_path: Path) -> None:
    written: list[CurrentTime] = []
    async with serving(tmp_path, plain_service(clock(written), everything=True)) as (_, phone):
        assert (await write(phone, CURRENT_TIME.uuid, bytes(10))).message_type is MessageType.METHOD_RETURN
        assert written == [NO_TIME]
        reply = await write(phone, CURRENT_TIME.uuid, bytes(3))
        assert (reply.error_name, reply.body) == ("org.bluez.Error.Failed", ["0x13"])
        reply = await write(phone, CURRENT_TIME.uuid, bytes(10), offset=Variant("q", 1))
        assert reply.error_name == "org.bluez.Error.InvalidOffset"
        assert written == [NO_TIME]


@pytest.mark.parametrize(
    ("failure", "error", "text"),
    [
        (AttributeRefused(0x02, "no"), "org.bluez.Error.NotPermitted", "0x02"),
        (AttributeRefused(0x80, "no"), "org.bluez.Error.Failed", "0x80"),
        (ZeroDivisionError("a fault"), "org.bluez.Error.Failed", "the application failed"),
    ],
)
async def test_what_the_application_refuses_or_fails_at(
    failure: Exception, error: str, text: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server = charged()

    def fail() -> BatteryLevel:
        raise failure

    server.on_read(LEVEL, fail)
    async with serving(tmp_path, plain_service(server)) as (_, phone):
        with caplog.at_level(logging.ERROR):
            reply = await read(phone, LEVEL.uuid)
        assert (reply.error_name, reply.body) == (error, [text])
        assert ("a plain service failed" in caplog.text) is isinstance(failure, ZeroDivisionError)


async def test_a_service_is_served_once() -> None:
    plain = plain_service(charged())
    with pytest.raises(LocalProtocolError, match="a service is served once"):
        await BluezWatchTransport.open(plain_services=[plain, plain])
