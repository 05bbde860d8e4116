"""The table of what `capture check` finds in docs/capture.md, from the kinds' own declaration."""

from __future__ import annotations

from typing import Final

from blechannel_capture.findings import MEANINGS, Kind
from blechannel_tools.docs.markdown import table

BEGIN: Final = "<!-- findings: generated from their declaration by `make docs` -->"
END: Final = "<!-- findings: end -->"


def with_findings(page: str) -> str:
    """`page` with the table between its two marks made anew.

    Raises:
        ValueError: the page has no such marks.
    """
    head, begun, rest = page.partition(BEGIN)
    _, ended, tail = rest.partition(END)
    if not begun or not ended:
        raise ValueError(f"the page lacks {BEGIN!r} or {END!r}")
    rows = [(f"`{kind.value}`", MEANINGS[kind]) for kind in Kind]
    return "\n".join([head + BEGIN, "", *table(["kind", "what it says"], rows), END + tail])
