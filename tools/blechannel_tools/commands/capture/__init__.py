"""``blechannel capture``: the group of what is done with capture files."""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import Final

from blechannel_tools.options import Commands

PARTS: Final = {
    "info": "say what a capture holds, and what it lacks",
    "frames": "list every event, one line each",
    "conversation": "show the sessions of our channel, verified with a key log",
    "check": "look for attacks and weaknesses; an exit code for CI",
    "decrypt": "say what opens, with which key, and why the rest stays closed",
    "timing": "show round trips, intervals and goodput of each connection",
    "gatt": "show the attributes of each connection, and how they are known",
    "diff": "compare two captures of one session by content",
    "export": "write a capture as JSON lines, CSV, Parquet or pcapng",
    "cut": "write a part of a capture to a new file",
    "anonymise": "replace addresses, names and keys, consistently",
    "report": "write one HTML page: findings, sequence charts, plots",
    "live": "follow a capture as it grows, in a terminal",
}
"""In the order of --help; each is a module of this package, loaded when it is meant, and says the same about itself."""
EPILOG = """examples, with what `make demo` leaves:
  blechannel capture info demo-output/phone.btsnoop
  blechannel capture conversation demo-output/phone.btsnoop --keys demo-output/keys.log
  blechannel capture check demo-output/phone.btsnoop --keys demo-output/keys.log
  blechannel capture frames demo-output/phone.btsnoop --only AttPdu --limit 20
  blechannel capture export demo-output/phone.btsnoop demo.pcapng --keys demo-output/keys.log

Any btsnoop, pcap, pcapng or PacketLogger file will do, compressed with gzip or not; - is standard input."""


def add(commands: Commands, meant: str = "") -> None:
    """Declare the command and its parts; or, where an action is `meant`, of the others only the names."""
    about = "read, decrypt, judge and convert captures"
    parser = commands.add_parser(
        "capture",
        help=about,
        description="Read captures of Bluetooth LE: what was said, by whom, whether it is sound, and what is wrong.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parts = parser.add_subparsers(required=True, metavar="ACTION")
    for name, about in PARTS.items():
        if meant in (name, ""):
            import_module(f"{__name__}.{name}").add(parts)
        else:
            parts.add_parser(name, help=about)
