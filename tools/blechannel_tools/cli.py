"""The command line: ``blechannel --help``."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from blechannel import __version__
from blechannel.errors import BlechannelError, MissingExtra

OK = 0
FAILED = 1
USAGE = 2
INTERRUPTED = 130

EPILOG = """exit codes: 0 done, 1 failed (the message says why), 2 wrong usage, 130 interrupted"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    options = _parser().parse_args(arguments)
    # Bumble complains of every packet that a lost link leaves behind; what matters reaches us as an exception.
    logging.getLogger("bumble").setLevel(logging.CRITICAL)
    try:
        asyncio.run(_demo(options))
    except (BlechannelError, OSError) as error:
        print(f"blechannel: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("blechannel: interrupted", file=sys.stderr)
        return INTERRUPTED
    return OK


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="blechannel",
        description="Pair a watch with a phone over Bluetooth LE and talk through a channel that nobody else can read.",
        epilog=EPILOG,
    )
    parser.add_argument("--version", action="version", version=f"blechannel {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    demo = commands.add_parser(
        "demo",
        help="a watch and a phone pair, talk, part and reconnect on the embedded radio",
        description="Runs both sides in this process, over real HCI, L2CAP, ATT and GATT, and leaves captures behind.",
    )
    demo.add_argument("--out", type=Path, default=Path("demo-output"), help="folder for captures and key log")
    demo.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    return parser


async def _demo(options: argparse.Namespace) -> None:
    from blechannel_tools.demo import run_demo

    if options.json:
        summary = await run_demo(options.out, say=lambda _: None, progress=lambda _done, _size: None)
        print(json.dumps(asdict(summary), indent=2))
        return
    await _demo_for_people(options.out)


async def _demo_for_people(out: Path) -> None:
    try:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn
        from rich.table import Table
    except ModuleNotFoundError as error:
        raise MissingExtra("cli", "output for people (--json works without)") from error
    from blechannel_tools.demo import TRANSFER_BYTES, run_demo

    console = Console()
    columns = ("256 KiB to the watch", BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("transfer", total=TRANSFER_BYTES)
        summary = await run_demo(out, say=console.print, progress=lambda done, _size: bar.update(task, completed=done))
    table = Table(title=f"What is in {out}, and what it took")
    table.add_column("figure")
    table.add_column("value", overflow="fold")
    for name, value in summary.rows():
        table.add_row(name, value)
    console.print(table)


if __name__ == "__main__":
    sys.exit(main())
