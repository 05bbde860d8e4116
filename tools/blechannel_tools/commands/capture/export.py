"""``blechannel capture export``: a capture as JSON lines, CSV, Parquet, or pcapng with what was opened."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from blechannel.errors import LocalProtocolError
from blechannel_capture import Capture
from blechannel_capture.exporting import write_csv, write_json_lines, write_parquet, write_pcapng
from blechannel_tools.commands.capture.reading import add_file, add_keys, add_show_keys, new_file, opened
from blechannel_tools.exits import Exit
from blechannel_tools.options import Commands, add_command
from blechannel_tools.output import Event as Told
from blechannel_tools.output import Output

EPILOG = """examples:
  blechannel capture export btsnoop_hci.log events.jsonl
  blechannel capture export phone.btsnoop opened.pcapng --keys keys.log
  blechannel capture export phone.btsnoop values.csv

The ending of TARGET says the format: .jsonl (every event, a versioned schema), .csv and .parquet (one row an ATT PDU;
Parquet needs the extra "parquet"), .pcapng (every packet as it was, and behind it what was opened, as an exported PDU;
tools/wireshark/blechannel.lua shows both in Wireshark).
.jsonl has keys only with --show-keys; .pcapng has all that the capture has."""
WRITERS: dict[str, Callable[[Capture, Path], int]] = {
    ".jsonl": write_json_lines,
    ".csv": write_csv,
    ".parquet": write_parquet,
    ".pcapng": write_pcapng,
}


def add(commands: Commands) -> None:
    """Declare the command."""
    about = "write a capture as JSON lines, CSV, Parquet or pcapng"
    parser = add_command(commands, "export", run, help=about, epilog=EPILOG)
    add_file(parser)
    parser.add_argument("target", type=Path, metavar="TARGET", help="the new file; its ending says the format")
    add_keys(parser)
    add_show_keys(parser)


def run(options: argparse.Namespace, output: Output) -> Exit:
    """Run it."""
    target: Path = options.target
    write = WRITERS.get(target.suffix)
    if write is None:
        raise LocalProtocolError(f"{target.name}: the ending says the format, one of {', '.join(WRITERS)}")
    with opened(options, output) as capture, new_file(target):
        if write is write_json_lines:
            count = write_json_lines(capture, target, show_keys=options.show_keys)
        else:
            count = write(capture, target)
    output.say(Told.WRITTEN, f"{count:,} rows are in {target}.", path=str(target), count=count)
    return Exit.DONE
