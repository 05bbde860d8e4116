"""``blechannel phone scan``: which watches are near."""

from __future__ import annotations

import argparse
import asyncio
from contextlib import aclosing

from blechannel.aio.phone import FoundWatch
from blechannel.errors import WatchNotFound
from blechannel_tools.exits import Exit
from blechannel_tools.options import Commands, add_command, add_name, add_store, add_transport, seconds
from blechannel_tools.output import Event, Output, Table
from blechannel_tools.selection import label
from blechannel_tools.sides import open_phone

DEFAULT_SCAN_S = 5.0

EPILOG = """examples:
  blechannel phone scan --transport hci-socket:0
  blechannel phone scan --seconds 2 --json --transport unix:/tmp/ble

Only a bonded watch can be told from any other: strangers' watches show no name and change their address."""


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(commands, "scan", run, help="list the watches that are near", epilog=EPILOG)
    parser.add_argument(
        "--seconds", type=seconds, default=DEFAULT_SCAN_S, help=f"how long (default: {DEFAULT_SCAN_S:g})"
    )
    add_transport(parser)
    add_store(parser)
    add_name(parser, "phone")


def run(options: argparse.Namespace, output: Output) -> Exit:
    """Run it."""
    asyncio.run(_scan(options, output))
    return Exit.DONE


async def _scan(options: argparse.Namespace, output: Output) -> None:
    seen: dict[str, FoundWatch] = {}
    async with open_phone(options) as phone:
        with output.waiting(f"scanning for {options.seconds:g} s"):
            try:
                async with asyncio.timeout(options.seconds), aclosing(phone.scan()) as watches:
                    async for found in watches:
                        seen[found.address] = found
                        output.say(Event.WATCH, "", **facts_of_watch(found))
            except TimeoutError:
                pass
    if not seen:
        raise WatchNotFound(f"no watch was seen in {options.seconds:g} s: is it switched on and near?")
    watches_seen = list(seen.values())
    table = Table("Watches near", ("address", "RSSI", "bond", "pairing"), [_row(found) for found in watches_seen])
    output.say(Event.SCAN, table, watches=[facts_of_watch(found) for found in watches_seen])


def facts_of_watch(found: FoundWatch) -> dict[str, object]:
    """A watch for programs."""
    return {
        "address": found.address,
        "rssi_dbm": found.rssi_dbm,
        "bond": found.bond.bond_id.hex() if found.bond else None,
        "name": found.bond.peer_name if found.bond else None,
        "pairing_open": found.pairing_open,
    }


def _row(found: FoundWatch) -> tuple[str, ...]:
    rssi = "-" if found.rssi_dbm is None else f"{found.rssi_dbm} dBm"
    bond = label(found.bond) if found.bond else "-"
    return found.address, rssi, bond, "open" if found.pairing_open else "closed"
