"""Tasks that live and end together."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any


async def together(jobs: Iterable[Coroutine[Any, Any, object]]) -> None:
    """Run all until they have ended; the first failure ends the others, and is raised as it is."""
    tasks = [asyncio.ensure_future(job) for job in jobs]
    if not tasks:
        return
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    for how in ended:
        if isinstance(how, Exception):
            raise how


async def end(task: asyncio.Task[Any]) -> None:
    """Cancel it and wait for its end; what it failed with is raised."""
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()
