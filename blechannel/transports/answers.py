"""Waiting for a platform's library: bounded, with its errors mapped, and never left half done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TypeVar

from blechannel.errors import LinkLost, TransportError

T = TypeVar("T")

UNWIND_S = 12.0
"""For work that is called off to tidy up behind itself: bleak's own wait for a disconnection takes 10 s at most."""
LOST = "the link or its adapter was lost"

Explain = Callable[[BaseException, str], TransportError]
"""From a foreign error, and from what was being done, to an error of ours."""


async def answered(
    work: Coroutine[object, object, T],
    *,
    within_s: float,
    doing: str,
    explain: Explain,
    unless: asyncio.Future[str] | None = None,
    unwind_s: float = UNWIND_S,
) -> T:
    """What `work` gives, in time.

    It runs in a task of its own: some libraries cancel who waits when a link is lost, and that must not look like a
    cancellation of the caller. Called off, it is given `unwind_s` to tidy up before it is
    called off again: before Python 3.12 `wait_for` swallows a cancellation that meets its result.

    Raises:
        LinkLost: the library cancelled the work, or `unless` came first and says why.
        TransportError: it failed, or took longer than `within_s` seconds.
    """
    task = asyncio.ensure_future(work)
    waits: set[asyncio.Future[T] | asyncio.Future[str]] = {task, unless} if unless is not None else {task}
    try:
        await asyncio.wait(waits, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            if unless is not None and unless.done():
                raise LinkLost(f"{doing}: {unless.result()}")
            raise TransportError(f"{doing}: no answer within {within_s:g} s") from TimeoutError()
    finally:
        await _called_off(task, unwind_s)
    if task.cancelled():
        raise LinkLost(f"{doing}: {LOST}")
    error = task.exception()
    if isinstance(error, TransportError):
        raise error  # from itself it would lose what it came from
    if error is not None:
        raise explain(error, doing) from error
    return task.result()


async def _called_off(task: asyncio.Task[T], unwind_s: float) -> None:
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=unwind_s)
