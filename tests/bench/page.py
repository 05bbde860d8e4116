"""What was measured as the table of docs/benchmarks.md, between the two marks that stand there."""

from __future__ import annotations

import os
import platform
import re
import ssl
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Final

from tests.bench.ratio import Figures, Sizes

BEGIN, END = "<!-- measured -->", "<!-- end of what was measured -->"
PACKAGES: Final = ("cryptography", "bumble", "noiseprotocol", "dissononce", "scapy", "pyshark")
BEGIN_SIZES, END_SIZES = "<!-- measured in bytes -->", "<!-- end of what was measured in bytes -->"
COLUMNS: Final = ("measured", "of", "× floor", "middle", "spread", "at most", "µs", "a second")


def write(page: Path, measured: Sequence[Figures | Sizes], programs: Sequence[str] = ()) -> None:
    """Put the tables of times and of sizes in the place of those that are there; `programs` are further versions, in
    words. A table of which nothing was measured stays as it is.

    Raises:
        ValueError: the page has no place for it.
    """
    text = page.read_text(encoding="utf-8")
    times = [each for each in measured if isinstance(each, Figures)]
    sizes = [each for each in measured if isinstance(each, Sizes)]
    if times:
        text = _put(text, (BEGIN, END), [machine(programs), "", *rows(times)])
    if sizes:
        text = _put(text, (BEGIN_SIZES, END_SIZES), size_rows(sizes))
    page.write_text(text, encoding="utf-8")


def _put(text: str, marks: tuple[str, str], lines: Iterable[str]) -> str:
    begin, end = (f"{mark}\n" for mark in marks)
    before, found, rest = text.partition(begin)
    _, found_end, after = rest.partition(end)
    if not (found and found_end):
        raise ValueError(f"the page has no place for a table: {marks[0]}, and later {marks[1]}")
    return before + begin + "\n" + "\n".join([*lines, ""]) + "\n" + end + after


def machine(programs: Sequence[str] = ()) -> str:
    """The class of the machine and the versions; nothing that names one machine."""
    python = f"Python {platform.python_version()}"
    packages = [f"{each} {version(each)}" for each in PACKAGES if _is_installed(each)]
    return (
        f"{sys.platform} on {platform.machine()}, {os.cpu_count()} processors, {python}, "
        + ", ".join([*packages, _short(ssl.OPENSSL_VERSION), *programs])
        + "."
    )


def rows(measured: Iterable[Figures]) -> Iterator[str]:
    """The table in Markdown, a row a candidate."""
    yield "| " + " | ".join(COLUMNS) + " |"
    yield "|" + "---|" * 2 + "---:|" * (len(COLUMNS) - 2)
    for figures in measured:
        for name in figures.batches[0]:
            yield "| " + " | ".join(_cells(figures, name)) + " |"


def size_rows(measured: Iterable[Sizes]) -> Iterator[str]:
    """The table of sizes in Markdown, a row a candidate."""
    yield "| measured | of | bytes | at most |"
    yield "|---|---|---:|---:|"
    for sizes in measured:
        for name, size in sizes.sizes_bytes.items():
            yield f"| {sizes.title} | {name} | {size:,} | {sizes.most_bytes[name]:,} |"


def _cells(figures: Figures, name: str) -> tuple[str, ...]:
    ratios, best_s = figures.ratios(name), figures.seconds(name)[0]
    spread = f"{ratios[0]:.2f}–{ratios[-1]:.2f}" if name != figures.floor else ""
    target = f"{figures.targets[name]:.2f}" if name in figures.targets else ""
    rate = f"{1 / best_s:,.0f}; {figures.moved_bytes / best_s / 1e6:,.1f} MB" if figures.moved_bytes else ""
    middle = f"{median(ratios):.2f}" if name != figures.floor else ""
    return (figures.title, name, f"{figures.ratio(name):.2f}", middle, spread, target, f"{best_s * 1e6:,.1f}", rate)


def _is_installed(package: str) -> bool:
    try:
        version(package)
    except ModuleNotFoundError:  # what importlib.metadata raises, too
        return False
    return True


def _short(openssl: str) -> str:
    found = re.match(r"\S+ \S+", openssl)
    return found[0] if found else openssl
