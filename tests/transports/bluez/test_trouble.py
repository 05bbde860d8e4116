"""Advertising through BlueZ, and everything that can be missing, refuse or end."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest
from dbus_fast import AuthError, DBusError, Variant

from blechannel.errors import LocalProtocolError, TransportError
from blechannel.gatt import SERVICE_UUID
from blechannel.transports.bluez import BluezWatchTransport, bus, kernel, peripheral
from blechannel.transports.bluez.advertising import takes_scan_response, version_in
from blechannel.transports.bluez.failures import explained
from tests.transports.bluez.daemon import ADAPTER, Daemon, adapter, daemon
from tests.transports.bluez.live import SERVICE_DATA, Desk

FAILED = "org.bluez.Error.Failed"


def in_scan_response(made: Daemon) -> bytes | None:
    """The data that is advertised beside the service's UUID."""
    if made.advertisement is None:
        return None
    assert made.advertisement["Type"].value == "peripheral"
    assert made.advertisement["ServiceUUIDs"].value == [SERVICE_UUID]
    assert made.advertisement["Discoverable"].value is True
    return bytes(made.advertisement["ScanResponseServiceData"].value[SERVICE_UUID].value)


# --- advertising


async def test_a_second_advertisement_replaces_the_first(desk: Desk) -> None:
    for service_data in (SERVICE_DATA, b"", b"another"):
        await desk.watch.advertise(service_data)
        assert in_scan_response(desk.daemon) == service_data
    with pytest.raises(LocalProtocolError, match="at most 13"):
        await desk.watch.advertise(bytes(14))
    assert in_scan_response(desk.daemon) == b"another"


async def test_while_a_phone_is_there_nothing_is_advertised(desk: Desk) -> None:
    await desk.watch.advertise(b"before")
    phone, on_watch = await desk.joined()
    await desk.daemon.until(lambda: desk.daemon.advertisement is None)
    await desk.watch.advertise(b"after")
    assert desk.daemon.advertisement is None
    phone.disconnect()
    await on_watch.lost.wait()
    await desk.daemon.until(lambda: in_scan_response(desk.daemon) == b"after")


