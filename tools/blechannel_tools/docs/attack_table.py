"""The table of attacks in docs/threats.md, from the docstrings of tests/attacks."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from blechannel_tools.docs.markdown import table

BEGIN: Final = "<!-- attacks: generated from tests/attacks by `make docs` -->"
END: Final = "<!-- attacks: end -->"
_DOCSTRING = re.compile(r"(?P<attack>.+?)\n\nPublished: (?P<published>.+?)\nStopped by: (?P<stopped>.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Attack:
    """A family of attacks, as its file describes it."""

    file: str
    what: str
    published: str
    stopped_by: str


def read_attack(path: Path) -> Attack:
    """What the docstring of one file says.

    Raises:
        ValueError: it does not say what the attack is, where it was published and what stops it.
    """
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    match = _DOCSTRING.fullmatch(docstring.strip())
    if match is None:
        raise ValueError(f"{path}: a docstring here has an attack, 'Published:' and 'Stopped by:'")
    what, published, stopped_by = (" ".join(part.split()) for part in match.groups())
    return Attack(path.name, what, published, stopped_by)


def attack_rows(folder: Path) -> list[str]:
    """The table of every `test_*.py` in `folder`."""
    attacks = [read_attack(path) for path in sorted(folder.glob("test_*.py"))]
    rows = [(a.what, a.published, a.stopped_by, f"`tests/attacks/{a.file}`") for a in attacks]
    return table(["attack", "published", "stopped by", "held by"], rows)


def with_attacks(page: str, folder: Path) -> str:
    """`page` with the table between its two marks made anew.

    Raises:
        ValueError: the page has no such marks.
    """
    head, begun, rest = page.partition(BEGIN)
    _, ended, tail = rest.partition(END)
    if not begun or not ended:
        raise ValueError(f"the page lacks {BEGIN!r} or {END!r}")
    return "\n".join([head + BEGIN, "", *attack_rows(folder), END + tail])
