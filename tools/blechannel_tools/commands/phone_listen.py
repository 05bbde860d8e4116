"""``blechannel phone listen``: print what a port of the watch says."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress

from blechannel.aio.port import Port
from blechannel_tools.exits import Exit
from blechannel_tools.options import (
    Commands,
    add_command,
    add_find,
    add_name,
    add_store,
    add_transport,
    positive,
    seconds,
)
from blechannel_tools.output import Event, Output
from blechannel_tools.reaching import connected
from gatt_profiles import battery

KNOWN: Mapping[str, Callable[[bytes], str]] = {
    battery.PORT: lambda message: f"{battery.decode_level(message)} %",
}
"""How messages of well-known ports are shown to people."""

EPILOG = """examples:
  blechannel phone listen battery --transport hci-socket:0
  blechannel phone listen battery --count 1 --json --transport unix:/tmp/ble

Ends after --count messages, after --seconds, when the watch shuts the port, or with Ctrl-C."""


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(commands, "listen", run, help="print each message of one of the watch's ports", epilog=EPILOG)
    parser.add_argument("port", help="the port's name, such as battery")
    parser.add_argument("--watch", metavar="BOND", help="name, id or address (default: the only bond)")
    parser.add_argument("--count", type=positive, help="end after so many messages")
    parser.add_argument("--seconds", type=seconds, help="end after so many seconds")
    add_find(parser)
    add_transport(parser)
    add_store(parser)
    add_name(parser, "phone")


def run(options: argparse.Namespace, output: Output) -> Exit:
    """Run it."""
    asyncio.run(_listen(options, output))
    return Exit.DONE


async def _listen(options: argparse.Namespace, output: Output) -> None:
    heard = 0
    async with connected(options, output) as channel:
        with suppress(TimeoutError), output.waiting("listening; Ctrl-C to leave"):
            async with asyncio.timeout(options.seconds), channel.port(options.port) as port:
                async for message in port:
                    heard += 1
                    tell_message(output, port, message)
                    if heard == options.count:
                        break
    output.say(Event.DONE, messages=heard)


def tell_message(output: Output, port: Port, message: bytes) -> None:
    """A message as text where it is any, and as hexadecimal digits."""
    try:
        text = message.decode()
    except UnicodeDecodeError:
        text = None
    show = KNOWN.get(port.name)
    shown = show(message) if show else (message.hex(" ") if text is None else text)
    output.say(Event.MESSAGE, shown, port=port.name, text=text, hex=message.hex())
