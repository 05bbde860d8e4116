"""A watch with the command line's services, in a thread of this process: quicker to start than a process is."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from blechannel.aio.watch import Watch
from blechannel.config import Config
from blechannel.roles import Role
from blechannel.stores.sqlite import SqliteStore
from blechannel_tools.radios import open_watch_radio
from blechannel_tools.watch_services import WatchServices
from tests.tools.programs import WAIT_S, Ran, Run

T = TypeVar("T")


class LiveWatch:
    """``with LiveWatch(transport, folder) as watch``: advertises until left. `folder` holds its bonds and the codes."""

    def __init__(self, transport: str, folder: Path, *, guest_ports: frozenset[str] = frozenset()) -> None:
        self._transport = transport
        self._folder = folder
        self._config = Config("wrist", guest_ports=guest_ports)
        self._running: concurrent.futures.Future[tuple[Watch, asyncio.AbstractEventLoop]] = concurrent.futures.Future()
        self._quit = asyncio.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))

    def __enter__(self) -> Self:
        self._thread.start()
        self.watch, self._loop = self._running.result(WAIT_S)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._quit.set)
        self._thread.join(WAIT_S)

    def do(self, what: Coroutine[Any, Any, T]) -> T:
        """Run it where the watch runs."""
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(WAIT_S)

    def look(self, what: Callable[[Watch], T]) -> T:
        """Ask the watch something where it runs."""

        async def asked() -> T:
            return what(self.watch)

        return self.do(asked())

    def pair(self, programs: Run, name: str) -> tuple[str, str]:
        """A phone of that name pairs by code; returns the options that name its store."""
        code = self._folder / "code"
        code.write_text(self.look(lambda watch: watch.open_pairing().code))
        store = ("--store", str(self._folder / f"{name}.db"))
        ran: Ran = programs("phone", "pair", "--code-file", str(code), "--name", name, *store)
        assert ran.code == 0, ran
        return store

    async def _run(self) -> None:
        try:
            async with await SqliteStore.open(self._folder / "live-watch.db", role=Role.WATCH) as store:
                radio = await open_watch_radio(self._transport, snoop=None)
                async with Watch(store, radio, config=self._config) as watch:
                    WatchServices(watch, None)
                    self._running.set_result((watch, asyncio.get_running_loop()))
                    await self._quit.wait()
        except BaseException as error:
            if self._running.done():
                raise
            self._running.set_exception(error)
