"""``blechannel capture report``: one HTML page about a capture."""

from __future__ import annotations

import argparse
from pathlib import Path

from blechannel_capture.report import gather, page
from blechannel_tools.commands.capture.reading import add_file, add_keys, counted, new_file, opened
from blechannel_tools.exits import Exit
from blechannel_tools.options import Commands, add_command
from blechannel_tools.output import Event as Told
from blechannel_tools.output import Output

EPILOG = """examples:
  blechannel capture report demo-output/phone.btsnoop demo.html --keys demo-output/keys.log
  blechannel capture report btsnoop_hci.log report.html

The page holds everything in itself: findings, damage, a sequence chart of each session, what passed when. Nothing is
fetched and no script runs. With --keys it shows what was opened: whoever gets the page can read it."""


def add(commands: Commands) -> None:
    """Declare the command."""
    about = "write one HTML page: findings, sequence charts, plots"
    parser = add_command(commands, "report", run, help=about, epilog=EPILOG)
    add_file(parser)
    parser.add_argument("target", type=Path, metavar="TARGET", help="the new HTML file")
    add_keys(parser)


def run(options: argparse.Namespace, output: Output) -> Exit:
    """Run it."""
    with opened(options, output) as capture, new_file(options.target) as target:
        gathered = gather(capture, options.file.name)
        with target.open("x", encoding="utf-8", errors="backslashreplace") as file:
            file.write(page(gathered))
    connections, findings = counted(len(gathered.sessions), "connection"), counted(len(gathered.findings), "finding")
    text = f"{target} shows {connections} and {findings}."
    output.say(Told.WRITTEN, text, path=str(target), count=len(gathered.sessions))
    return Exit.DONE
