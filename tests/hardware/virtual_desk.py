"""Two virtual controllers on one air, each behind a TCP port of this machine: a desk without hardware.

``python -m tests.hardware.virtual_desk`` prints both transports on a line, as `blechannel` takes them, and runs until
its standard input ends. A controller is there while somebody has its port; when a program lets go of it, even by
dying, its links end at the other side as when out of reach.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from typing import cast

from bumble.transport.common import StreamPacketSink, StreamPacketSource

from blechannel.transports.bumble.virtual import VirtualAir, VirtualController


class ControllerLine(StreamPacketSource):
    """One host's line to its controller."""

    def __init__(self, air: VirtualAir) -> None:
        super().__init__()
        self._air = air

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A host is there: so is its controller."""
        self._controller = VirtualController(self._air)
        self._controller.set_packet_sink(StreamPacketSink(cast(asyncio.WriteTransport, transport)))
        self.set_packet_sink(self._controller)

    def connection_lost(self, _error: Exception | None) -> None:
        """The host has gone: so does its controller, and what it was connected with notices."""
        self._controller.set_packet_sink(None)
        self._air.drop()
        self._controller.switch_off()


async def serve() -> None:
    """Until standard input ends."""
    # What a host that died has left in the air is no news here.
    logging.getLogger("bumble").setLevel(logging.CRITICAL)
    loop = asyncio.get_running_loop()
    air = VirtualAir()
    servers = [await loop.create_server(lambda: ControllerLine(air), "127.0.0.1", 0) for _ in range(2)]
    print(*(f"tcp-client:127.0.0.1:{server.sockets[0].getsockname()[1]}" for server in servers), flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve())