async def test_advertising_comes_back_after_bluetoothd_refused(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(peripheral, "RETRY_S", 0.02)
    await desk.watch.advertise(SERVICE_DATA)
    phone, _ = await desk.joined()
    await desk.daemon.until(lambda: desk.daemon.advertisement is None)
    desk.daemon.refusals["RegisterAdvertisement"] = FAILED
    phone.disconnect()
    await desk.daemon.until(lambda: desk.daemon.advertisement)
    assert "RegisterAdvertisement" in caplog.text


async def test_an_advertisement_that_bluetoothd_releases_is_asked_for_again(desk: Desk) -> None:
    await desk.watch.advertise(SERVICE_DATA)
    desk.daemon.advertisement = None
    await desk.daemon.call("/org/blechannel/advertisement", "org.bluez.LEAdvertisement1", "Release", "")
    await desk.daemon.until(lambda: in_scan_response(desk.daemon) == SERVICE_DATA)
    desk.daemon.advertisement = None  # and one that is gone without a word is no obstacle
    await desk.watch.advertise(SERVICE_DATA)


async def test_a_refusal_to_advertise_reaches_the_caller(desk: Desk) -> None:
    desk.daemon.refusals["RegisterAdvertisement"] = "org.bluez.Error.NotPermitted"
    with pytest.raises(TransportError, match="RegisterAdvertisement: another program holds"):
        await desk.watch.advertise(SERVICE_DATA)
    await desk.watch.advertise(SERVICE_DATA)


@pytest.mark.parametrize("extended", [True, False])
async def test_before_scan_responses_could_be_asked_for(
    tmp_path: Path, extended: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused() -> socket.socket:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(kernel, "open_control", refused)
    async with daemon(tmp_path) as (made, address):
        made.objects = {ADAPTER: adapter(version=(5, 66))}
        made.extended_advertising = extended
        watch = await BluezWatchTransport.open(bus_address=address)
        if extended:
            await watch.advertise(SERVICE_DATA)
            assert made.advertisement is not None
            assert made.advertisement["ServiceData"].value[SERVICE_UUID].value == SERVICE_DATA
        else:
            with pytest.raises(TransportError, match=r"with CAP_NET_ADMIN; .*RegisterAdvertisement.*; .*update BlueZ"):
                await watch.advertise(SERVICE_DATA)
        await watch.close()
        assert made.advertisement is None


@pytest.mark.parametrize(
    ("modalias", "version", "scan_response"),
    [
        ("usb:v1D6Bp0246d0542", (5, 66), False),
        ("usb:v1D6Bp0246d054F", (5, 79), False),
        ("usb:v1D6Bp0246d0550", (5, 80), True),
        ("usb:v1D6Bp0246d0600", (6, 0), True),
        ("bluetooth:v0001p0002d0550", None, False),
        ("", None, False),
    ],
)
def test_the_version_is_read_from_the_modalias(
    modalias: str, version: tuple[int, int] | None, scan_response: bool
) -> None:
    assert (version_in(modalias), takes_scan_response(modalias)) == (version, scan_response)


# --- adapters


@pytest.mark.parametrize(
    ("objects", "wanted", "words"),
    [
        ({}, None, "there is no Bluetooth adapter"),
        ({ADAPTER: adapter()}, "hci1", "there is no adapter hci1: there is hci0"),
        ({ADAPTER: adapter(powered=False)}, None, "hci0: Bluetooth is switched off"),
        ({ADAPTER: {"org.bluez.Adapter1": adapter()["org.bluez.Adapter1"]}}, None, "choose another adapter"),
        ({ADAPTER: {"org.bluez.Adapter1": adapter()["org.bluez.Adapter1"]}}, "hci0", "hci0 cannot do what a watch"),
    ],
)
async def test_an_adapter_that_will_not_do(
    tmp_path: Path, objects: dict[str, Any], wanted: str | None, words: str
) -> None:
    async with daemon(tmp_path) as (made, address):
        made.objects = objects
        with pytest.raises(TransportError, match=words):
            await BluezWatchTransport.open(wanted, bus_address=address)


async def test_the_adapter_that_was_named_is_used(tmp_path: Path) -> None:
    async with daemon(tmp_path) as (made, address):
        made.objects = {ADAPTER: adapter(powered=False), "/org/bluez/hci1": adapter()}
        watch = await BluezWatchTransport.open("hci1", bus_address=address)
        assert watch._adapter == "/org/bluez/hci1"
        await watch.close()
        with pytest.raises(LocalProtocolError, match="hci0, hci1"):
            await BluezWatchTransport.open("first", bus_address=address)


# --- what is missing, refuses or does not answer


async def test_no_bus(tmp_path: Path) -> None:
    with pytest.raises(TransportError, match="message bus") as caught:
        await BluezWatchTransport.open(bus_address=f"unix:path={tmp_path}/none")
    assert isinstance(caught.value.__cause__, FileNotFoundError)


@pytest.mark.parametrize(
    ("method", "error", "words"),
    [
        ("GetManagedObjects", "org.freedesktop.DBus.Error.ServiceUnknown", "systemctl start bluetooth"),
        ("AddMatch", "org.freedesktop.DBus.Error.AccessDenied", "permission denied"),
        ("RegisterApplication", "org.freedesktop.DBus.Error.AccessDenied", "permission denied"),
        ("RegisterApplication", FAILED, "as the test wants it"),
    ],
)
async def test_a_refusal_says_what_to_do(tmp_path: Path, method: str, error: str, words: str) -> None:
    async with daemon(tmp_path) as (made, address):
        made.refusals[method] = error
        with pytest.raises(TransportError, match=words):
            await BluezWatchTransport.open(bus_address=address)


async def test_a_bluetoothd_that_does_not_answer_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bus, "CALL_S", 0.05)
    async with daemon(tmp_path) as (made, address):
        made.deaf.add("RegisterApplication")
        with pytest.raises(TransportError, match=r"RegisterApplication: no answer within 0\.05 s"):
            await BluezWatchTransport.open(bus_address=address)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (DBusError("org.bluez.Error.NotReady", "x"), "switched off"),
        (DBusError("org.bluez.Error.InProgress", "x"), "busy"),
        (DBusError("org.example.Other", "its own words"), "its own words (org.example.Other)"),
        (ConnectionRefusedError(), "message bus"),
        (AuthError("refused"), "permission denied"),
        (EOFError(), "closed the connection"),
        (ValueError("anything"), "anything"),
        (AssertionError(), "AssertionError"),
    ],
)
def test_every_failure_has_words(error: Exception, words: str) -> None:
    assert words in str(explained(error, "trying"))


