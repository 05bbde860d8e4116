"""What ``blechannel`` does between its arguments and its exit code. Each command is a file of `commands`."""

from __future__ import annotations

import argparse
import io
import logging
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Final

from blechannel import __version__
from blechannel.errors import BlechannelError
from blechannel_tools.exits import Exit, epilog, exit_of, in_words
from blechannel_tools.log_json import logging_as
from blechannel_tools.output import HumanOutput, JsonOutput, tell_error

COMMANDS: Final = {
    "demo": "a watch and a phone pair, talk, part and reconnect on the virtual radio",
    "watch": "be a watch: advertise, pair, serve",
    "phone": "be a phone: scan, pair, connect, send, listen, household",
    "bonds": "list, show, rename, forget and move bonds",
    "identity": "make this side's certificate, and say whose it trusts, to pair by certificate",
    "gateway": "bridge watches to an MQTT broker: run, listen, send, broker, simulate",
    "capture": "read, decrypt, judge and convert captures",
    "simulate": "how long pairing, reconnecting or a transfer takes on a radio with these properties",
    "doctor": "look for what is missing or misconfigured, and say what to do",
}
"""In the order of --help; each is a module of `commands`, loaded when it is meant, and says the same about itself."""
GROUPS: Final = ("capture",)
"""Commands whose parts are loaded one by one, too."""
EPILOG = """first steps, in two terminals:
  blechannel watch --transport unix:/tmp/ble --pair
  blechannel phone pair --transport unix:/tmp/ble

then, with the watch still running:
  blechannel phone connect --transport unix:/tmp/ble
  blechannel phone send echo hello --expect-reply --transport unix:/tmp/ble
  blechannel bonds list

With a Bluetooth adapter, --transport is hci-socket:0 or usb:0; `blechannel doctor` says what works here. Every command
takes --json and has a --help with examples. Words on each JSON object: docs/command-line.md.

"""


def run(arguments: Sequence[str] | None = None) -> Exit:
    """Run one command; expected errors become messages and exit codes."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name that the terminal cannot show is no reason to fail
            stream.reconfigure(errors="backslashreplace")
    given = sys.argv[1:] if arguments is None else arguments
    options = command_parser(*given[:2] or ("--help",)).parse_args(given)
    # Bumble complains of every packet that a lost link leaves behind; what matters reaches us as an exception.
    logging.getLogger("bumble").setLevel(logging.CRITICAL)
    try:
        output = JsonOutput() if options.json else HumanOutput()
        if getattr(options, "ask_passphrase", False):
            from blechannel_tools.prompt import ask_passphrase  # and with it asyncio, which captures do not need

            ask_passphrase(options)
        with logging_as(options):
            code: Exit = options.run(options, output)
        return code
    except BrokenPipeError:  # nobody reads any more, so nobody can be told
        return Exit.FAILED
    except (BlechannelError, OSError) as error:
        return _failed(in_words(error), type(error).__name__, exit_of(error), options)
    except KeyboardInterrupt:
        return _failed("interrupted", "KeyboardInterrupt", Exit.INTERRUPTED, options)


def _failed(message: str, error: str, code: Exit, options: argparse.Namespace) -> Exit:
    tell_error(message, error=error, exit_code=code, as_json=options.json)
    return code


def command_parser(meant: str = "", action: str = "") -> argparse.ArgumentParser:
    """All that can be said to `blechannel`, or what is needed for the first two arguments.

    Those are a command, or whatever asks only for the commands' names, and of a group with many parts one of these.
    """
    parser = argparse.ArgumentParser(
        prog="blechannel",
        description="Pair a watch with a phone over Bluetooth LE and talk through a channel that nobody else can read.",
        epilog=EPILOG + epilog(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"blechannel {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, about in COMMANDS.items():
        if meant in (name, ""):
            command = import_module(f"blechannel_tools.commands.{name}")
            command.add(commands, *((action,) if name in GROUPS else ()))
        elif meant not in COMMANDS:
            commands.add_parser(name, help=about)
    return parser
