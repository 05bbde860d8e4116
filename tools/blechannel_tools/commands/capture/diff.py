"""``blechannel capture diff``: two captures of one session, laid side by side by what was said."""

from __future__ import annotations

import argparse
from pathlib import Path

from blechannel_capture.comparing import Compared, compare
from blechannel_tools.commands.capture.reading import add_file, add_keys, opened
from blechannel_tools.exits import Exit
from blechannel_tools.options import Commands, add_command
from blechannel_tools.output import Event as Told
from blechannel_tools.output import Lines, Output

EPILOG = """examples:
  blechannel capture diff demo-output/phone.btsnoop demo-output/watch.btsnoop
  blechannel capture diff before.pcapng after.pcapng --json

What both have is matched by content, not by time, so that the clocks need not agree: their offset is found and shown.
The exit code is 1 when something is in one of them only."""
SHOWN = 20


def add(commands: Commands) -> None:
    """Declare the command."""
    about = "compare two captures of one session by content"
    parser = add_command(commands, "diff", run, help=about, epilog=EPILOG)
    add_file(parser)
    parser.add_argument("other", type=Path, metavar="OTHER", help="the other capture")
    add_keys(parser)


def run(options: argparse.Namespace, output: Output) -> Exit:
    """Run it."""
    with opened(options, output) as one, opened(options, output, options.other) as two:
        compared = compare(one, two)
    output.say(
        Told.DIFF,
        Lines(f"{options.file} and {options.other}", _lines(compared)),
        common=compared.common,
        offset_ns=compared.offset_ns,
        spread_ns=compared.spread_ns,
        only_first=[[packet, text] for packet, text in compared.only_first],
        only_second=[[packet, text] for packet, text in compared.only_second],
    )
    output.say(Told.DONE, same=compared.is_same)
    return Exit.DONE if compared.is_same else Exit.FAILED


def _lines(compared: Compared) -> list[str]:
    lines = [f"  {compared.common:,} ATT PDUs are in both."]
    if compared.common:
        offset_ms, spread_ms = compared.offset_ns / 1e6, compared.spread_ns / 1e6
        lines.append(f"  The second clock is {offset_ms:+.3f} ms off, give or take {spread_ms:.3f} ms.")
    for name, only in (("first", compared.only_first), ("second", compared.only_second)):
        if only:
            lines.append(f"  Only in the {name}: {len(only):,}")
            lines += [f"    packet {packet:>7}  {text}" for packet, text in only[:SHOWN]]
            if len(only) > SHOWN:
                lines.append(f"    … and {len(only) - SHOWN:,} more, which --json lists")
    if compared.is_same:
        lines.append("  Nothing is in one of them only.")
    return lines
