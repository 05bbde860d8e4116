"""Markdown as the generated pages need it: tables, and bytes with what they mean beside them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

_LINE_BYTES = 16
_GUTTER = 3 * _LINE_BYTES + 2


def generated(title: str) -> list[str]:
    """The head of a page."""
    return [f"# {title}", "", "<!-- Generated from the code: change that, then run `make docs`. -->", ""]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table; cells may hold inline Markdown but no line ends."""
    return [_row(head), _row(["---"] * len(head)), *map(_row, rows), ""]


def code(lines: Iterable[str], language: str = "text") -> list[str]:
    """A block that is shown as it is."""
    return [f"```{language}", *lines, "```", ""]


def annotated(parts: Iterable[tuple[bytes, str]]) -> list[str]:
    """Bytes in hexadecimal, at most 16 a line, each part on lines of its own with what it is."""
    lines: list[str] = []
    for part, meaning in parts:
        for start in range(0, len(part), _LINE_BYTES):
            shown = part[start : start + _LINE_BYTES].hex(" ")
            lines.append(f"{shown:{_GUTTER}}{meaning if start == 0 else ''}".rstrip())
    return code(lines)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
