"""Echo: every message comes back. Shows that a channel works, and how long it takes there and back."""

from __future__ import annotations

from blechannel.aio.port import Port

PORT = "echo"


async def echo(port: Port) -> None:
    """Serve one port: send each message back, until the peer shuts it."""
    async for message in port:
        await port.send(message)
