"""``blechannel capture cut``: a part of a capture, as small as a test needs it."""

from __future__ import annotations

import argparse
from pathlib import Path

from blechannel_capture.containers.pcapng_writer import PcapngWriter
from blechannel_capture.selecting import Selection
from blechannel_tools.commands.capture.reading import add_file, add_keys, new_file, opened
from blechannel_tools.exits import Exit
from blechannel_tools.options import Commands, add_command, positive
from blechannel_tools.output import Event as Told
from blechannel_tools.output import Output

EPILOG = """examples:
  blechannel capture cut long.btsnoop session.pcapng --connection 2
  blechannel capture cut long.btsnoop start.pcapng --first 1 --last 500

The packets are written to a new pcapng file exactly as they were. With --connection: every packet that says something
of that connection, its beginning and its discovery included."""


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(commands, "cut", run, help="write a part of a capture to a new file", epilog=EPILOG)
    add_file(parser)
    parser.add_argument("target", type=Path, metavar="TARGET", help="the new pcapng file")
    add_keys(parser)
    parser.add_argument("--connection", type=positive, metavar="N", help="only packets of this connection")
    parser.add_argument("--first", type=positive, default=1, metavar="N", help="from this packet on")
    parser.add_argument("--last", type=positive, metavar="N", help="to this packet, inclusive")


def run(options: argparse.Namespace, output: Output) -> Exit:
    """Run it."""
    count = 0
    with opened(options, output) as capture, new_file(options.target) as target, target.open("xb") as file:
        writer = PcapngWriter(file)
        chosen = Selection(options.connection, options.first, options.last)
        for packet, events in capture.steps():
            if packet is not None and chosen.has(packet, events):
                count += writer.packet(packet)
    output.say(Told.WRITTEN, f"{count:,} packets are in {target}.", path=str(target), packets=count)
    return Exit.DONE
