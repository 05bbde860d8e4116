"""What one end of a channel holds in memory, beyond its transport, its store and what all ends share."""

from __future__ import annotations

import asyncio
import gc
import sys
import types
from collections.abc import Iterable, Iterator

from blechannel.aio.channel import Channel
from blechannel.aio.household import Household
from blechannel.transports.loopback import LoopbackAir

SHARED_KINDS = (type, types.ModuleType, types.FunctionType, asyncio.AbstractEventLoop, asyncio.Task, LoopbackAir)
"""Code, the loop, the air, which leads to everybody, and tasks, which are the application's."""
AEAD_BYTES = 2_400
"""What OpenSSL keeps for each AEAD, which Python does not see; `make bench` holds it."""


def held_bytes(channel: Channel, household: Household, *, besides: Channel) -> int:
    """Bytes of every Python object that goes with this end alone, ports included: what `besides`, another channel of
    the same program, leads to as well is not counted.

    OpenSSL's own memory is not in it: that is AEAD_BYTES a direction, while the session is awake.
    """
    shared = {id(each) for each in (household, household.store, household.store.book, channel._link, besides._link)}
    book = household.store.book
    for _ in _reached(
        [*book.bonds.values(), book.discovery_key, household._config, household._services, besides], shared
    ):
        """All of that would be there without this channel."""
    return sum(sys.getsizeof(each) for each in _reached([channel], shared))


def _reached(roots: Iterable[object], seen: set[int]) -> Iterator[object]:
    todo = list(roots)
    while todo:
        each = todo.pop()
        if id(each) not in seen and not isinstance(each, SHARED_KINDS):
            seen.add(id(each))
            todo.extend(gc.get_referents(each))
            yield each
