"""The one seam for what commands tell: lines, tables and progress for people, or one JSON object a line."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from blechannel.errors import MissingExtra

if TYPE_CHECKING:
    from rich.table import Table as RichTable

SHORT_CELL = 16
"""A column whose cells are no longer than this, such as a time, is not broken into lines."""

ShowProgress = Callable[[int], None]
"""Called with the bytes that are through, or with the count of what is done."""


class Event(StrEnum):
    """The names under "event" in JSON lines; docs/command-line.md says what else each object holds."""

    ADVERTISING = "advertising"
    BOARD = "board"
    BOND = "bond"
    BONDS = "bonds"
    BROKER = "broker"
    CAPTURE = "capture"
    CARRIED = "carried"
    CERTIFICATE = "certificate"
    CERTIFICATES = "certificates"
    CHECKED = "checked"
    CLOSED = "closed"
    CODE = "code"
    CODE_WANTED = "code-wanted"
    CONNECTED = "connected"
    CONNECTIONS = "connections"
    CONVERSATION = "conversation"
    COPIED = "copied"
    DECLINED = "declined"
    DECRYPTED = "decrypted"
    DIAGNOSIS = "diagnosis"
    DIFF = "diff"
    DONE = "done"
    ERROR = "error"
    EXPORTED = "exported"
    FINDING = "finding"
    FINDINGS = "findings"
    FORGOTTEN = "forgotten"
    FRAME = "frame"
    FROM_WATCH = "from-watch"
    GATEWAY = "gateway"
    GATT = "gatt"
    HOUSEHOLD = "household"
    IDENTITY = "identity"
    IMPORTED = "imported"
    JOINED = "joined"
    KEPT = "kept"
    LEDGER = "ledger"
    LEFT = "left"
    LINK_KEY = "link-key"
    LINK_LOST = "link-lost"
    LOAD = "load"
    MESSAGE = "message"
    METRICS = "metrics"
    OWNER_CHANGED = "owner-changed"
    PAIRED = "paired"
    PAIRING_CLOSED = "pairing-closed"
    PAIRING_LOCKED = "pairing-locked"
    PAIRING_OPEN = "pairing-open"
    PARKED = "parked"
    PERMITTED = "permitted"
    PORT_FAILED = "port-failed"
    PROGRESS = "progress"
    RECEIVED = "received"
    RENAMED = "renamed"
    RINGING = "ringing"
    ROUND_TRIP = "round-trip"
    SCAN = "scan"
    SENT = "sent"
    SIMULATED = "simulated"
    STEP = "step"
    SUMMARY = "summary"
    TICKET = "ticket"
    TICKET_WANTED = "ticket-wanted"
    TIMING = "timing"
    TRANSFERRED = "transferred"
    TRUSTED = "trusted"
    UNLOCKED = "unlocked"
    UNTRUSTED = "untrusted"
    UNAVAILABLE = "unavailable"
    VALUE = "value"
    WATCH = "watch"
    WORDS = "words"
    WRITTEN = "written"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows for people; programs get the facts beside it."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    styles: Mapping[str, str] = field(default_factory=dict)
    """The style of cells with this text."""


@dataclass(frozen=True, slots=True)
class Lines:
    """A heading and lines below it, such as a QR code, for people; programs get the facts beside it."""

    heading: str
    lines: Sequence[str] = field(repr=False)


Shown = str | Table | Lines
"""What people see of an event."""


class Output(Protocol):
    """Where a command tells what happens."""

    def say(self, event: Event, shown: Shown = "", /, **facts: object) -> None:
        """Tell one event: people see `shown`, where there is something to see; programs get the facts."""

    def waiting(self, text: str) -> AbstractContextManager[None]:
        """People see that something goes on, and what."""

    def progress(self, text: str, size_bytes: int) -> AbstractContextManager[ShowProgress]:
        """A bar that fills up to `size_bytes`."""

    def counting(self, text: str, count: int) -> AbstractContextManager[ShowProgress]:
        """A bar that fills up to `count`."""


def printable(text: str) -> str:
    """The text with every control character escaped: a peer's words must not drive this terminal."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)


