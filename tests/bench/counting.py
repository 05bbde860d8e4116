"""How much the interpreter does for a piece of work: counts, which do not depend on the machine or on its load.

They do depend on the interpreter's version, and say nothing about what a call into C costs: `make bench` measures that.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any, Final

from tests.bench.ratio import Work


@dataclass(frozen=True)
class Counts:
    """Of one run of the work."""

    calls: int
    """Of Python and C functions; generators count at each step."""
    opcodes: int
    """Of Python code."""


def count(work: Work) -> Counts:
    """Both, in runs of their own, after one that warms up what is made only once."""
    work()
    return Counts(count_calls(work), count_opcodes(work))


def count_calls(work: Work) -> int:
    """How many functions are called."""
    number = 0

    def look(_: FrameType, event: str, __: object) -> None:
        nonlocal number
        number += event in ("call", "c_call")

    with _no_collection():
        sys.setprofile(look)
        try:
            work()
        finally:
            sys.setprofile(None)
    return number


def count_opcodes(work: Work) -> int:
    """How many instructions of Python are run."""
    if sys.version_info >= (3, 12):  # where tracing no longer tells each reliably, and monitoring is cheaper
        return _monitored(work)
    return _traced(work)


def _traced(work: Work) -> int:
    number = 0

    def look(frame: FrameType, event: str, _: object) -> Any:
        nonlocal number
        if event == "call":
            frame.f_trace_opcodes, frame.f_trace_lines = True, False
        number += event == "opcode"
        return look

    before = sys.gettrace()
    with _no_collection():
        sys.settrace(look)
        try:
            work()
        finally:
            sys.settrace(before)
    return number


if sys.version_info >= (3, 12):
    _TOOL: Final = 4
    """Neither a debugger's, a profiler's nor a measurer of coverage's."""

    def _monitored(work: Work) -> int:
        number, monitoring = 0, sys.monitoring

        def look(_: CodeType, __: int) -> None:
            nonlocal number
            number += 1

        monitoring.use_tool_id(_TOOL, "counting")
        monitoring.register_callback(_TOOL, monitoring.events.INSTRUCTION, look)
        with _no_collection():
            monitoring.set_events(_TOOL, monitoring.events.INSTRUCTION)
            try:
                work()
            finally:
                monitoring.set_events(_TOOL, monitoring.events.NO_EVENTS)
                monitoring.free_tool_id(_TOOL)
        return number


@contextmanager
def _no_collection() -> Iterator[None]:
    """A collection may call what others left behind."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
