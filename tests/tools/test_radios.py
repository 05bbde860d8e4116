"""What `--transport` says decides the radio."""

from __future__ import annotations

import socket

import pytest

from blechannel.errors import LocalProtocolError
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
