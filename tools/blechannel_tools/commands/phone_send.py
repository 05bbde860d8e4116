"""``blechannel phone send``: messages to a port, or a file that arrives whole."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from blechannel.aio.channel import Channel
from blechannel.aio.port import Port
from blechannel.errors import BlechannelError, LocalProtocolError, PeerTimedOut
from blechannel.services.transfer import MAX_BYTES
from blechannel_tools.commands.phone_listen import tell_message
from blechannel_tools.exits import Exit
from blechannel_tools.options import Commands, add_command, add_find, add_name, add_store, add_transport, add_watch
from blechannel_tools.output import Event, Output
from blechannel_tools.reaching import connected
from blechannel_tools.resuming import send_file
from blechannel_tools.sides import open_phone

REPLY_S = 10.0

EPILOG = """examples:
  blechannel phone send echo hello "and more" --expect-reply --transport hci-socket:0
  date | blechannel phone send echo --file - --transport unix:/tmp/ble
  blechannel phone send --transfer photo.jpg --transport unix:/tmp/ble

Each TEXT is one message; so is a whole --file. With --transfer the file goes in pieces, and after a lost link it goes
on where the watch has it; its digest is checked at the end."""


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(commands, "send", run, help="send messages or a file to a bonded watch", epilog=EPILOG)
    parser.add_argument("port", nargs="?", help="the port's name, such as echo")
    parser.add_argument("text", nargs="*", help="one message each")
    parser.add_argument("--file", type=Path, help="send these bytes as one message; - is standard input")
    parser.add_argument("--transfer", type=Path, metavar="FILE", help="send a file of any size up to 16 MiB")
    parser.add_argument("--expect-reply", action="store_true", help="print the reply to each message")
    add_watch(parser)
    add_find(parser)
    add_transport(parser)
    add_store(parser)
    add_name(parser, "phone")


def run(options: argparse.Namespace, output: Output) -> Exit:
    """Run it."""
    if options.transfer is not None:
        asyncio.run(_transfer(options, _blob(options), output))
    else:
        asyncio.run(_send(options, _messages(options), output))
    return Exit.DONE


def _blob(options: argparse.Namespace) -> bytes:
    if options.port is not None or options.file is not None or options.expect_reply:
        raise LocalProtocolError("--transfer has a port of its own: it takes no PORT, TEXT, --file or --expect-reply")
    path: Path = options.transfer
    if path.stat().st_size > MAX_BYTES:
        raise LocalProtocolError(f"{path} is over {MAX_BYTES // 2**20} MiB: more than a transfer carries")
    return path.read_bytes()


def _messages(options: argparse.Namespace) -> list[bytes]:
    if options.port is None or bool(options.text) == (options.file is not None):
        raise LocalProtocolError("say PORT and TEXT, PORT and --file, or --transfer FILE")
    if options.file is None:
        return [text.encode("utf-8", "surrogateescape") for text in options.text]
    return [sys.stdin.buffer.read() if options.file == Path("-") else options.file.read_bytes()]


async def _send(options: argparse.Namespace, messages: list[bytes], output: Output) -> None:
    async with connected(options, output) as channel:
        async with channel.port(options.port) as port:
            for message in messages:
                await port.send(message)
                if options.expect_reply:
                    tell_message(output, port, await _reply(port))
        await close_when_read(channel)
    count = "one message" if len(messages) == 1 else f"{len(messages)} messages"
    output.say(Event.SENT, f"sent {count}", messages=len(messages), size_bytes=sum(map(len, messages)))


async def _reply(port: Port) -> bytes:
    try:
        async with asyncio.timeout(REPLY_S):
            return await port.receive()
    except TimeoutError:
        raise PeerTimedOut(f"no reply on port {port.name} within {REPLY_S:g} s: does the watch serve it?") from None


async def close_when_read(channel: Channel) -> None:
    """Close the channel.

    Raises:
        BlechannelError: not everything has arrived.
    """
    await channel.close()
    channel.check_cut_off()
    if channel.undelivered:
        raise BlechannelError("the watch closed the channel before it had read everything")


async def _transfer(options: argparse.Namespace, blob: bytes, output: Output) -> None:
    async with open_phone(options) as phone:
        sent = await send_file(phone, blob, options, output)
    output.say(
        Event.TRANSFERRED,
        f"the watch has all {len(blob):,} bytes, and their digest is right",
        size_bytes=len(blob),
        links_lost=sent.links_lost,
    )
