"""What happens to channels, for the log: each kind of thing a few times a minute, the rest of them counted.

A stranger can connect as often as the radio allows. What each such visit leaves in the log is bounded, so that nobody
can fill a disk or hide something else in the flood.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping
from typing import Final

PERIOD_S: Final = 60.0
LINES: Final = 10
"""Of one kind in a period; one more says how many there were beside them."""


class Journal:
    """Writes to a logger, with structured fields as the record's attribute `fields`. Never anything secret."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._said: Counter[str] = Counter()
        self._timer: asyncio.TimerHandle | None = None

    def say(
        self,
        kind: str,
        message: str,
        fields: Mapping[str, object],
        *,
        level: int = logging.INFO,
        cause: Exception | None = None,
    ) -> None:
        """Log it, with the traceback of `cause`, unless there was enough of its kind.

        `kind` is one of a few, and a field as well.
        """
        if not self._log.isEnabledFor(level):
            return
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(PERIOD_S, self.sum_up)
        self._said[kind] += 1
        if self._said[kind] <= LINES:
            self._log.log(level, message, exc_info=cause, extra={"fields": {"kind": kind, **fields}})

    def sum_up(self) -> None:
        """Say how many were left out, and begin a new period."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        said, self._said = self._said, Counter()
        for kind, count in said.items():
            if count > LINES:
                more = count - LINES
                message = f"{more} more of {kind} within {PERIOD_S:g} s"
                self._log.info(message, extra={"fields": {"kind": kind, "left_out": more}})
