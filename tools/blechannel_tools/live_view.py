"""What `phone watch-live` shows: a table that changes in place, with a small plot; lines where it is no terminal."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from blechannel_tools.output import Event, HumanOutput, Output, printable
from blechannel_tools.readings import SERVICES, facts_of, number_of, sparkline, words_of
from gatt_profiles.profile import Characteristic, Service

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

PLOTTED = 20
"""Values that a plot shows."""
GAP = 2
NAMES = tuple(characteristic.name for service in SERVICES.values() for characteristic in service.characteristics)
"""In the order of the rows."""


class LiveView:
    """``with view.shown():`` while values come; `values` counts them."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._now: dict[str, str] = {}
        self._plots: dict[str, deque[float]] = {}
        self._live: Live | None = None
        self.values = 0

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Draw in place where people look at a terminal."""
        output = self._output
        if not isinstance(output, HumanOutput) or not output.console.is_terminal:
            yield
            return
        from rich.live import Live

        with Live(console=output.console, auto_refresh=False) as self._live:
            yield
        self._live = None

    def show(self, service: Service, characteristic: Characteristic[Any], value: object) -> None:
        """One more value."""
        self.values += 1
        words = words_of(value)
        self._now[characteristic.name] = words
        if (number := number_of(value)) is not None:
            self._plots.setdefault(characteristic.name, deque(maxlen=PLOTTED)).append(number)
        if self._live is not None:
            self._live.update(self._drawn(self._live.console.width), refresh=True)
            return
        self._output.say(
            Event.VALUE,
            f"{characteristic.name}: {words}",
            port=service.port,
            characteristic=characteristic.name,
            text=words,
            value=facts_of(value),
        )

    def _drawn(self, width: int) -> Table:
        from rich.table import Table
        from rich.text import Text

        rows = [name for name in NAMES if name in self._now]
        room = max(1, width - max(map(len, rows)) - PLOTTED - 2 * GAP)  # rich would take it from the plot
        table = Table.grid(padding=(0, GAP))
        table.add_column(style="dim", no_wrap=True)
        table.add_column(no_wrap=True, overflow="ellipsis", max_width=room)
        table.add_column(no_wrap=True, style="green")
        for name in rows:
            table.add_row(name, Text(printable(self._now[name])), Text(sparkline(self._plots.get(name, ()))))
        return table
