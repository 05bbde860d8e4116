"""``blechannel capture gatt``: the attributes of each peripheral, and how they are known."""

from __future__ import annotations

import argparse
from contextlib import nullcontext
from pathlib import Path

from blechannel.gatt import INBOX_UUID, INFO_UUID, OUTBOX_UUID, SERVICE_UUID
from blechannel_capture import Connected, Connection
from blechannel_capture.gatt_map import GattMap, dump_map, load_map, short_uuid
from blechannel_tools.commands.capture.reading import add_file, add_keys, new_file, opened, reading_of
from blechannel_tools.exits import Exit
from blechannel_tools.options import Commands, add_command
from blechannel_tools.output import Event as Told
from blechannel_tools.output import Output, Shown, Table

EPILOG = """examples:
  blechannel capture gatt btsnoop_hci.log
  blechannel capture gatt first-connection.pcap --save map.json
  blechannel capture gatt later.pcap --map map.json

Phones remember attributes, so that most captures hold no discovery: save the map of one that does, and use it for the
others of the same device. "inferred" means: from the bytes that passed there."""
OURS = {SERVICE_UUID: "blechannel", INBOX_UUID: "inbox", OUTBOX_UUID: "outbox", INFO_UUID: "info"}


def add(commands: Commands) -> None:
    """Declare the command."""
    about = "show the attributes of each connection, and how they are known"
    parser = add_command(commands, "gatt", run, help=about, epilog=EPILOG)
    add_file(parser)
    add_keys(parser)
    parser.add_argument(
        "--map", type=Path, metavar="FILE", help="attributes known from elsewhere, as --save writes them"
    )
    parser.add_argument("--save", type=Path, metavar="FILE", help="write what is known of all connections")


def run(options: argparse.Namespace, output: Output) -> Exit:
    """Run it."""
    known = _known(options.map)
    with nullcontext() if options.save is None else new_file(options.save) as target:
        links = _links(options, output, known)
        if target is not None:
            dump_map([gatt for _, gatt in links], target)
    for connection, gatt in links:
        _tell(output, connection, gatt)
    if not links:
        output.say(Told.GATT, "No connection is in this capture.", connection=0, attributes={})
    if target is not None:
        output.say(Told.WRITTEN, f"The attributes are in {target}.", path=str(target))
    output.say(Told.DONE, count=len(links))
    return Exit.DONE


def _known(path: Path | None) -> GattMap | None:
    if path is None:
        return None
    with reading_of(path):
        return load_map(path)


def _links(options: argparse.Namespace, output: Output, known: GattMap | None) -> list[tuple[Connection, GattMap]]:
    links: list[tuple[Connection, GattMap]] = []
    with opened(options, output) as capture:
        if known is not None:
            capture.import_gatt(known)
        for event in capture:
            if isinstance(event, Connected):
                links.append((event.connection, capture.gatt(event.connection)))
    return links


def _tell(output: Output, connection: Connection, gatt: GattMap) -> None:
    shown: Shown = f"Connection {connection.number}: nothing tells what its attributes are (see --map)."
    if rows := _rows(gatt):
        title = f"Connection {connection.number}: {connection.peripheral or 'this host'}"
        shown = Table(title, ("handle", "attribute", "service", "known"), rows)
    output.say(Told.GATT, shown, connection=connection.number, attributes=gatt.as_object())


def _rows(gatt: GattMap) -> list[tuple[str, str, str, str]]:
    return [
        (f"{handle:#06x}", _named(each.uuid), _named(each.service), each.confidence.name.lower())
        for handle, each in sorted(gatt.attributes.items())
    ]


def _named(uuid: str) -> str:
    if not uuid:
        return ""
    return f"{OURS[uuid]} ({short_uuid(uuid)[:8]}…)" if uuid in OURS else short_uuid(uuid)
