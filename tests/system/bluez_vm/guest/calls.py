"""The host's calls: one JSON object a line in, one a line out, several under way at once."""

from __future__ import annotations

import asyncio
import json
import os
import traceback
from collections.abc import Awaitable, Callable, Mapping

from tests.system.bluez_vm.guest.ports import open_port

Call = Callable[..., Awaitable[object]]


async def serve(calls: Mapping[str, Call]) -> None:
    """Answer until the host closes the port. The first line says that the machine is up."""
    port = open_port("calls")
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(os.dup(port), "rb", 0))
    _say(port, {"id": 0, "gave": sorted(calls)})
    async with asyncio.TaskGroup() as answering:
        async for line in reader:
            asked = json.loads(line)
            answering.create_task(_answer(port, asked, calls[asked["call"]]))


async def _answer(port: int, asked: dict[str, object], call: Call) -> None:
    arguments = asked["with"]
    assert isinstance(arguments, dict)
    try:
        answer: dict[str, object] = {"gave": await call(**arguments)}
    except Exception as error:  # all of it is the host's to judge
        answer = {"raised": type(error).__name__, "text": str(error), "trace": traceback.format_exc()}
    _say(port, {"id": asked["id"], **answer})


def _say(port: int, answer: dict[str, object]) -> None:
    line = json.dumps(answer).encode() + b"\n"
    while line:
        line = line[os.write(port, line) :]
