"""``blechannel capture conversation``: our channel's sessions, as they were spoken."""

from __future__ import annotations

import argparse

from blechannel.wire.frames import Data
from blechannel_capture import ChannelEnded, ChannelFrame, Event, HandshakeVerified, OddFragment, as_object, in_words
from blechannel_tools.commands.capture.reading import add_file, add_keys, clock, opened
from blechannel_tools.exits import Exit
from blechannel_tools.options import Commands, add_command
from blechannel_tools.output import Event as Told
from blechannel_tools.output import Lines, Output

EPILOG = """examples:
  blechannel capture conversation demo-output/phone.btsnoop
  blechannel capture conversation demo-output/phone.btsnoop --keys demo-output/keys.log --messages

Without keys the frames of the handshake are listed, and sealed records by their length. With a key log every handshake
is recomputed: "verified" says that all its tags fit, and records show what they hold."""


def add(commands: Commands) -> None:
    """Declare the command."""
    about = "show the sessions of our channel, verified with a key log"
    parser = add_command(commands, "conversation", run, help=about, epilog=EPILOG)
    add_file(parser)
    add_keys(parser)
    parser.add_argument("--messages", action="store_true", help="list every message; else they are counted")


def run(options: argparse.Namespace, output: Output) -> Exit:
    """Run it."""
    sessions: dict[int, list[Event]] = {}
    with opened(options, output) as capture:
        for event in capture:
            if isinstance(event, ChannelFrame | HandshakeVerified | OddFragment | ChannelEnded):
                sessions.setdefault(event.connection.number, []).append(event)
    for number, events in sessions.items():
        output.say(
            Told.CONVERSATION,
            Lines(f"Connection {number}", _lines(events, messages=options.messages)),
            connection=number,
            events=[as_object(event) for event in events],
        )
    if not sessions:
        output.say(Told.CONVERSATION, "No session of our channel is in this capture.", connection=0, events=[])
    output.say(Told.DONE, count=len(sessions))
    return Exit.DONE


def _lines(events: list[Event], *, messages: bool) -> list[str]:
    lines, start_ns = [], events[0].time_ns
    counted: list[ChannelFrame] = []

    def flush() -> None:
        if counted:
            total = sum(len(each.body.message) for each in counted if isinstance(each.body, Data))
            kind = f"message{'s' * (len(counted) > 1)}, {total:,} bytes" if counted[0].body else "sealed"
            what = f"{len(counted)} {kind}"
            lines.append(f"{counted[0].packet:>7} {clock(counted[0].time_ns, start_ns):>12}  … {what}")
            counted.clear()

    for event in events:
        if not messages and isinstance(event, ChannelFrame) and _is_bulk(event):
            counted.append(event)
            continue
        flush()
        lines.append(f"{event.packet:>7} {clock(event.time_ns, start_ns):>12}  {in_words(event)}")
    flush()
    return lines


def _is_bulk(event: ChannelFrame) -> bool:
    return isinstance(event.body, Data) or (event.name == "Record" and event.body is None)
