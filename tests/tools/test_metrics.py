"""Metrics as Prometheus reads them: the figures of now, on a bounded little server."""

from __future__ import annotations

import argparse
import asyncio
import builtins
import sys
from contextlib import suppress

import pytest
from prometheus_client.parser import text_string_to_metric_families

from blechannel.aio.household import Household
from blechannel.errors import LocalProtocolError, MissingExtra, PairingRefused
from blechannel.services import echo
from blechannel.transports.tcp.endpoint import TcpEndpoint
from blechannel_tools import metrics
from blechannel_tools.metrics import address, metrics_served, registry_of
from tests.aio.rooms import room, typing, wrong

ANY = TcpEndpoint("127.0.0.1", 0)


async def asked(endpoint: TcpEndpoint, request: bytes) -> tuple[bytes, str]:
    """The status line and the body."""
    reader, writer = await asyncio.open_connection(endpoint.host, endpoint.port)
    writer.write(request)
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    await writer.wait_closed()
    head, _, body = answer.partition(b"\r\n\r\n")
    return head.split(b"\r\n")[0], body.decode()


async def scraped(endpoint: TcpEndpoint) -> dict[str, float]:
    status, body = await asked(endpoint, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
    assert status == b"HTTP/1.1 200 OK"
    return {
        " ".join((sample.name, *sample.labels.values())): sample.value
        for family in text_string_to_metric_families(body)
        for sample in family.samples
    }


async def test_they_are_those_of_the_moment() -> None:
    async with room() as r, metrics_served(r.watch, ANY) as endpoint:
        assert (await scraped(endpoint))["blechannel_handshakes_begun_total"] == 0
        r.watch.serve(echo.PORT, echo.echo)
        window = r.watch.open_pairing()
        with pytest.raises(PairingRefused):
            await r.phone.pair(await r.phone.find(), typing(lambda: wrong(window.code)))
        channel = await r.pair()
        async with channel.port(echo.PORT) as port:
            await port.send(b"a")
            await port.receive()
        now = await scraped(endpoint)
        failed = [value for name, value in now.items() if name.startswith("blechannel_handshakes_failed_total ")]
        assert failed == [1]
        assert now["blechannel_sessions_total pairing"] == now["blechannel_sessions_open"] == 1
        assert now["blechannel_sessions_total reconnect"] == 0
        assert now["blechannel_bonds"] == now["blechannel_links"] == 1
        assert now["blechannel_records_total received"] >= 2
        assert now["blechannel_bytes_total sent"] > 0
        await channel.close()
        assert (await scraped(endpoint))["blechannel_sessions_ended_total closed"] == 1


@pytest.mark.parametrize("request_line", [b"GET /secrets HTTP/1.1", b"POST /metrics HTTP/1.1", b"?", b""])
async def test_anything_else_is_not_found(request_line: bytes) -> None:
    async with room() as r, metrics_served(r.watch, ANY) as endpoint:
        status, body = await asked(endpoint, request_line + b"\r\n\r\n")
        assert status == b"HTTP/1.1 404 Not Found"
        assert body == "see /metrics\n"
        assert await asked(endpoint, b"HEAD /metrics HTTP/1.1\r\n\r\n") == (b"HTTP/1.1 200 OK", "")


async def test_a_reader_that_says_too_much_or_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "READER_S", 0.1)
    async with room() as r, metrics_served(r.watch, ANY) as endpoint:
        for request in (b"x" * (2 * metrics.REQUEST_BYTES), b"GET /metrics"):
            with suppress(ConnectionError):  # hung up on before it was read to its end
                assert (await asked(endpoint, request))[0] == b""
        assert await scraped(endpoint)


async def test_a_port_that_is_taken_is_an_error_that_says_so() -> None:
    async with room() as r, metrics_served(r.watch, ANY) as endpoint:
        with pytest.raises(LocalProtocolError, match="choose another port"):
            await metrics_served(r.phone, endpoint).__aenter__()


def test_without_the_extra_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "prometheus_client"]:
        monkeypatch.delitem(sys.modules, name)
    real = builtins.__import__

    def refuse(name: str, *rest: object) -> object:
        if name.startswith("prometheus_client"):
            raise ImportError(name)
        return real(name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(MissingExtra, match=r"blechannel\[metrics\]"):
        registry_of(Household.__new__(Household))


def test_a_port_alone_is_on_this_machine() -> None:
    assert address("9464") == address(":9464") == TcpEndpoint("127.0.0.1", 9464)
    assert address("0.0.0.0:9464") == TcpEndpoint("0.0.0.0", 9464)
    for wrong_address in ("unix:/tmp/x", "here", "127.0.0.1:99999", ""):
        with pytest.raises(argparse.ArgumentTypeError, match=r"no address|no HOST:PORT"):
            address(wrong_address)
