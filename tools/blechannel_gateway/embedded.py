"""A broker inside this process, of what pip alone brings: for a first try, a demo, a test.

It speaks MQTT 3.1.1 only: no session expiry, no user properties, no reasons with a refusal, no shared subscriptions.
It keeps nothing on a disk. Nothing here needs those to deliver each message once.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from blechannel.errors import MissingExtra
from blechannel_gateway.broker import Broker

LOOPBACK = "127.0.0.1"


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
        logging.getLogger(name).setLevel(logging.ERROR)
    chosen = port or _free_port()
    broker = Amqtt(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"{LOOPBACK}:{chosen}"}},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        }
    )
    await broker.start()
    try:
        yield Broker(url=f"mqtt://{LOOPBACK}:{chosen}", protocol="3.1.1")
    finally:
        await broker.shutdown()


def _free_port() -> int:
    with socket.create_server((LOOPBACK, 0)) as server:
        port: int = server.getsockname()[1]
        return port
