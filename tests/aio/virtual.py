"""Runs a test on a clock that jumps: minutes of patience take milliseconds, and nothing is left behind."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Coroutine
from typing import ParamSpec

from blechannel.transports.virtual_time import run_virtual

P = ParamSpec("P")


def on_virtual_clock(test: Callable[P, Coroutine[object, object, None]]) -> Callable[P, None]:
    """A test that ends with no task but its own; waiting for what can never come is an error there."""

    @functools.wraps(test)
    def run(*arguments: P.args, **named: P.kwargs) -> None:
        run_virtual(_leaving_nothing(test(*arguments, **named)))

    return run


async def _leaving_nothing(test: Coroutine[object, object, None]) -> None:
    await test
    assert asyncio.all_tasks() == {asyncio.current_task()}


def now_s() -> float:
    """Seconds on the running loop's clock."""
    return asyncio.get_running_loop().time()
