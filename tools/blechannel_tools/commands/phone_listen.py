"""``blechannel phone listen``: print what a port of the watch says."""

from __future__ import annotations

import argparse
import asyncio
from contextlib import suppress
from typing import Any

from blechannel.aio.channel import Channel
from blechannel.aio.port import Port
from blechannel.codec import encode
from blechannel_tools.exits import Exit
from blechannel_tools.following import follow
from blechannel_tools.options import (
    Commands,
    add_command,
    add_end,
    add_find,
    add_name,
    add_store,
    add_transport,
    add_watch,
)
from blechannel_tools.output import Event, Output
from blechannel_tools.reaching import connected
from blechannel_tools.readings import SERVICES, words_of
from gatt_profiles.profile import Characteristic, Service

EPILOG = """examples:
  blechannel phone listen battery --transport hci-socket:0
  blechannel phone listen battery --count 1 --json --transport unix:/tmp/ble

Ends after --count messages, after --seconds, when the watch shuts the port, or with Ctrl-C."""


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(commands, "listen", run, help="print each message of one of the watch's ports", epilog=EPILOG)
    parser.add_argument("port", help="the port's name, such as battery")
    add_watch(parser)
    add_end(parser, of="messages")
    add_find(parser)
    add_transport(parser)
    add_store(parser)
    add_name(parser, "phone")


def run(options: argparse.Namespace, output: Output) -> Exit:
    """Run it."""
    asyncio.run(_listen(options, output))
    return Exit.DONE


async def _listen(options: argparse.Namespace, output: Output) -> None:
    heard = _Heard(output, options.count)
    async with connected(options, output) as channel:
        with suppress(TimeoutError, _Enough), output.waiting("listening; Ctrl-C to leave"):
            async with asyncio.timeout(options.seconds):
                if options.port in SERVICES:
                    await follow(channel, SERVICES[options.port], heard.value)
                else:
                    await _hear(channel, options.port, heard)
    output.say(Event.DONE, messages=heard.messages)


async def _hear(channel: Channel, name: str, heard: _Heard) -> None:
    async with channel.port(name) as port:
        async for message in port:
            heard.message(port, message)


class _Enough(Exception):
    """As many messages came as were asked for."""


class _Heard:
    """Tells of messages, and counts them; raises _Enough with the last one that is wanted."""

    def __init__(self, output: Output, count: int | None) -> None:
        self._output = output
        self._count = count
        self.messages = 0

    def value(self, service: Service, _characteristic: Characteristic[Any], value: object) -> None:
        """A value of a profile that is known here."""
        self._output.say(Event.MESSAGE, words_of(value), port=service.port, text=None, hex=encode(value).hex())
        self._counted()

    def message(self, port: Port, message: bytes) -> None:
        """Any other port's message."""
        tell_message(self._output, port, message)
        self._counted()

    def _counted(self) -> None:
        self.messages += 1
        if self.messages == self._count:
            raise _Enough


def tell_message(output: Output, port: Port, message: bytes) -> None:
    """A message as text where it is any, and as hexadecimal digits."""
    try:
        text = message.decode()
    except UnicodeDecodeError:
        text = None
    output.say(Event.MESSAGE, message.hex(" ") if text is None else text, port=port.name, text=text, hex=message.hex())
