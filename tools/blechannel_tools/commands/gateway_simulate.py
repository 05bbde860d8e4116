"""``blechannel gateway simulate``: how many watches one process can serve, on this machine, without any radio."""

from __future__ import annotations

import argparse
import asyncio

from blechannel.errors import BlechannelError, LocalProtocolError
from blechannel_tools.commands.simulate import picture
from blechannel_tools.exits import Exit
from blechannel_tools.fleet import report
from blechannel_tools.fleet.fleet import Fleet, fleet_of
from blechannel_tools.fleet.load import DUE, Offer, Served, serve
from blechannel_tools.fleet.rest import RESTING, Rested, let_rest
from blechannel_tools.options import Commands, add_command, positive, seconds
from blechannel_tools.output import Event, Output

EPILOG = """examples:
  blechannel gateway simulate --watches 1000 --rate 10
  blechannel gateway simulate --watches 5000 --plot load.png
  blechannel gateway simulate --watches 10000 --parked

Watches, phones, handshakes and messages are real; the radio is not, and both ends share this process: a gateway alone
needs about half of the processor that is told. What the figures mean, and where one process ends: docs/scale.md."""

MAX_WATCHES = 20_000
LEAST_PARKED = 2


def add(commands: Commands) -> None:
    """Declare the command."""
    about = "how many watches one process can serve here: latency, processor, memory, fairness"
    parser = add_command(commands, "simulate", run, help=about, epilog=EPILOG)
    parser.add_argument("--watches", type=positive, default=1000, metavar="N", help="how many (1000)")
    parser.add_argument("--rate", type=seconds, default=1.0, metavar="HZ", help="messages a second of each watch (1)")
    parser.add_argument("--message", type=positive, default=20, metavar="BYTES", help="length of a message (20)")
    parser.add_argument("--seconds", type=seconds, default=10.0, metavar="S", help="for how long (10)")
    parser.add_argument("--parked", action="store_true", help="send nothing: measure the watches that rest")
    parser.add_argument("--plot", type=picture, metavar="FILE", help="draw the latencies as .png or .svg")


def run(options: argparse.Namespace, output: Output) -> Exit:
    """Run it."""
    if options.watches > MAX_WATCHES:
        raise LocalProtocolError(f"at most {MAX_WATCHES:,} watches: both ends of each are in this one process")
    if options.message < DUE.size:
        raise LocalProtocolError(f"a message has at least {DUE.size} bytes: it says when it was due")
    if options.parked and (options.plot is not None or options.watches < LEAST_PARKED):
        raise LocalProtocolError("--parked sends nothing that --plot could draw, and compares two watches or more")
    if options.plot is not None:
        from blechannel_tools.fleet import plot  # found missing before the run and not after it
    if options.parked:
        _tell_rested(asyncio.run(_park(options, output)), output)
        return Exit.DONE
    served = asyncio.run(_serve(options, output))
    if options.plot is not None and served.latencies_s:
        plot.draw(served, options.plot)
    plotted = None if options.plot is None else str(options.plot)
    output.say(Event.LOAD, report.table_of(served), **report.facts_of(served), plot=plotted)
    if served.lost:
        raise BlechannelError(f"{served.lost} messages never arrived: this machine is too slow for so many")
    return Exit.DONE


async def _serve(options: argparse.Namespace, output: Output) -> Served:
    offer = Offer(rate_hz=options.rate, seconds=options.seconds, message_bytes=options.message)
    with output.counting("watches paired", options.watches) as grew:
        fleet = fleet_of(options.watches, grew=grew)
        async with fleet as standing:
            return await _send(standing, offer, output)


async def _send(fleet: Fleet, offer: Offer, output: Output) -> Served:
    with output.counting("messages", len(fleet.pairs) * offer.messages) as arrived:
        return await serve(fleet, offer, arrived=arrived)


async def _park(options: argparse.Namespace, output: Output) -> Rested:
    with output.counting("watches paired", options.watches) as grew:
        async with fleet_of(options.watches, grew=grew, patience=RESTING) as fleet:
            with output.waiting(f"resting for {options.seconds:g} s"):
                return await let_rest(fleet, options.seconds)


def _tell_rested(rested: Rested, output: Output) -> None:
    output.say(Event.PARKED, report.rest_table_of(rested), **report.rest_facts_of(rested))
