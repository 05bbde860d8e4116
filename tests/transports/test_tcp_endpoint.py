"""Addresses of simulated watches, and what never leaves the machine."""

from __future__ import annotations

import pytest

from blechannel.errors import LocalProtocolError
from blechannel.transports.tcp import TcpPhoneTransport, TcpWatchTransport
from blechannel.transports.tcp.endpoint import TcpEndpoint, UnixEndpoint, parse_endpoint


@pytest.mark.parametrize(
    ("address", "endpoint", "written", "option"),
    [
        ("127.0.0.1:7001", TcpEndpoint("127.0.0.1", 7001), "127.0.0.1:7001", "tcp:127.0.0.1:7001"),
        ("tcp:127.0.0.1:7001", TcpEndpoint("127.0.0.1", 7001), "127.0.0.1:7001", "tcp:127.0.0.1:7001"),
        ("localhost:0", TcpEndpoint("localhost", 0), "localhost:0", "tcp:localhost:0"),
        ("[::1]:7001", TcpEndpoint("::1", 7001), "[::1]:7001", "tcp:[::1]:7001"),
        ("unix:/run/watch", UnixEndpoint("/run/watch"), "unix:/run/watch", "unix:/run/watch"),
    ],
)
def test_addresses(address: str, endpoint: TcpEndpoint | UnixEndpoint, written: str, option: str) -> None:
    assert parse_endpoint(address) == endpoint
    assert (str(endpoint), endpoint.option) == (written, option)
    assert endpoint.is_local


@pytest.mark.parametrize("address", ["", "unix:", "127.0.0.1", "127.0.0.1:", ":7", "::1:7", "a b:7", "a:65536"])
def test_no_addresses(address: str) -> None:
    with pytest.raises(LocalProtocolError, match="no address"):
        parse_endpoint(address, allow_remote=True)


@pytest.mark.parametrize("address", ["0.0.0.0:7", "192.0.2.1:7", "[::]:7", "[2001:db8::1]:7", "example.org:7"])
def test_remote_addresses_need_permission(address: str) -> None:
    for make in (lambda: TcpWatchTransport(address), lambda: TcpPhoneTransport([address])):
        with pytest.raises(LocalProtocolError, match="not on this machine"):
            make()
    assert str(parse_endpoint(address, allow_remote=True)) == address
    assert TcpWatchTransport(address, allow_remote=True).address == address


async def test_connect_refuses_remote_addresses_too() -> None:
    with pytest.raises(LocalProtocolError, match="not on this machine"):
        await TcpPhoneTransport([]).connect("192.0.2.1:7")
