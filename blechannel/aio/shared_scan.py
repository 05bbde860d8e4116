"""One scan for all who look for a watch at the same time."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import aclosing
from typing import TYPE_CHECKING, Final

from blechannel.aio.link import Sighting
from blechannel.errors import BlechannelError, TransportError

if TYPE_CHECKING:
    from blechannel.aio.phone import FoundWatch

Scan = Callable[[], AsyncGenerator[Sighting, None]]
Resolve = Callable[[Sighting], "FoundWatch | None"]

MAX_STRANGERS: Final = 64
"""Unresolved watches that are remembered during a scan; the one that was seen first is forgotten first."""


class SharedScan:
    """Scans while somebody looks, once for all of them. Whoever looks is told of the next sighting of their watch."""

    def __init__(self, scan: Scan, resolve: Resolve) -> None:
        self._scan = scan
        self._resolve = resolve
        self._looking: defaultdict[bytes | None, set[asyncio.Future[FoundWatch]]] = defaultdict(set)
        self._task: asyncio.Task[None] | None = None
        self._ending: set[asyncio.Task[None]] = set()
        self.strangers: dict[str, FoundWatch] = {}
        """The watches of this scan that no bond resolved, by address, as they were seen last."""

    async def seen(self, bond_id: bytes | None) -> FoundWatch:
        """The next sighting of the watch whose advertisement this bond resolves; of None, there is none.

        Raises:
            TransportError: no adapter, or it refuses.
        """
        sighting: asyncio.Future[FoundWatch] = asyncio.get_running_loop().create_future()
        self._looking[bond_id].add(sighting)
        if self._task is None:
            self._task = asyncio.create_task(self._run(tuple(self._ending)), name="blechannel scan")
        try:
            return await sighting
        finally:
            self._leave(bond_id, sighting)

    async def close(self) -> None:
        """Return once no scan is under way; nobody may look any more."""
        while self._ending:
            await asyncio.wait(self._ending)

    def _leave(self, bond_id: bytes | None, sighting: asyncio.Future[FoundWatch]) -> None:
        looking = self._looking[bond_id]
        looking.discard(sighting)
        if not looking:
            del self._looking[bond_id]
        if not self._looking:
            self._end()

    def _end(self) -> None:
        """Nobody looks: the radio may rest."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    async def _run(self, former: Collection[asyncio.Task[None]]) -> None:
        """One scan, after the end of former ones: a radio scans once at a time."""
        if former:
            await asyncio.wait(former)
        self.strangers.clear()
        error: BlechannelError = TransportError("the scan ended")
        try:
            async with aclosing(self._scan()) as sightings:
                async for sighting in sightings:
                    self._saw(sighting)
        except BlechannelError as failure:
            error = failure
        self._task = None
        for futures in self._looking.values():
            for future in futures:
                if not future.done():
                    future.set_exception(error)

    def _saw(self, sighting: Sighting) -> None:
        found = self._resolve(sighting)
        if found is None:
            return
        if found.bond is None:
            self.strangers.pop(found.address, None)
            self.strangers[found.address] = found
            while len(self.strangers) > MAX_STRANGERS:
                del self.strangers[next(iter(self.strangers))]
            return
        self.strangers.pop(found.address, None)
        for future in self._looking.get(found.bond.bond_id, ()):
            if not future.done():
                future.set_result(found)
