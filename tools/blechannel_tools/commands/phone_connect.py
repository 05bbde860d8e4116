"""``blechannel phone connect``: reconnect, and stay."""

from __future__ import annotations

import argparse
import asyncio
from dataclasses import asdict
from time import perf_counter

from blechannel.aio.channel import Channel
from blechannel.aio.link import LinkPosture
from blechannel.errors import AccessDenied
from blechannel.services import echo
from blechannel_tools.exits import Exit
from blechannel_tools.options import Commands, add_command, add_find, add_name, add_store, add_transport, seconds
from blechannel_tools.output import Event, Output
from blechannel_tools.reaching import connected
from blechannel_tools.selection import facts_of, label

ECHO_S = 3.0

EPILOG = """examples:
  blechannel phone connect --transport hci-socket:0
  blechannel phone connect "my watch" --seconds 10 --json --transport unix:/tmp/ble

Stays until Ctrl-C, until --seconds are over, or until the watch ends the channel."""


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(commands, "connect", run, help="reconnect to a bonded watch, and stay", epilog=EPILOG)
    parser.add_argument("watch", nargs="?", help="name or id of its bond, or its address (default: the only bond)")
    parser.add_argument("--seconds", type=seconds, help="how long to stay")
    add_find(parser)
    add_transport(parser)
    add_store(parser)
    add_name(parser, "phone")


def run(options: argparse.Namespace, output: Output) -> Exit:
    """Run it."""
    asyncio.run(_connect(options, output))
    return Exit.DONE


async def _connect(options: argparse.Namespace, output: Output) -> None:
    async with connected(options, output) as channel:
        name = label(channel.bond)
        output.say(
            Event.CONNECTED,
            f"connected to {name}: epoch {channel.bond.epoch.number}, {channel.bond.assurance}; "
            f"{_posture(channel.posture)}; fragments of {channel.max_fragment_bytes} bytes",
            bond=facts_of(channel.bond),
            address=channel.peer,
            posture=asdict(channel.posture),
            fragment_bytes=channel.max_fragment_bytes,
        )
        took_ms = await _round_trip_ms(channel)
        shown = (
            "the watch serves this phone no echo" if took_ms is None else f"a message there and back: {took_ms:.1f} ms"
        )
        output.say(Event.ROUND_TRIP, shown, milliseconds=took_ms)
        with output.waiting("connected; Ctrl-C to leave"):
            by_watch = await _ended_by_watch(channel, options.seconds)
    output.say(Event.CLOSED, f"{'the watch' if by_watch else 'this phone'} closed the channel", by_watch=by_watch)


async def _ended_by_watch(channel: Channel, stay_s: float | None) -> bool:
    """Whether the watch closed the channel before the time was over; raises what it was cut off by."""
    try:
        async with asyncio.timeout(stay_s):
            await channel.wait_over()
    except TimeoutError:
        return False
    channel.check_cut_off()
    return True


async def _round_trip_ms(channel: Channel) -> float | None:
    """None where no echo comes back."""
    try:
        async with asyncio.timeout(ECHO_S), channel.port(echo.PORT) as port:
            began = perf_counter()
            await port.send(b"how far?")
            await port.receive()
            return round((perf_counter() - began) * 1000, 2)
    except (TimeoutError, EOFError, AccessDenied):
        return None


def _posture(posture: LinkPosture) -> str:
    encrypted = {True: "encrypted", False: "not encrypted", None: "unknown"}[posture.encrypted]
    phy = f", PHY {posture.phy}" if posture.phy else ""
    return f"the link's own encryption ({posture.transport}{phy}): {encrypted}"
