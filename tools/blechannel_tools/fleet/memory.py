"""What one end of a channel holds in memory, beyond its transport, its store and what all ends share."""

from __future__ import annotations

import asyncio
import gc
import sys
import types
from collections.abc import Iterable, Iterator

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from blechannel.aio.channel import Channel
from blechannel.aio.household import Household
from blechannel_tools.fleet.resources import resident_bytes

SHARED_KINDS = (type, types.ModuleType, types.FunctionType, asyncio.AbstractEventLoop, asyncio.Task)
"""Code, the loop, and tasks, which are the application's."""
AEADS = 20_000


def held_bytes(channel: Channel, household: Household, *, besides: Channel) -> int:
    """Bytes of every Python object that goes with this end alone, ports included: what `besides`, another channel of
    the same program, leads to as well is not counted. OpenSSL's own memory is not in it.
    """
    shared = {id(each) for each in (household, household.store, household.store.book, channel._link, besides._link)}
    book = household.store.book
    for _ in _reached([*book.bonds.values(), book.discovery_key, household._config, besides], shared):
        """All of that would be there without this channel."""
    return sum(sys.getsizeof(each) for each in _reached([channel], shared))


def aead_bytes() -> int | None:
    """What one AEAD takes of memory that Python does not count, on average over many; None where nobody tells."""
    before = resident_bytes()
    kept = [_warm_aead() for _ in range(AEADS)]
    after = resident_bytes()
    return None if before is None or after is None else max(0, after - before) // len(kept)


def _warm_aead() -> ChaCha20Poly1305:
    aead = ChaCha20Poly1305(bytes(32))
    aead.encrypt(bytes(12), b"", None)
    return aead


def _reached(roots: Iterable[object], seen: set[int]) -> Iterator[object]:
    todo = list(roots)
    while todo:
        each = todo.pop()
        if id(each) not in seen and not isinstance(each, SHARED_KINDS):
            seen.add(id(each))
            todo.extend(gc.get_referents(each))
            yield each