# --- ends


async def ended(desk: Desk, words: str) -> None:
    """Everything that waits, or comes later, is told the same."""
    for late in (desk.watch.accept(), desk.watch.advertise(b"")):
        with pytest.raises(TransportError, match=words):
            await late


@pytest.mark.parametrize("how", ["bluetoothd", "bus", "power", "adapter"])
async def test_what_ends_below_ends_everything_above(desk: Desk, how: str) -> None:
    await desk.watch.advertise(SERVICE_DATA)
    _, on_watch = await desk.joined()
    await desk.daemon.until(lambda: desk.daemon.advertisement is None)
    waiting = asyncio.ensure_future(desk.watch.accept())
    await asyncio.sleep(0)
    made = desk.daemon
    match how:
        case "bluetoothd":
            made.die()
            words = "bluetoothd has ended: start it again"
        case "bus":
            made.cut()
            words = "the message bus closed the connection"
        case "power":
            made.changed(ADAPTER, "org.bluez.Adapter1", Powered=Variant("b", False))
            words = "switch it on"
        case _:
            made.signal(
                ":1.1",
                "/",
                "org.freedesktop.DBus.ObjectManager",
                "InterfacesRemoved",
                "oas",
                ADAPTER,
                ["org.bluez.Adapter1"],
            )
            words = "is it still plugged in"
    async with asyncio.timeout(5):
        await on_watch.lost.wait()
        with pytest.raises(TransportError, match=words):
            await waiting
    await ended(desk, words)
    assert made.disconnected == []
    await desk.watch.close()
    made.application, made.advertisement = {}, None


async def test_closing_takes_the_service_away_and_disconnects(desk: Desk) -> None:
    phone, on_watch = await desk.joined()
    accepting = asyncio.ensure_future(desk.watch.accept())
    await asyncio.sleep(0)
    await desk.watch.close()
    assert str(on_watch.error) == "closed on this side"
    assert (desk.daemon.disconnected, desk.daemon.application) == ([phone.path], {})
    with pytest.raises(TransportError, match="closed"):
        await accepting
    await ended(desk, "closed")
    await desk.watch.close()


async def test_closing_does_not_wait_for_a_bluetoothd_that_hangs(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(bus, "CALL_S", 0.02)
    await desk.watch.advertise(SERVICE_DATA)
    _, on_watch = await desk.joined()
    await desk.daemon.until(lambda: desk.daemon.advertisement is None)
    desk.daemon.deaf |= {"Disconnect", "UnregisterApplication"}
    async with asyncio.timeout(5):
        await desk.watch.close()
    assert str(on_watch.error) == "closed on this side"
    assert "Disconnect: no answer" in caplog.text
    desk.daemon.application = {}


async def test_notifying_a_phone_whose_socket_is_closed_ends_the_link(desk: Desk) -> None:
    phone, on_watch = await desk.joined()
    phone.let_go()
    on_watch.link.send(b"x")
    await on_watch.lost.wait()
    assert on_watch.error is not None
