"""Programs of their own, and what processor time they take, by the system's account."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import IO


@dataclass(frozen=True)
class Used:
    """What a program has used until it ended."""

    seconds: float
    """Of processor time, the system's included."""
    printed: str


def use(command: Sequence[str], *, fed: Iterable[bytes] = ()) -> Used:
    """Run it to its end, with `fed` on its standard input; its standard output is what it prints.

    A Python program may keep its compiled modules, as an installed one does: the first run is the slower one.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        stdin, stdout = _pipe(process.stdin), _pipe(process.stdout)
        for piece in fed:
            stdin.write(piece)
        stdin.close()
        printed = stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, f"{command[0]} ended with {process.returncode}"
    return Used(usage.ru_utime + usage.ru_stime, printed.decode())


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None
    return stream
