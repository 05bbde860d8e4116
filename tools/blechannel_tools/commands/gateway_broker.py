"""``blechannel gateway broker``: a broker for a first try."""

from __future__ import annotations

import argparse
import asyncio
from contextlib import suppress

from blechannel_tools.exits import Exit
from blechannel_tools.mqtt_loop import run_with_mqtt
from blechannel_tools.options import Commands, add_command, seconds
from blechannel_tools.output import Event, Output

DEFAULT_PORT = 1883
MOST_PORT = 0xFFFF
EPILOG = """examples:
  blechannel gateway broker
  blechannel gateway broker --port 1884 --seconds 60

It listens on this machine only, lets everybody in, speaks MQTT 3.1.1 and forgets all when it ends. For anything but a
first try take mosquitto, EMQX, HiveMQ or VerneMQ."""


def add(commands: Commands) -> None:
    """Declare the command."""
    about = "a broker on this machine for a first try (MQTT 3.1.1, keeps nothing)"
    parser = add_command(commands, "broker", run, help=about, epilog=EPILOG)
    parser.add_argument(
        "--port",
        type=_port,
        default=DEFAULT_PORT,
        help=f"of TCP; 0 lets the system choose (default: {DEFAULT_PORT})",
    )
    parser.add_argument("--seconds", type=seconds, help="end after so many seconds")


def run(options: argparse.Namespace, output: Output) -> Exit:
    """Run it."""
    run_with_mqtt(_serve(options, output))
    return Exit.DONE


def _port(text: str) -> int:
    """For argparse."""
    value = int(text)
    if not 0 <= value <= MOST_PORT:
        raise argparse.ArgumentTypeError(f"{text} is no port: 0 to {MOST_PORT}")
    return value


async def _serve(options: argparse.Namespace, output: Output) -> None:
    from blechannel_gateway.embedded import embedded_broker

    async with embedded_broker(options.port) as broker:
        said = f"a broker at {broker.url} (--protocol 3.1.1)"
        output.say(Event.BROKER, said, connected=True, error=None, url=broker.url)
        with suppress(TimeoutError), output.waiting("serving; Ctrl-C to leave"):
            async with asyncio.timeout(options.seconds):
                await asyncio.Event().wait()
    output.say(Event.DONE)