class JsonOutput:
    """One JSON object a line on standard output, in ASCII, each written at once."""

    def say(self, event: Event, _shown: Shown = "", /, **facts: object) -> None:
        """See Output."""
        print(json.dumps({"event": event.value, **facts}), flush=True)

    @contextmanager
    def waiting(self, _text: str) -> Iterator[None]:
        """See Output; programs need no spinner."""
        yield

    @contextmanager
    def progress(self, _text: str, size_bytes: int) -> Iterator[ShowProgress]:
        """See Output: an event for each tenth."""
        yield self._tenths("bytes", size_bytes)

    @contextmanager
    def counting(self, _text: str, count: int) -> Iterator[ShowProgress]:
        """See Output: an event for each tenth."""
        yield self._tenths("runs", count)

    def _tenths(self, unit: str, size: int) -> ShowProgress:
        tenths = -1

        def show(done: int) -> None:
            nonlocal tenths
            reached = 10 * done // max(1, size)
            if reached != tenths:
                tenths = reached
                self.say(Event.PROGRESS, **{f"done_{unit}": done, f"size_{unit}": size})

        return show


class HumanOutput:
    """Text, tables and bars on standard output; plain lines where it is no terminal.

    Raises:
        MissingExtra: rich is not installed.
    """

    def __init__(self) -> None:
        try:
            from rich.console import Console
        except ModuleNotFoundError as error:
            raise MissingExtra("cli", "output for people (--json works without)") from error
        self.console = Console(highlight=False)

    def say(self, _event: Event, shown: Shown = "", /, **_facts: object) -> None:
        """See Output."""
        if isinstance(shown, Table):
            self.console.print(self.drawn(shown))
        elif isinstance(shown, Lines):
            for line in (shown.heading, *shown.lines):
                self._print_line(line)
        elif shown:
            self._print_line(shown)

    @contextmanager
    def waiting(self, text: str) -> Iterator[None]:
        """See Output."""
        if not self.console.is_terminal:
            yield
            return
        with self.console.status(text):
            yield

    @contextmanager
    def progress(self, text: str, size_bytes: int) -> Iterator[ShowProgress]:
        """See Output."""
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

        columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn())
        with Progress(*columns, console=self.console) as bar:
            task = bar.add_task(printable(text), total=size_bytes)
            yield lambda done_bytes: bar.update(task, completed=done_bytes)

    @contextmanager
    def counting(self, text: str, count: int) -> Iterator[ShowProgress]:
        """See Output; it is gone when all is done."""
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=self.console, transient=True, disable=not self.console.is_terminal) as bar:
            task = bar.add_task(printable(text), total=count)
            yield lambda done: bar.update(task, completed=done)

    def _print_line(self, text: str) -> None:
        whole = not self.console.is_terminal  # a program that reads lines gets them as they are
        self.console.print(printable(text), markup=False, emoji=False, soft_wrap=whole)

    def drawn(self, table: Table) -> RichTable:
        """The table as rich draws it."""
        from rich import box
        from rich.table import Table as RichTable
        from rich.text import Text

        headed = any(table.columns)
        drawn = RichTable(
            title=Text(printable(table.title)), box=box.SIMPLE_HEAD, title_justify="left", show_header=headed
        )
        for number, column in enumerate(table.columns):
            is_short = all(len(row[number]) <= SHORT_CELL for row in table.rows)
            drawn.add_column(column, overflow="fold", no_wrap=is_short)
        for row in table.rows:
            drawn.add_row(*(Text(printable(cell), table.styles.get(cell, "")) for cell in row))
        return drawn


def tell_error(message: str, *, error: str, exit_code: int, as_json: bool) -> None:
    """What went wrong: a line on standard error for people, and for programs an object besides."""
    if as_json:
        JsonOutput().say(Event.ERROR, error=error, message=message, exit_code=exit_code)
    print(f"blechannel: {printable(message)}", file=sys.stderr)
