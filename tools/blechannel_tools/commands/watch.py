"""``blechannel watch``: a watch on a transport of choice."""

from __future__ import annotations

import argparse
import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

from blechannel.methods import Method
from blechannel.roles import Role
from blechannel_tools.board import Board
from blechannel_tools.exits import Exit
from blechannel_tools.identities import add_identity, add_trusted, certificate_credentials
from blechannel_tools.metrics import add_metrics, metrics_served
from blechannel_tools.options import (
    Commands,
    add_command,
    add_name,
    add_store,
    add_transport,
    choose_transport,
    factor,
    seconds,
)
from blechannel_tools.output import Event, Lines, Output
from blechannel_tools.sensors import PLAIN, Sensors
from blechannel_tools.sides import open_watch
from blechannel_tools.watch_run import WatchRun
from blechannel_tools.ways import methods

EPILOG = """examples:
  blechannel watch --transport unix:/tmp/ble --pair
  blechannel watch --transport hci-socket:0 --name "my watch" --save received
  blechannel watch --board raspberry-pi --pair
  blechannel watch --transport unix:/tmp/ble --methods words,passkey
  blechannel watch --transport unix:/tmp/ble --methods oob --tag watch.ndef --pair
  blechannel watch --transport unix:/tmp/ble --methods certificate --pair
  blechannel watch --transport tcp:127.0.0.1:7001 --pair --json
  blechannel watch --transport unix:/tmp/ble --metrics 9464 --log-json watch.log

In a terminal, p or Enter opens a pairing window for the first of the methods, 1, 2, … for the first, second, …; y and n
answer whether the words are the same, h shows the phones and changes what they may do, and q quits. Elsewhere --pair
opens a window at the start, each event is a line, words are answered with yes or no on standard input, and Ctrl-C
quits. Whoever can read the output can read the code or the ticket while it is good. A certificate is made, and those of
phones are trusted, with `blechannel identity`.
Served are the ports echo and transfer, and simulated sensors as profiles: device-information, battery, heart-rate,
current-time, alert-notification and immediate-alert. They are for the owner's phone: the first that was paired. Others
are guests, who may use what --guest-port names, and strangers see what --plain names."""


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(commands, "watch", run, help="be a watch: advertise, pair, serve", epilog=EPILOG)
    parser.add_argument("--pair", action="store_true", help="open a pairing window at once")
    parser.add_argument(
        "--methods",
        type=methods,
        default=[Method.PASSKEY],
        metavar="M,…",
        help="how phones may pair: passkey (default), words, oob, certificate",
    )
    parser.add_argument("--tag", type=Path, metavar="FILE", help="oob: write the tag's NDEF message here, too")
    parser.add_argument("--qr", type=Path, metavar="FILE", help="oob: write the QR code as a PNG here, too")
    parser.add_argument(
        "--guest-port",
        action="append",
        default=[],
        metavar="PORT",
        help="a port that phones may use which are not the owner's; may be repeated (default: none)",
    )
    parser.add_argument(
        "--plain",
        action="append",
        default=[],
        choices=PLAIN,
        help="a profile that strangers may read, too, without the channel; may be repeated (default: none)",
    )
    parser.add_argument("--sensor-seed", type=int, default=0, metavar="N", help="what the sensors feel (default: 0)")
    parser.add_argument(
        "--sensor-speed", type=factor, default=1.0, metavar="X", help="sensors X times as fast as life (default: 1)"
    )
    parser.add_argument("--save", type=Path, metavar="FOLDER", help="keep received files here")
    parser.add_argument("--seconds", type=seconds, help="end after so many seconds")
    add_metrics(parser)
    add_transport(parser, boards=True)
    add_store(parser)
    add_identity(parser)
    add_trusted(parser)
    add_name(parser, "watch")


def run(options: argparse.Namespace, output: Output) -> Exit:
    """Run it."""
    choose_transport(options)
    if options.board is not None:
        tell_board(options.board, output)
    asyncio.run(_watch(options, output))
    return Exit.DONE


def tell_board(board: Board, output: Output) -> None:
    """What is known of the board, before anything is tried on it."""
    untried = [] if board.tried else [f"Not tried by this project: {board.reason}."]
    output.say(
        Event.BOARD,
        Lines(f"{board.title}: {board.transport}", [f"- {line}" for line in (*untried, *board.quirks)]),
        board=board.name,
        title=board.title,
        transport=board.transport,
        acl_bytes=board.acl_bytes,
        phys=list(board.phys),
        nfc=board.nfc,
        tried=board.tried,
        quirks=list(board.quirks),
    )


async def _watch(options: argparse.Namespace, output: Output) -> None:
    certificates = Method.CERTIFICATE in options.methods
    credentials = certificate_credentials(options, Role.WATCH) if certificates else None
    sensors = Sensors(options.sensor_seed, speed=options.sensor_speed)
    async with AsyncExitStack() as held:
        opening = open_watch(options, sensors.plain(options.plain), credentials=credentials)
        watch, radio = await held.enter_async_context(opening)
        if options.metrics is not None:
            served = await held.enter_async_context(metrics_served(watch, options.metrics))
            url = f"http://{served}/metrics"
            output.say(Event.METRICS, f"metrics: {url}", url=url)
        await watch.start()
        running = WatchRun(watch, radio, options, output, sensors=sensors)
        try:
            async with asyncio.timeout(options.seconds):
                await running.until_quit()
        except TimeoutError:
            pass
