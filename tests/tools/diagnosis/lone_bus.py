"""A system bus of its own for one test: speaks D-Bus on a Unix socket, and answers what it is told to."""

from __future__ import annotations

import asyncio
import io
import shutil
import struct
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from dbus_fast import Message
from dbus_fast._private.unmarshaller import Unmarshaller

Answer = Callable[[Message], Message]

_LENGTHS = struct.Struct("<4xI4xI")
"""Of a message's body, and of the fields in its header (D-Bus specification, "Message Format")."""


class LoneBus:
    """Its address, and the calls that came."""

    def __init__(self, address: str, answer: Answer | None) -> None:
        self.address = address
        self.asked: list[Message] = []
        self.left = asyncio.Event()
        """Set when a client has hung up."""
        self._answer = answer

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client, to its end."""
        try:
            if self._answer is None:
                await reader.read()  # and never a word
            else:
                await self._talk(reader, writer, self._answer)
            self.left.set()
        except asyncio.IncompleteReadError:
            self.left.set()
        finally:
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: Answer) -> None:
        await reader.readuntil(b"\r\n")
        writer.write(b"OK 0123456789abcdef0123456789abcdef\r\n")
        await reader.readuntil(b"BEGIN\r\n")
        while True:
            message = await _message(reader)
            if message.member == "Hello":
                reply = Message.new_method_return(message, "s", [":1.1"])
            else:
                self.asked.append(message)
                reply = answer(message)
            writer.write(reply._marshall(False))


async def _message(reader: asyncio.StreamReader) -> Message:
    head = await reader.readexactly(16)
    body_bytes, field_bytes = _LENGTHS.unpack(head)
    rest = await reader.readexactly(-(-field_bytes // 8) * 8 + body_bytes)
    message = Unmarshaller(io.BufferedRWPair(io.BytesIO(head + rest), io.BytesIO())).unmarshall()
    assert message is not None
    return message


@asynccontextmanager
async def lone_bus(answer: Answer | None) -> AsyncIterator[LoneBus]:
    """Until it is left; without an answer it lets people in and says nothing."""
    folder = tempfile.mkdtemp(prefix="bc-")
    bus = LoneBus(f"unix:path={folder}/bus", answer)
    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(bus.serve(reader, writer))
        serving.add(task)
        await asyncio.wait({task})

    server = await asyncio.start_unix_server(serve, f"{folder}/bus")
    try:
        yield bus
    finally:
        server.close()
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)
        shutil.rmtree(folder)
