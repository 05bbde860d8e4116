"""``blechannel capture live``: a capture as it grows, in a terminal."""

from __future__ import annotations

import argparse
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from blechannel_capture import (
    AttPdu,
    ChannelFrame,
    Connected,
    Disconnected,
    Event,
    Finding,
    Findings,
    HandshakeVerified,
    as_object,
    in_words,
)
from blechannel_capture.recent import remember
from blechannel_tools.commands.capture.check import STYLES
from blechannel_tools.commands.capture.reading import add_file, add_keys, clock, opened
from blechannel_tools.exits import Exit
from blechannel_tools.options import Commands, add_command
from blechannel_tools.output import Event as Told
from blechannel_tools.output import HumanOutput, Output, Table, printable

EPILOG = """examples:
  btmon -w - | blechannel capture live -
  blechannel capture live phone.btsnoop --keys keys.log

A running btmon, or --snoop of a watch or phone in another terminal, is followed until Ctrl-C: connections and their
traffic above, the last events below. Elsewhere than in a terminal each event is a line, as with `frames --follow`."""
MOST_LINES: Final = 200
"""Connections, events and findings that are kept: more than a terminal shows."""
TABLE_LINES: Final = 4
"""Around the rows of the connections."""
REFRESH_HZ: Final = 5


class _View:
    """What the screen shows."""

    def __init__(self) -> None:
        self.links: dict[int, dict[str, str | int]] = {}
        self.last: deque[str] = deque(maxlen=MOST_LINES)
        self.findings: deque[str] = deque(maxlen=MOST_LINES)
        self._start_ns: int | None = None

    def take(self, event: Event) -> str:
        """The event's line."""
        self._start_ns = event.time_ns if self._start_ns is None else self._start_ns
        line = f"{event.packet:>7} {clock(event.time_ns, self._start_ns):>12}  {in_words(event)}"
        self.last.append(printable(line))
        connection = getattr(event, "connection", None)
        if connection is not None:
            if (link := self.links.get(connection.number)) is None:
                link = {"state": "connected", "att": 0, "bytes": 0, "frames": 0, "channel": ""}
                remember(self.links, connection.number, link, MOST_LINES)
            self._count(link, event)
        return line

    @staticmethod
    def _count(link: dict[str, str | int], event: Event) -> None:
        match event:
            case AttPdu():
                link["att"] = int(link["att"]) + 1
                link["bytes"] = int(link["bytes"]) + len(event.value)
            case ChannelFrame():
                link["frames"] = int(link["frames"]) + 1
            case HandshakeVerified():
                link["channel"] = "verified"
            case Connected():
                link["state"] = "connected"
            case Disconnected():
                link["state"] = "ended"
            case _:
                pass

    def shares(self, height: int) -> tuple[int, int, int]:
        """How many of the latest connections, findings and events there is room for on so many lines."""
        links = min(len(self.links), max(1, height // 3 - TABLE_LINES))
        findings = min(len(self.findings), max(1, height // 4))
        return links, findings, max(1, height - TABLE_LINES - links - findings)

    def table(self, most: int) -> Table:
        """The latest connections."""
        rows = [
            (str(number), *(f"{value:,}" if isinstance(value, int) else value for value in link.values()))
            for number, link in self.links.items()
        ]
        return Table("", ("", "state", "ATT PDUs", "bytes", "frames", "channel"), rows[-most:])


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(commands, "live", run, help="follow a capture as it grows, in a terminal", epilog=EPILOG)
    add_file(parser)
    add_keys(parser)
    parser.set_defaults(follow=True)


def run(options: argparse.Namespace, output: Output) -> Exit:
    """Run it, until Ctrl-C, or the end of standard input."""
    view = _View()
    screen = output if isinstance(output, HumanOutput) and output.console.is_terminal else None

    def tell(found: Iterable[Finding]) -> None:
        for finding in found:
            view.findings.append(str(finding))
            if screen is None:
                output.say(Told.FINDING, str(finding), **finding.as_object())

    with opened(options, output) as capture, _drawn(screen, view):
        findings = Findings(capture.ledger, capture.gatt)
        for event in capture:
            line = view.take(event)
            tell(findings.look(event))
            if screen is None:
                output.say(Told.FRAME, line, **as_object(event))
        tell(findings.end())
    return Exit.DONE


@contextmanager
def _drawn(screen: HumanOutput | None, view: _View) -> Iterator[None]:
    """The view on a terminal, drawn anew a few times a second, also while nothing comes."""
    if screen is None:
        yield
        return
    from rich.console import Group
    from rich.live import Live
    from rich.text import Text

    def picture() -> Group:
        links, findings, events = view.shares(screen.console.height)
        lines = [Text(line, _style(line)) for line in list(view.findings)[-findings:] if findings]
        lines += [Text(line) for line in list(view.last)[-events:]]
        for line in lines:
            line.no_wrap, line.overflow = True, "ellipsis"
        return Group(screen.drawn(view.table(links)), *lines)

    try:
        # On a screen of its own: what was drawn for another width would stay there when the window changes.
        with Live(get_renderable=picture, console=screen.console, refresh_per_second=REFRESH_HZ, screen=True):
            yield
    finally:
        screen.console.print(picture())


def _style(finding: str) -> str:
    return STYLES.get(finding.partition(":")[0], "")
