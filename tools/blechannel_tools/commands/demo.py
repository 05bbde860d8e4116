"""``blechannel demo``: both sides in this process, over the virtual radio."""

from __future__ import annotations

import argparse
import asyncio
from dataclasses import asdict
from pathlib import Path

from blechannel_tools.exits import Exit
from blechannel_tools.options import Commands, add_command
from blechannel_tools.output import Event, Output, Table

EPILOG = """examples:
  blechannel demo
  blechannel demo --out /tmp/demo --json

Captures, a key log and a page about them, report.html, are left in the folder: read them with `blechannel capture`, or
with Wireshark."""


def add(commands: Commands) -> None:
    """Declare the command."""
    about = "a watch and a phone pair, talk, part and reconnect on the virtual radio"
    parser = add_command(commands, "demo", run, help=about, epilog=EPILOG)
    parser.add_argument("--out", type=Path, default=Path("demo-output"), help="folder for captures and key log")


def run(options: argparse.Namespace, output: Output) -> Exit:
    """Run it."""
    asyncio.run(_demo(options.out, output))
    return Exit.DONE


async def _demo(out: Path, output: Output) -> None:
    from blechannel_tools.demo import TRANSFER_BYTES, run_demo

    with output.progress("256 KiB to the watch", TRANSFER_BYTES) as progress:
        summary = await run_demo(
            out,
            say=lambda shown: output.say(Event.STEP, shown, text=shown if isinstance(shown, str) else shown.heading),
            progress=lambda done, _size: progress(done),
        )
    table = Table(f"What is in {out}, and what it took", ("figure", "value"), summary.rows())
    output.say(Event.SUMMARY, table, **asdict(summary))
