"""What `--transport` says decides the radio."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from blechannel.errors import LocalProtocolError, TransportError
from blechannel.transports.bleak import BleakPhoneTransport
from blechannel.transports.bumble import VirtualRadio
from blechannel.transports.tcp import TcpPhoneTransport, TcpWatchTransport
from blechannel_tools.radios import address_of, open_phone_radio, open_watch_radio


async def test_sockets() -> None:
    phone, watch = await open_phone_radio("unix:/tmp/ble"), await open_watch_radio("tcp:127.0.0.1:0")
    assert isinstance(phone, TcpPhoneTransport)
    assert isinstance(watch, TcpWatchTransport)
    await watch.advertise(b"")
    assert address_of(watch, "tcp:127.0.0.1:0") == f"tcp:{watch.address}"
    assert not watch.address.endswith(":0")
    await watch.close()
    await phone.close()


async def test_over_the_air_the_transport_stands_for_the_address() -> None:
    watch = await VirtualRadio().watch()
    assert address_of(watch, "usb:0") == "usb:0"
    await watch.close()


async def test_a_system_without_unix_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(socket, "AF_UNIX")
    with pytest.raises(LocalProtocolError, match=r"use tcp:"):
        await open_phone_radio("unix:/tmp/ble")
    with pytest.raises(LocalProtocolError, match=r"use tcp:"):
        await open_watch_radio("unix:/tmp/ble")


@pytest.mark.parametrize("spec", ["bleak", "bleak:hci1"])
async def test_a_phone_on_the_systems_own_bluetooth(spec: str, tmp_path: Path) -> None:
    phone = await open_phone_radio(spec)
    assert isinstance(phone, BleakPhoneTransport)
    await phone.close()
    with pytest.raises(LocalProtocolError, match="btmon"):
        await open_phone_radio(spec, snoop=tmp_path / "capture")
    with pytest.raises(LocalProtocolError, match="give the watch bluez"):
        await open_watch_radio(spec)
    with pytest.raises(LocalProtocolError, match="no Bluetooth adapter"):
        await open_phone_radio("bleak:one")


async def test_a_watch_on_bluez(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/none")
    with pytest.raises(TransportError, match="message bus"):
        await open_watch_radio("bluez")
    with pytest.raises(LocalProtocolError, match="no Bluetooth adapter"):
        await open_watch_radio("bluez:one")
    with pytest.raises(LocalProtocolError, match="btmon"):
        await open_watch_radio("bluez:hci0", snoop=tmp_path / "capture")
    with pytest.raises(LocalProtocolError, match="give the phone bleak"):
        await open_phone_radio("bluez")
