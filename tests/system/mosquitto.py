"""A real broker on its own port, with its own configuration and folder; killed and started as a test asks."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

LOOPBACK = "127.0.0.1"
STARTS_S = 10.0


class Mosquitto:
    """One broker. `lines` are added to its configuration."""

    def __init__(self, folder: Path, lines: Sequence[str]) -> None:
        self.port = _free_port()
        self.log = folder / "mosquitto.log"
        self._configuration = folder / "mosquitto.conf"
        self._process: asyncio.subprocess.Process | None = None
        common = [
            f"listener {self.port} {LOOPBACK}",
            "persistence true",
            f"persistence_location {folder}/",
            "autosave_interval 1",
            f"log_dest file {self.log}",
            *(["user root"] if os.name == "posix" and os.getuid() == 0 else []),
        ]
        self._configuration.write_text("\n".join([*common, *lines, ""]))

    async def start(self) -> None:
        """Return once it takes connections."""
        program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        self._process = await asyncio.create_subprocess_exec(
            program,
            "-c",
            str(self._configuration),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        async with asyncio.timeout(STARTS_S):
            while True:
                try:
                    _, writer = await asyncio.open_connection(LOOPBACK, self.port)
                except OSError:
                    assert self._process.returncode is None, self.log.read_text()
                    await asyncio.sleep(0.01)
                else:
                    writer.transport.abort()
                    return

    async def kill(self) -> None:
        """SIGKILL: what it had in memory is gone."""
        if self._process is not None:
            self._process.kill()
            await self._process.wait()
            self._process = None


@asynccontextmanager
async def mosquitto(folder: Path, *lines: str) -> AsyncGenerator[Mosquitto, None]:
    """A running broker; gone afterwards. Skips where none is installed."""
    if shutil.which("mosquitto") is None and not Path("/usr/sbin/mosquitto").exists():
        pytest.skip("mosquitto is not installed")
    folder.mkdir(exist_ok=True)
    broker = Mosquitto(folder, lines)
    await broker.start()
    try:
        yield broker
    finally:
        await broker.kill()


def _free_port() -> int:
    with socket.create_server((LOOPBACK, 0)) as server:
        port: int = server.getsockname()[1]
        return port
