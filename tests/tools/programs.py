"""`blechannel` run in this process, and as a process of its own that tells events."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

WAIT_S = 20.0

Facts = dict[str, Any]
Run = Callable[..., "Ran"]


@dataclass(frozen=True)
class Ran:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def events(self) -> list[Facts]:
        """What it told programs."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def last(self) -> Facts:
        """The final event."""
        return self.events[-1]

    def only(self, name: str) -> Facts:
        """The one event of that name."""
        [found] = [event for event in self.events if event["event"] == name]
        return found


def command(arguments: Sequence[str]) -> list[str]:
    """How this environment's `blechannel` is started."""
    return [sys.executable, "-m", "blechannel_tools.cli", *arguments]


class Program:
    """``with Program("watch", …) as watch``: a process that prints JSON lines, or for people; leaving ends it."""

    def __init__(self, *arguments: str, people: bool = False, wait_s: float = WAIT_S) -> None:
        self._wait_s = wait_s
        self._process = subprocess.Popen(
            command(arguments if people else [*arguments, "--json"]),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self.seen: list[Facts] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        self.wait()

    def line(self, within_s: float | None = None) -> str:
        """The next line."""
        line = self._lines.get(timeout=self._wait_s if within_s is None else within_s)
        assert line is not None, f"it ended: {self.seen}"
        return line.rstrip("\n")

    def event(self, name: str) -> Facts:
        """The next event of that name; others before it are skipped."""
        until = time.monotonic() + self._wait_s
        while True:
            facts: Facts = json.loads(self.line(max(0.0, until - time.monotonic())))
            self.seen.append(facts)
            if facts["event"] == name:
                return facts

    def type(self, text: str) -> None:
        """A line on its standard input."""
        assert self._process.stdin is not None
        self._process.stdin.write(text + "\n")
        self._process.stdin.flush()

    def interrupt(self, how: signal.Signals = signal.SIGINT) -> Ran:
        """Ctrl-C or another signal, and how it ends."""
        self._process.send_signal(how)
        return self.wait()

    def wait(self) -> Ran:
        """How it ends by itself."""
        try:
            code = self._process.wait(self._wait_s)
        finally:
            self._process.kill()
            self._reader.join(self._wait_s)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        rest = []
        while not self._lines.empty():
            rest.append(self._lines.get() or "")
        err = "" if self._process.stderr.closed else self._process.stderr.read()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            stream.close()
        return Ran(code, "".join(rest), err)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(None)


class Terminal:
    """Both ends of a pseudo-terminal: what a person types and sees."""

    def __init__(self) -> None:
        import pty

        self._person: int | None
        self._person, slave = pty.openpty()
        self.program = os.fdopen(slave, "r+b", buffering=0)
        self.screen = b""

    def type(self, text: str) -> None:
        """Press keys."""
        assert self._person is not None
        os.write(self._person, text.encode())

    def until(self, text: str) -> None:
        """Read the screen until `text` is on it."""
        assert self._person is not None
        until = time.monotonic() + WAIT_S
        while text.encode() not in self.screen:
            assert time.monotonic() < until, self.screen
            self.screen += os.read(self._person, 65536)

    def hang_up(self) -> None:
        """The person's end is gone. Safe to call again."""
        person, self._person = self._person, None
        if person is not None:
            os.close(person)

    def close(self) -> None:
        """Let both ends go."""
        self.program.close()
        self.hang_up()
