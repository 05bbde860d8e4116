"""Options that several commands share, declared once."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from blechannel_tools.board import board
from blechannel_tools.exits import Exit
from blechannel_tools.log_json import add_log_json
from blechannel_tools.output import Output

TRANSPORT_VARIABLE = "BLECHANNEL_TRANSPORT"
DEFAULT_FIND_S = 15.0

# argparse's own name for this is private.
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
Run = Callable[[argparse.Namespace, Output], Exit]
"""Runs one command to its end, outside any event loop."""


def add_command(commands: Commands, name: str, run: Run, *, help: str, epilog: str = "") -> argparse.ArgumentParser:
    """A command that prints for people, or JSON for programs; `epilog` holds examples."""
    parser = commands.add_parser(
        name,
        help=help,
        description=f"{help[0].upper()}{help[1:]}.",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    parser.add_argument("--json", action="store_true", help="print JSON, one object a line, for programs")
    return parser


def share_examples(actions: Commands, group: str, epilog: str) -> None:
    """Give each action of a group its own examples out of those of the group."""
    lines = epilog.splitlines()
    for name, parser in actions.choices.items():
        own = [line for line in lines if f"{line} ".startswith(f"  blechannel {group} {name} ")]
        parser.epilog = "\n".join(["examples:", *own])


def add_transport(parser: argparse.ArgumentParser, *, required: bool = True, boards: bool = False) -> None:
    """`--transport`, `--snoop` and `--log-json`, and with `boards` `--board`: see `choose_transport`."""
    default = os.environ.get(TRANSPORT_VARIABLE) or None
    radio = parser.add_mutually_exclusive_group(required=required and default is None)
    if boards:
        radio.add_argument(
            "--board",
            type=board,
            metavar="NAME",
            help="the transport of a board: a name such as raspberry-pi (see hardware/README.md), or a .toml file",
        )
    radio.add_argument(
        "--transport",
        metavar="T",
        default=default,
        help="unix:/path or tcp:127.0.0.1:7001 (simulated), bleak or bleak:hci0 (a phone's: the system's Bluetooth), "
        "bluez or bluez:hci0 (a watch's, on Linux), or one of Bumble's: hci-socket:0, usb:0, serial:/dev/tty… "
        f"(default: ${TRANSPORT_VARIABLE})",
    )
    parser.add_argument("--snoop", type=Path, metavar="FILE", help="capture a controller's traffic as btsnoop")
    add_log_json(parser)


def choose_transport(options: argparse.Namespace) -> None:
    """A board that was named stands before the variable."""
    if options.board is not None:
        options.transport = options.board.transport


def add_store(parser: argparse.ArgumentParser) -> None:
    """Where the bonds are, and what opens the store."""
    parser.add_argument("--store", type=Path, metavar="FILE", help="the bond store (default: this user's own)")
    add_passphrase(parser)


def add_passphrase(parser: argparse.ArgumentParser) -> None:
    """What opens a store whose secrets are under a passphrase."""
    secret = parser.add_mutually_exclusive_group()
    secret.add_argument("--passphrase-file", type=Path, metavar="FILE", help="its first line opens the store")
    secret.add_argument("--ask-passphrase", action="store_true", help="ask for the passphrase of the store")
    secret.add_argument("--keyring", action="store_true", help="take the passphrase from the system's keyring")


def add_name(parser: argparse.ArgumentParser, default: str) -> None:
    """What this side is called."""
    parser.add_argument("--name", default=default, help=f"what the peer will call this side (default: {default})")


def add_watch(parser: argparse.ArgumentParser) -> None:
    """Which of the watches that the phone is bonded with."""
    parser.add_argument("--watch", metavar="BOND", help="name, id or address (default: the only bond)")


def add_end(parser: argparse.ArgumentParser, *, of: str) -> None:
    """When to stop hearing what a watch says; `of` names what is counted."""
    parser.add_argument("--count", type=positive, help=f"end after so many {of}")
    parser.add_argument("--seconds", type=seconds, help="end after so many seconds")


def add_find(parser: argparse.ArgumentParser) -> None:
    """How long to look for the watch."""
    parser.add_argument(
        "--timeout",
        type=seconds,
        default=DEFAULT_FIND_S,
        metavar="SECONDS",
        help=f"how long to look for the watch (default: {DEFAULT_FIND_S:g})",
    )


def seconds(text: str) -> float:
    """A time above zero, for argparse."""
    value = float(text)
    if not 0 < value < 1e9:
        raise argparse.ArgumentTypeError(f"{text} is no number of seconds above 0")
    return value


def factor(text: str) -> float:
    """How many times as fast, for argparse."""
    value = float(text)
    if not 0.01 <= value <= 1000:
        raise argparse.ArgumentTypeError(f"{text} is no factor from 0.01 to 1000")
    return value


def positive(text: str) -> int:
    """A count above zero, for argparse."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is no number above 0")
    return value
