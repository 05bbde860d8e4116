"""``blechannel capture``: the group of what is done with capture files."""

from __future__ import annotations

import argparse

from blechannel_tools.commands.capture import (
    anonymise,
    check,
    conversation,
    cut,
    decrypt,
    diff,
    export,
    frames,
    gatt,
    info,
    live,
    report,
    timing,
)
from blechannel_tools.options import Commands

EPILOG = """examples, with what `make demo` leaves:
  blechannel capture info demo-output/phone.btsnoop
  blechannel capture conversation demo-output/phone.btsnoop --keys demo-output/keys.log
  blechannel capture check demo-output/phone.btsnoop --keys demo-output/keys.log
  blechannel capture frames demo-output/phone.btsnoop --only AttPdu --limit 20
  blechannel capture export demo-output/phone.btsnoop demo.pcapng --keys demo-output/keys.log

Any btsnoop, pcap, pcapng or PacketLogger file will do, compressed with gzip or not; - is standard input."""


def add(commands: Commands) -> None:
    """Declare the command and its parts."""
    about = "read, decrypt, judge and convert captures"
    parser = commands.add_parser(
        "capture",
        help=about,
        description="Read captures of Bluetooth LE: what was said, by whom, whether it is sound, and what is wrong.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parts = parser.add_subparsers(required=True, metavar="ACTION")
    for part in (info, frames, conversation, check, decrypt, timing, gatt, diff, export, cut, anonymise, report, live):
        part.add(parts)
