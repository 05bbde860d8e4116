"""What a mutant is: one security check, and the smallest change that takes it away."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

CHECKOUT: Final = Path(__file__).parents[2]


class Stale(Exception):
    """The text that a mutant replaces is not in its file exactly once: the list no longer describes the code."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """`old` stands exactly once in `file` and becomes `new`; one of `tests` fails then."""

    check: str
    """What is taken away, in words; unique."""
    file: str
    """Below `blechannel/`, or with the folder `gatt_profiles/` or `tools/`."""
    old: str
    new: str
    tests: str
    """Paths below `tests/`, or names of single tests in them, with spaces between."""

    @property
    def path(self) -> str:
        """The file, from the checkout's root."""
        return self.file if self.file.startswith(("gatt_profiles/", "tools/")) else f"blechannel/{self.file}"

    @property
    def test_paths(self) -> list[str]:
        """What to run first, from the checkout's root."""
        return [f"tests/{each}" for each in self.tests.split()]

    def applied(self, root: Path = CHECKOUT) -> str:
        """The file's text with the change in it; raises Stale."""
        text = (root / self.path).read_text(encoding="utf-8")
        if (count := text.count(self.old)) != 1:
            raise Stale(f"stale mutant: {self.check}: {self.old!r} stands {count} times in {self.path}")
        return text.replace(self.old, self.new)
