"""Refusals of TLS in words, by a server of this process; tests/system tries the same on a real broker."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from blechannel_gateway.broker import Broker
from blechannel_gateway.errors import BrokerAway, BrokerRefused
from blechannel_gateway.tls_probe import TlsProbe
from tests.gateway.certificates import Authority, Leaf


@dataclass
class Secured:
    """A server that wants a certificate of `ours`."""

    ours: Authority
    others: Authority
    port: int

    async def says(self, leaf: Leaf | None, *, ca: Path | None = None, port: int = 0) -> str:
        """What the probe finds; nothing where nothing is refused."""
        broker = Broker(
            url=f"mqtts://127.0.0.1:{port or self.port}",
            ca=ca or self.ours.certificate,
            certificate=None if leaf is None else leaf.certificate,
            key=None if leaf is None else leaf.key,
            answer_s=5.0,
        )
        context = broker.tls()
        assert context is not None
        try:
            refusal = await (await TlsProbe.begin(broker, context)).refusal()
        except BrokerRefused as error:
            refusal = error
        return "" if refusal is None else str(refusal)


@asynccontextmanager
async def secured(folder: Path, *, name: str = "127.0.0.1", expired: bool = False) -> AsyncGenerator[Secured]:
    ours, others = Authority(folder, "ours"), Authority(folder, "others")
    its = ours.leaf("broker", server=name, expired=expired)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(its.certificate, its.key)
    context.load_verify_locations(ours.certificate)
    context.verify_mode = ssl.CERT_REQUIRED

    with socket.create_server(("127.0.0.1", 0)) as server:
        serving = threading.Thread(target=_serve, args=(server, context))
        serving.start()
        try:
            yield Secured(ours, others, server.getsockname()[1])
        finally:
            socket.create_connection(server.getsockname()).close()
            await asyncio.to_thread(serving.join)


def _serve(server: socket.socket, context: ssl.SSLContext) -> None:
    """Handshakes one after the other, and then a good-bye, until a connection says nothing.

    In a thread: asyncio's own server sends no alert when a handshake fails.
    """
    while True:
        connection, _ = server.accept()
        with connection:
            connection.settimeout(5)
            if not connection.recv(1, socket.MSG_PEEK):
                return
            with suppress(OSError):
                context.wrap_socket(connection, server_side=True).close()


async def test_what_a_broker_refuses(tmp_path: Path) -> None:
    async with secured(tmp_path) as site:
        assert await site.says(site.ours.leaf("gateway")) == ""
        assert "wants a certificate of this side: set broker.certificate" in await site.says(None)
        assert "issuer is not one that the broker believes" in await site.says(site.others.leaf("gateway"))
        assert "it has expired; renew it" in await site.says(site.ours.leaf("gateway", expired=True))


async def test_what_this_side_refuses(tmp_path: Path) -> None:
    async with secured(tmp_path) as site:
        assert "is not signed by" in await site.says(site.ours.leaf("gateway"), ca=site.others.certificate)
    async with secured(tmp_path, name="broker.example") as site:
        assert "is for another name than 127.0.0.1" in await site.says(site.ours.leaf("gateway"))
    async with secured(tmp_path, expired=True) as site:
        assert "its certificate has expired" in await site.says(site.ours.leaf("gateway"))


async def test_nobody_and_nothing_of_tls(tmp_path: Path) -> None:
    async with secured(tmp_path) as site:
        leaf = site.ours.leaf("gateway")
        with pytest.raises(BrokerAway, match="cannot be reached"):
            await site.says(leaf, port=1)

        async def talk(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"this is no TLS")
            writer.close()

        async with await asyncio.start_server(talk, "127.0.0.1", 0) as plain:
            said = await site.says(leaf, port=plain.sockets[0].getsockname()[1])
        assert "does not speak TLS on this port" in said
