"""What a side has counted, as Prometheus reads it: `http://HOST:PORT/metrics`.

It is answered on the event loop, between other things: nothing is counted while it is read. A reader has a few seconds
and a few kilobytes, and there are a few readers at once.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final

from blechannel.aio.household import Household
from blechannel.errors import LocalProtocolError, MissingExtra
from blechannel.transports.tcp.endpoint import TcpEndpoint, parse_endpoint

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from prometheus_client.core import Metric

LOCAL: Final = "127.0.0.1"
READER_S: Final = 5.0
REQUEST_BYTES: Final = 8192
READERS: Final = 8


def address(text: str) -> TcpEndpoint:
    """Where to serve, for argparse: a port on this machine, or a host and a port."""
    port = text.removeprefix(":")
    try:
        endpoint = parse_endpoint(f"{LOCAL}:{port}" if port.isdigit() else text, allow_remote=True)
    except LocalProtocolError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    if not isinstance(endpoint, TcpEndpoint):
        raise argparse.ArgumentTypeError(f"{text} is no HOST:PORT")
    return endpoint


def add_metrics(parser: argparse.ArgumentParser) -> None:
    """Declare `--metrics`."""
    about = f"serve metrics for Prometheus at http://HOST:PORT/metrics; a PORT alone is on {LOCAL}, and 0 is any"
    parser.add_argument("--metrics", type=address, metavar="HOST:PORT", help=about)


@asynccontextmanager
async def metrics_served(side: Household, endpoint: TcpEndpoint) -> AsyncGenerator[TcpEndpoint, None]:
    """Serve them till the block is left; gives where.

    Raises:
        MissingExtra: without prometheus-client.
        LocalProtocolError: the address cannot be listened on.
    """
    registry = registry_of(side)
    readers = asyncio.Semaphore(READERS)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(OSError, TimeoutError, asyncio.LimitOverrunError, asyncio.IncompleteReadError):
                async with asyncio.timeout(READER_S), readers:
                    head = await reader.readuntil(b"\r\n\r\n")
                    writer.write(_response(head, registry))
                    await writer.drain()
        finally:
            writer.close()

    try:
        server = await asyncio.start_server(answer, endpoint.host, endpoint.port, limit=REQUEST_BYTES)
    except OSError as error:
        raise LocalProtocolError(f"metrics cannot be served at {endpoint} ({error}): choose another port") from error
    async with server:
        yield TcpEndpoint(endpoint.host, server.sockets[0].getsockname()[1])


def registry_of(side: Household) -> CollectorRegistry:
    """A registry that shows the figures of now whenever it is read; raises MissingExtra."""
    try:
        from prometheus_client import CollectorRegistry
    except ImportError as error:
        raise MissingExtra("metrics", "--metrics") from error
    registry = CollectorRegistry()
    registry.register(_Figures(side))
    return registry


class _Figures:
    """What prometheus-client asks for metrics."""

    def __init__(self, side: Household) -> None:
        self._side = side

    def collect(self) -> Iterable[Metric]:
        """See prometheus_client.registry.Collector."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        figures = self._side.figures
        counters, volume = figures.counters, figures.volume
        for name, told, count in (
            ("handshakes_begun", "Links on which a handshake began", counters.handshakes_begun),
            ("floods_refused", "Peers that sent more than their window", counters.floods_refused),
            ("links_refused", "Links beyond those that are served at once", counters.links_refused),
        ):
            yield CounterMetricFamily(f"blechannel_{name}", told, value=count)
        for name, told, label, counts in (
            ("sessions", "Sessions that stood", "by", {"pairing": counters.paired, "reconnect": counters.resumed}),
            ("handshakes_failed", "Handshakes that failed", "reason", counters.handshakes_failed),
            ("sessions_ended", "Sessions that ended", "reason", counters.sessions_ended),
            ("records", "Records", "way", {"sent": volume.records_sent, "received": volume.records_received}),
            ("bytes", "Bytes of fragments", "way", {"sent": volume.sent_bytes, "received": volume.received_bytes}),
        ):
            yield _labelled(CounterMetricFamily(f"blechannel_{name}", told, labels=[label]), counts)
        for name, told, value in (
            ("links", "Links that are served now", figures.links),
            ("sessions_open", "Sessions that stand now", figures.sessions),
            ("queued_bytes", "Bytes that wait for links or windows", figures.queued_bytes),
            ("events_waiting", "Events that nobody has taken", figures.events_waiting),
            ("bonds", "Bonds in the store", len(self._side.store.book.bonds)),
            ("pairing_locked_seconds", "Until a code may be tried again", self._side.locked_for_s),
        ):
            yield GaugeMetricFamily(f"blechannel_{name}", told, value=value)


def _labelled(family: Metric, counts: Mapping[str, int]) -> Metric:
    for label, count in counts.items():
        family.add_metric([label], count)  # type: ignore[attr-defined]
    return family


def _response(head: bytes, registry: CollectorRegistry) -> bytes:
    from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

    method, path, *_ = [*head.split(b"\r\n", 1)[0].split(b" "), b""]
    if method not in (b"GET", b"HEAD") or path.split(b"?")[0] not in (b"/", b"/metrics"):
        return _whole(b"404 Not Found", b"text/plain", b"see /metrics\n", method)
    return _whole(b"200 OK", CONTENT_TYPE_PLAIN_0_0_4.encode(), generate_latest(registry), method)


def _whole(status: bytes, content_type: bytes, body: bytes, method: bytes) -> bytes:
    head = b"\r\n".join(
        [
            b"HTTP/1.1 " + status,
            b"Content-Type: " + content_type,
            b"Content-Length: %d" % len(body),
            b"Connection: close",
            b"",
            b"",
        ]
    )
    return head + (b"" if method == b"HEAD" else body)
