"""A broker inside this process, of what pip alone brings: for a first try, a demo, a test.

It speaks MQTT 3.1.1 only: no session expiry, no user properties, no reasons with a refusal, no shared subscriptions.
It keeps nothing on a disk. Nothing here needs those to deliver each message once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Final

from blechannel.errors import MissingExtra
from blechannel_gateway.broker import Broker

LOOPBACK: Final = "127.0.0.1"
LISTENER: Final = "default"
_SETTINGS: Final = {
    "listeners": {LISTENER: {"type": "external"}},
    "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
}

_log = logging.getLogger(__name__)


@asynccontextmanager
async def embedded_broker(port: int = 0) -> AsyncGenerator[Broker]:
    """A broker on this machine's loopback address, on a free port where none is named.

    Raises:
        MissingExtra: amqtt is not installed.
        OSError: the port is taken.
    """
    try:
        from amqtt.broker import Broker as Amqtt
    except ImportError as error:
        raise MissingExtra("broker", "the embedded broker") from error
    for name in ("amqtt", "transitions"):  # they tell of each step
        logging.getLogger(name).setLevel(logging.CRITICAL)
    connections = _Connections(Amqtt(_SETTINGS))
    await connections.amqtt.start()
    try:
        async with await asyncio.start_server(connections.serve, LOOPBACK, port) as server:
            chosen = server.sockets[0].getsockname()[1]
            yield Broker(url=f"mqtt://{LOOPBACK}:{chosen}", protocol="3.1.1")
    finally:
        await connections.amqtt.shutdown()
        await connections.end()


class _Connections:
    """The broker's own listener leaves connections open when it ends; these are closed, and waited for."""

    def __init__(self, amqtt: Any) -> None:
        self.amqtt = amqtt
        self._serving: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Called with each connection."""
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer), name="blechannel broker")
        self._serving[task] = writer
        task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[None]) -> None:
        del self._serving[task]
        if not task.cancelled() and task.exception() is not None:
            _log.debug("a connection failed", exc_info=task.exception())

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from amqtt.adapters import StreamReaderAdapter, StreamWriterAdapter

        try:
            await self.amqtt.external_connected(StreamReaderAdapter(reader), StreamWriterAdapter(writer), LISTENER)
        finally:
            writer.transport.abort()

    async def end(self) -> None:
        """Close all."""
        serving = dict(self._serving)
        for task, writer in serving.items():
            task.cancel()
            writer.transport.abort()
        await asyncio.gather(*serving, return_exceptions=True)
        await asyncio.sleep(0)  # what is aborted is closed in the loop's next turn
