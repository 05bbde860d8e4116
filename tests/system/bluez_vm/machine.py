"""A virtual machine with Debian's kernel and BlueZ, on an air that the host shares.

No image is built: its Python is the host's, and everything else comes from unpacked packages.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from blechannel.transports.bumble.virtual import VirtualAir
from tests.system.bluez_vm.initramfs import initramfs
from tests.system.bluez_vm.kernel import H4Port, KernelController
from tests.system.bluez_vm.packages import Packages, Release, unpacked
from tests.system.bluez_vm.qemu import command_line

BOOT_S = 180.0
CALL_S = 60.0
STOP_S = 5.0
_BOOT = 0
"""The number of the answer that says that the machine is up."""
_CONSOLE_LINES = 30


class MachineError(Exception):
    """The machine stopped, or did not answer in time."""


class GuestError(Exception):
    """What a call raised inside the machine; `kind` is the name of its class."""

    def __init__(self, kind: str, text: str, trace: str) -> None:
        super().__init__(f"{kind}: {text}\n{trace}")
        self.kind = kind
        self.text = text


class Machine:
    """Made by `running`."""

    def __init__(self, air: VirtualAir, out: Path) -> None:
        loop = asyncio.get_running_loop()
        self.air = air
        self.out = out
        """Where the machine writes captures and logs."""
        self.controller = KernelController(air)
        self._numbers = itertools.count(_BOOT + 1)
        self._waiting: dict[int, asyncio.Future[dict[str, object]]] = {_BOOT: loop.create_future()}
        self._servers: list[asyncio.Server] = []
        self._writer: asyncio.StreamWriter | None = None
        self._watching: asyncio.Task[None] | None = None

    async def boot(self, packages: Packages, sockets: Path) -> None:
        """Return once the machine takes calls.

        Raises:
            MachineError: it does not come up.
        """
        loop = asyncio.get_running_loop()
        self._servers = [
            await loop.create_unix_server(lambda: H4Port(self.controller), sockets / "hci"),
            await asyncio.start_unix_server(self._read_answers, sockets / "calls"),
        ]
        (sockets / "initramfs").write_bytes(initramfs(packages))
        command = command_line(packages, sockets, self.out)
        with (self.out / "console.log").open("wb") as console:
            process = await asyncio.create_subprocess_exec(
                *command, stdin=asyncio.subprocess.DEVNULL, stdout=console, stderr=console
            )
        self._watching = loop.create_task(self._watch(process))
        await self._answer(_BOOT, "boot", BOOT_S)

    async def call(self, name: str, *, within_s: float = CALL_S, **arguments: object) -> object:
        """What a function of the machine gives for these arguments; all of it as in JSON.

        Raises:
            GuestError: it raised something.
            MachineError: no answer in time, or the machine has stopped.
        """
        if self._writer is None or self._writer.is_closing():
            raise MachineError(f"the machine is not running\n{self._console()}")
        number = next(self._numbers)
        self._waiting[number] = asyncio.get_running_loop().create_future()
        self._writer.write(json.dumps({"id": number, "call": name, "with": arguments}).encode() + b"\n")
        answer = await self._answer(number, name, within_s)
        if "raised" in answer:
            raise GuestError(str(answer["raised"]), str(answer["text"]), str(answer["trace"]))
        return answer["gave"]

    async def stop(self) -> None:
        """Let it end, or make it; never raises."""
        for server in self._servers:
            server.close()
        if self._writer is not None:
            self._writer.close()
        if self._watching is not None:
            await asyncio.wait({self._watching}, timeout=STOP_S)
            self._watching.cancel()
            await asyncio.wait({self._watching})

    async def _answer(self, number: int, doing: str, within_s: float) -> dict[str, object]:
        try:
            async with asyncio.timeout(within_s):
                return await self._waiting[number]
        except TimeoutError:
            raise MachineError(f"{doing}: no answer within {within_s:g} s\n{self._console()}") from None
        finally:
            del self._waiting[number]

    async def _read_answers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        async for line in reader:
            answer = json.loads(line)
            if (waiting := self._waiting.get(answer["id"])) is not None and not waiting.done():
                waiting.set_result(answer)

    async def _watch(self, process: asyncio.subprocess.Process) -> None:
        """See the machine's end, and bring it about when cancelled."""
        try:
            await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
            for waiting in self._waiting.values():
                if not waiting.done():
                    waiting.set_exception(MachineError(f"the machine has stopped\n{self._console()}"))

    def _console(self) -> str:
        lines = (self.out / "console.log").read_text(errors="replace").splitlines()
        return "\n".join(["the end of its console:", *lines[-_CONSOLE_LINES:]])


@asynccontextmanager
async def running(release: Release, out: Path) -> AsyncGenerator[Machine, None]:
    """A machine on an air of its own; captures and logs go into the folder `out`, which exists.

    Raises:
        Unavailable: this host lacks something.
        MachineError: it does not come up.
    """
    packages = await asyncio.to_thread(unpacked, release)
    machine = Machine(VirtualAir(), out)
    with tempfile.TemporaryDirectory(prefix="bluez-vm-") as sockets:
        try:
            await machine.boot(packages, Path(sockets))
            yield machine
        finally:
            await machine.stop()
