"""Controllers in a process of their own, as dongles are: some behind serial lines, the others behind TCP ports.

Prints one line of JSON, a list of transports as a person types them, and serves until its standard input ends.
"""

from __future__ import annotations

import asyncio
import json
import os
import pty
import sys
import tty
from collections.abc import Callable
from contextlib import suppress

from bumble.transport.common import PacketParser

from blechannel.transports.bumble.virtual import VirtualAir, VirtualController

_READ_BYTES = 4096
_TCP, _SERIAL = 1, 2
"""How many of each."""


class Wire:
    """What a controller says goes out here."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write

    def on_packet(self, packet: bytes) -> None:
        self._write(packet)


def plug_in(air: VirtualAir) -> str:
    """A dongle on a serial line."""
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    controller = VirtualController(air)
    parser = PacketParser(controller)
    controller.set_packet_sink(Wire(lambda packet: os.write(ours, packet)))
    asyncio.get_running_loop().add_reader(ours, lambda: parser.feed_data(os.read(ours, _READ_BYTES)))
    return f"serial:{os.ttyname(theirs)},1000000"


async def listen(air: VirtualAir) -> str:
    """A controller for each connection, gone with it."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        controller = VirtualController(air)
        parser = PacketParser(controller)
        controller.set_packet_sink(Wire(writer.write))
        with suppress(ConnectionError):  # a host that was killed
            while data := await reader.read(_READ_BYTES):
                parser.feed_data(data)
        controller.set_packet_sink(None)
        controller.switch_off()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    return f"tcp-client:{host}:{port}"


async def main() -> None:
    """All of them on one air."""
    air = VirtualAir()
    dongles = [plug_in(air) for _ in range(_SERIAL)] + [await listen(air) for _ in range(_TCP)]
    print(json.dumps(dongles), flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
