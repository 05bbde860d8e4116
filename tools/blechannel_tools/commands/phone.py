"""``blechannel phone``: the group of what a phone does."""

from __future__ import annotations

import argparse

from blechannel_tools.commands import (
    phone_connect,
    phone_household,
    phone_listen,
    phone_pair,
    phone_scan,
    phone_send,
    phone_watch_live,
)
from blechannel_tools.options import Commands

EPILOG = """examples, with a watch that `blechannel watch --transport unix:/tmp/ble --pair` runs in another terminal:
  blechannel phone scan --transport unix:/tmp/ble
  blechannel phone pair --transport unix:/tmp/ble
  blechannel phone connect --transport unix:/tmp/ble
  blechannel phone send echo hello --expect-reply --transport unix:/tmp/ble
  blechannel phone send --transfer photo.jpg --transport unix:/tmp/ble
  blechannel phone listen battery --transport unix:/tmp/ble
  blechannel phone household list --transport unix:/tmp/ble
  blechannel phone watch-live --transport unix:/tmp/ble

`blechannel phone pair --help` and so on tell more. BLECHANNEL_TRANSPORT saves writing --transport each time."""


def add(commands: Commands) -> None:
    """Declare the command and its parts."""
    about = "be a phone: scan, pair, connect, send, listen, household"
    parser = commands.add_parser(
        "phone",
        help=about,
        description="Be a phone: find watches, pair with one, and talk to it.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parts = parser.add_subparsers(required=True, metavar="ACTION")
    actions = (phone_scan, phone_pair, phone_connect, phone_send, phone_listen, phone_household, phone_watch_live)
    for part in actions:
        part.add(parts)
