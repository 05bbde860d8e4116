"""How much the interpreter does for a piece of work: counts, which do not depend on the machine or on its load.

They do depend on the interpreter's version, and say nothing about what a call into C costs: `make bench` measures that.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

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


@contextmanager
def _no_collection() -> Iterator[None]:
    """A collection may call what others left behind."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
