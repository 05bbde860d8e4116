"""``blechannel capture frames``: every event, one line each."""

from __future__ import annotations

import argparse

from blechannel_capture import as_object, in_words
from blechannel_capture.events import Event
from blechannel_capture.json_lines import kinds
from blechannel_tools.commands.capture.reading import add_file, add_keys, add_show_keys, clock, opened
from blechannel_tools.exits import Exit
from blechannel_tools.options import Commands, add_command, positive
from blechannel_tools.output import Event as Told
from blechannel_tools.output import Output

EPILOG = """examples:
  blechannel capture frames btsnoop_hci.log --limit 20
  blechannel capture frames sniffed.pcap --only SmpPdu --only LongTermKey
  blechannel capture frames demo-output/phone.btsnoop --keys demo-output/keys.log --connection 2
  btmon -w - | blechannel capture frames - --follow

Each line: packet number, seconds since the first packet, what was said. #2 is the second connection; → is from the
central (the phone), ← from the peripheral."""
KINDS = sorted(kind.__name__ for kind in kinds())


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(commands, "frames", run, help="list every event, one line each", epilog=EPILOG)
    add_file(parser)
    add_keys(parser)
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        choices=KINDS,
        metavar="KIND",
        help=f"only this kind of event; may be repeated: {', '.join(KINDS)}",
    )
    add_show_keys(parser)
    parser.add_argument("--connection", type=positive, metavar="N", help="only this connection")
    parser.add_argument("--limit", type=positive, metavar="N", help="stop after that many")
    parser.add_argument("--follow", action="store_true", help="wait for more at the end of the file, until Ctrl-C")


def run(options: argparse.Namespace, output: Output) -> Exit:
    """Run it."""
    count, start_ns = 0, None
    with opened(options, output) as capture:
        for event in capture:
            start_ns = event.time_ns if start_ns is None else start_ns
            if not _is_wanted(event, options):
                continue
            words = in_words(event, show_keys=options.show_keys)
            line = f"{event.packet:>7} {clock(event.time_ns, start_ns):>12}  {words}"
            output.say(Told.FRAME, line, **as_object(event, show_keys=options.show_keys))
            count += 1
            if count == options.limit:
                break
    output.say(Told.DONE, count=count)
    return Exit.DONE


def _is_wanted(event: Event, options: argparse.Namespace) -> bool:
    if options.only and type(event).__name__ not in options.only:
        return False
    connection = getattr(event, "connection", None)
    return options.connection is None or (connection is not None and connection.number == options.connection)
