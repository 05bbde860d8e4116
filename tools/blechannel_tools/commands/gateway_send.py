"""``blechannel gateway send``: be the cloud, and send a message to a watch."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from blechannel.errors import PeerTimedOut
from blechannel_tools.broker_options import add_broker, broker_of
from blechannel_tools.exits import Exit
from blechannel_tools.mqtt_loop import run_with_mqtt
from blechannel_tools.options import Commands, add_command, seconds
from blechannel_tools.output import Event, Output

DEFAULT_S = 30.0
EPILOG = """examples:
  blechannel gateway send 0a1b…(32 digits) note "buy milk" --broker mqtt://127.0.0.1:1883 --protocol 3.1.1

WATCH is what `blechannel gateway listen` prints of a message, in whole with --json. The message is kept in --file and
sent again until the watch's gateway has stored it: if none does in --seconds, the next start with this file goes on."""


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(commands, "send", run, help="be the cloud: send a message to a watch", epilog=EPILOG)
    parser.add_argument("watch", metavar="WATCH", help="32 hexadecimal digits")
    parser.add_argument("port", help="the port's name, one that the gateway bridges down")
    parser.add_argument("message", help="text")
    add_broker(parser, identifier="blechannel-send")
    parser.add_argument("--file", type=Path, default=Path("cloud-out.db"), help="what is not stored yet")
    parser.add_argument(
        "--seconds", type=seconds, default=DEFAULT_S, help=f"how long to wait for the gateway (default: {DEFAULT_S:g})"
    )


def run(options: argparse.Namespace, output: Output) -> Exit:
    """Run it."""
    run_with_mqtt(_send(options, output))
    return Exit.DONE


async def _send(options: argparse.Namespace, output: Output) -> None:
    from blechannel_gateway.cloud import CloudOutbox
    from blechannel_gateway.topics import check_watch

    check_watch(options.watch)
    outbox = CloudOutbox(options.file, broker_of(options), site=options.site, identifier=options.identifier)
    async with outbox:
        message_id = await outbox.send(options.watch, options.port, options.message.encode())
        try:
            async with asyncio.timeout(options.seconds):
                await outbox.drained()
        except TimeoutError:
            kept = f"the message is kept in {options.file}: run this again, with any message, to go on"
            raise PeerTimedOut(f"no gateway stored it within {options.seconds:g} s; {kept}") from None
    facts = {"messages": 1, "size_bytes": len(options.message.encode()), "port": options.port}
    output.say(Event.SENT, f"stored for {options.watch[:8]}", **facts, message_id=str(message_id))
