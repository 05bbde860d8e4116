"""``blechannel gateway simulate``: how many watches one process can serve, on this machine, without any radio."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable
from contextlib import nullcontext

from blechannel.errors import BlechannelError, LocalProtocolError
from blechannel.limits import MAX_PHONE_BONDS
from blechannel_tools.broker_options import add_broker_terms, broker_of
from blechannel_tools.commands.simulate import picture
from blechannel_tools.exits import Exit
from blechannel_tools.fleet import report
from blechannel_tools.fleet.fleet import BONDS_A_PHONE, Fleet, fleet_of
from blechannel_tools.fleet.load import DUE, Offer, Served, serve
from blechannel_tools.fleet.rest import RESTING, Rested, let_rest
from blechannel_tools.mqtt_loop import run_with_mqtt
from blechannel_tools.options import Commands, add_command, positive, seconds
from blechannel_tools.output import Event, Output

EPILOG = """examples:
  blechannel gateway simulate --watches 1000 --rate 10
  blechannel gateway simulate --watches 5000 --plot load.png
  blechannel gateway simulate --watches 10000 --parked
  blechannel gateway simulate --watches 200 --broker mqtt://127.0.0.1:1883
  blechannel gateway simulate --watches 20 --broker embedded

Watches, phones, handshakes and messages are real; the radio is not, and both ends share this process: a gateway alone
needs about half of the processor that is told. With --broker the messages go on through a gateway with its file to that
broker, and from there to a subscriber in this process: a latency ends where that one has stored the message. What the
figures mean, and where one process ends: docs/scale.md."""

MAX_WATCHES = 20_000
LEAST_PARKED = 2
MAX_EMBEDDED = 200
"""Of watches with the broker inside this process, which is for a try."""
EMBEDDED = "embedded"


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
    broker = f"send on through this broker to a subscriber: mqtt://HOST:PORT, mqtts://, or {EMBEDDED}"
    parser.add_argument("--broker", metavar="URL", help=broker)
    add_broker_terms(parser)


def run(options: argparse.Namespace, output: Output) -> Exit:
    """Run it."""
    if options.watches > MAX_WATCHES:
        raise LocalProtocolError(f"at most {MAX_WATCHES:,} watches: both ends of each are in this one process")
    if options.message < DUE.size:
        raise LocalProtocolError(f"a message has at least {DUE.size} bytes: it says when it was due")
    if options.parked and (options.plot is not None or options.watches < LEAST_PARKED):
        raise LocalProtocolError("--parked sends nothing that --plot could draw, and compares two watches or more")
    _check_broker(options)
    if options.plot is not None:
        from blechannel_tools.fleet import plot  # found missing before the run and not after it
    if options.parked:
        _tell_rested(asyncio.run(_park(options, output)), output)
        return Exit.DONE
    served = run_with_mqtt(_serve(options, output))
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
        bonds = BONDS_A_PHONE if options.broker is None else MAX_PHONE_BONDS
        fleet = fleet_of(options.watches, grew=grew, bonds_a_phone=bonds)
        async with fleet as standing:
            with output.counting("messages", options.watches * offer.messages) as arrived:
                if options.broker is None:
                    return await serve(standing, offer, arrived=arrived)
                return await _serve_over(standing, offer, options, arrived)


async def _serve_over(
    fleet: Fleet, offer: Offer, options: argparse.Namespace, arrived: Callable[[int], None]
) -> Served:
    from blechannel_gateway.embedded import embedded_broker
    from blechannel_tools.fleet.over_broker import serve_over

    opening = embedded_broker() if options.broker == EMBEDDED else nullcontext(broker_of(options))
    async with opening as broker:
        return await serve_over(fleet, offer, broker, arrived=arrived)


def _check_broker(options: argparse.Namespace) -> None:
    """Before anything is set up. Raises LocalProtocolError, ConfigError."""
    if options.broker is None:
        return
    if options.parked:
        raise LocalProtocolError("--parked sends nothing that could go to --broker")
    if options.broker == EMBEDDED and options.watches > MAX_EMBEDDED:
        raise LocalProtocolError(f"--broker {EMBEDDED} serves {MAX_EMBEDDED} watches: give the URL of a real broker")
    if options.watches > MAX_PHONE_BONDS:
        raise LocalProtocolError(f"--broker: at most {MAX_PHONE_BONDS:,} watches, which is what one gateway holds")
    if options.broker != EMBEDDED:
        broker_of(options)


async def _park(options: argparse.Namespace, output: Output) -> Rested:
    with output.counting("watches paired", options.watches) as grew:
        async with fleet_of(options.watches, grew=grew, patience=RESTING) as fleet:
            with output.waiting(f"resting for {options.seconds:g} s"):
                return await let_rest(fleet, options.seconds)


def _tell_rested(rested: Rested, output: Output) -> None:
    output.say(Event.PARKED, report.rest_table_of(rested), **report.rest_facts_of(rested))
