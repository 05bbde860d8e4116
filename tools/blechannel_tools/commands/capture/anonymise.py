"""``blechannel capture anonymise``: a capture that can be shown to others."""

from __future__ import annotations

import argparse
import secrets
from pathlib import Path

from blechannel_capture.anonymising import Anonymiser
from blechannel_capture.containers.pcapng_writer import PcapngWriter
from blechannel_tools.commands.capture.reading import add_file, new_file, opened
from blechannel_tools.exits import Exit
from blechannel_tools.options import Commands, add_command
from blechannel_tools.output import Event as Told
from blechannel_tools.output import Output

EPILOG = """examples:
  blechannel capture anonymise btsnoop_hci.log for-a-bug-report.pcapng
  blechannel capture anonymise btsnoop_hci.log for-a-bug-report.pcapng --values

Addresses and names are replaced wherever the specification puts them, the same one always by the same one, and so
are the data of manufacturers and services in advertisements, and values of characteristics that say who somebody is
(device name, serial number, system identifier, …), where the capture tells which those are. Keys, whatever a pairing's
key could be searched with, comments and btmon's notes are wiped. Other values stay, except with --values: then all are
replaced but our channel's frames, which are sealed. What a capture tells by its times stays."""


def add(commands: Commands) -> None:
    """Declare the command."""
    about = "replace addresses, names and keys, consistently"
    parser = add_command(commands, "anonymise", run, help=about, epilog=EPILOG)
    add_file(parser)
    parser.add_argument("target", type=Path, metavar="TARGET", help="the new pcapng file")
    parser.add_argument("--values", action="store_true", help="replace the values of attributes, too")


def run(options: argparse.Namespace, output: Output) -> Exit:
    """Run it."""
    count = 0
    with opened(options, output) as capture, new_file(options.target) as target, target.open("xb") as file:
        writer = PcapngWriter(file)
        anonymiser = Anonymiser(secrets.token_bytes(16), values=options.values, gatt=capture.gatt)
        for packet, events in capture.steps():
            if packet is not None:
                count += writer.packet(anonymiser.anonymised(packet, events))
    text = (
        f"{count:,} packets are in {target}; {anonymiser.replaced:,} addresses, names, keys and values were replaced."
    )
    output.say(Told.WRITTEN, text, path=str(target), packets=count, replaced=anonymiser.replaced)
    return Exit.DONE
