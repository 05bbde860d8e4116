"""The watch's face on a terminal: state, the code in large digits, bonds, and what happened last. Fits 80x24."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from rich import box
from rich.align import Align
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from blechannel_tools.digits import grouped, large
from blechannel_tools.output import printable
from blechannel_tools.watch_state import Menu, Shown


class WatchFace:
    """``with WatchFace(console, look) as face``: `refresh` draws what `look` gives."""

    def __init__(self, console: Console, look: Callable[[], Shown]) -> None:
        self._look = look
        self._live = Live(self._draw(), console=console, auto_refresh=False, transient=True)

    def __enter__(self) -> WatchFace:
        self._live.start(refresh=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def refresh(self) -> None:
        """Draw again."""
        self._live.update(self._draw(), refresh=True)

    def _draw(self) -> RenderableType:
        return draw(self._look())


def draw(shown: Shown) -> RenderableType:
    """The whole face. A menu takes all of it, unless words wait; so does a QR code: half of one cannot be scanned."""
    if shown.menu is not None and not shown.words:
        return _menu(shown.menu)
    if shown.ticket:
        below = Text(f"{shown.what_to_do}: {shown.seconds_left} s left", style="yellow")
        return Group(Align.center(Text(shown.ticket.rstrip("\n"), no_wrap=True)), Align.center(below))
    parts: list[RenderableType] = [_state(shown), Text(), _pairing(shown), Text()]
    parts += _news(shown.news)
    keys = _keys(shown)
    return Panel(
        Group(*parts),
        title=Text(printable(shown.name), style="bold"),
        subtitle=Text(keys, style="dim"),
        box=box.ROUNDED,
        padding=(0, 2),
    )


def _news(lines: Iterable[str]) -> list[Text]:
    """The newest is shown whole: it may say what to do."""
    told = [f"· {printable(line)}" for line in lines]
    older = [Text(line, style="dim", no_wrap=True, overflow="ellipsis") for line in told[:-1]]
    return [*older, *(Text(line, overflow="fold") for line in told[-1:])]


def _menu(menu: Menu) -> Panel:
    table = Table.grid(padding=(0, 2))
    for row in menu.rows:
        table.add_row(*(Text(printable(cell), no_wrap=len(menu.rows) > 1, overflow="ellipsis") for cell in row))
    return Panel(
        table,
        title=Text(printable(menu.title), style="bold"),
        subtitle=Text(menu.keys, style="dim"),
        box=box.ROUNDED,
        padding=(0, 2),
    )


def _state(shown: Shown) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(no_wrap=True, overflow="ellipsis")
    table.add_row("advertising", Text(printable(shown.address)))
    table.add_row("bonds", str(shown.bonds))
    phones = ", ".join(map(printable, shown.connected)) or "nobody"
    table.add_row("connected", Text(phones, style="green" if shown.connected else ""))
    if shown.receiving_bytes:
        table.add_row("receiving", f"{shown.receiving_bytes:,} bytes so far")
    return table


def _keys(shown: Shown) -> str:
    if not shown.keys:
        return "Ctrl-C: quit"
    if shown.words:
        return "y: the same   n: not the same"
    if len(shown.methods) > 1:
        # Two spaces between them: all the methods that there are fit in 80 columns.
        choices = "  ".join(f"{number}: {word}" for number, word in enumerate(shown.methods, start=1))
        return f"pair by  {choices}  h: phones  q: quit"
    return "p or Enter: open a pairing window   h: phones   q: quit"


def _pairing(shown: Shown) -> RenderableType:
    if shown.words:
        words = Text("   ".join(shown.words), style="bold bright_white")
        question = Text("does the phone show the same words, in this order?", style="yellow")
        return Group(Align.center(words), Text(), Align.center(question))
    if not shown.what_to_do:
        return Align.center(_no_window(shown.locked_s))
    below = Align.center(Text(f"{shown.what_to_do}: {_attempts(shown)}{shown.seconds_left} s left", style="yellow"))
    return Group(_Digits(shown.code), Text(), below) if shown.code else below


def _attempts(shown: Shown) -> str:
    """Nothing where no attempt counts."""
    if not shown.attempts_left:
        return ""
    return "one attempt, " if shown.attempts_left == 1 else f"{shown.attempts_left} attempts, "


def _no_window(locked_s: int) -> Text:
    if not locked_s:
        return Text("no pairing window is open", style="dim")
    return Text(f"too many tries failed: pairing by code or words is locked for {locked_s} s", style="red")


@dataclass(frozen=True, slots=True)
class _Digits:
    """The code, large where there is room: half a digit would be a wrong one."""

    code: str = field(repr=False)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        rows = large(self.code)
        fits = len(rows[0]) <= options.max_width
        yield Align.center(
            Text("\n".join(rows) if fits else grouped(self.code), style="bold bright_white", no_wrap=True)
        )
