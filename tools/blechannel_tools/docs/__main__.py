"""``python -m blechannel_tools.docs [--check] [folder]``: write the generated pages, or say which are stale."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from blechannel_tools.docs.attack_table import with_attacks
from blechannel_tools.docs.conversation_page import conversation_page
from blechannel_tools.docs.findings_table import with_findings
from blechannel_tools.docs.schema_table import with_schema
from blechannel_tools.docs.wire_page import wire_page
from blechannel_tools.docs.wireshark import dissector

DISSECTOR: Final = "../tools/wireshark/blechannel.lua"
PAGES: Final[dict[str, Callable[[], str]]] = {"conversation.md": conversation_page, "wire.md": wire_page}
THREATS: Final = "threats.md"
"""Written by hand, but for one table: that of the attacks that the tests beside the folder of documents try."""

CAPTURES: Final = "capture.md"
"""The same, but for the tables of what is found and of what is exported."""


def stale(folder: Path) -> list[Path]:
    """The pages in `folder` that are missing or are not what the code says."""
    return [folder / name for name, page in _pages(folder).items() if _text(folder / name) != page]


def write(folder: Path) -> None:
    """Write every page anew."""
    for name, page in _pages(folder).items():
        (folder / name).write_text(page, encoding="utf-8", newline="\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns 0, or 1 where a page is stale."""
    parser = argparse.ArgumentParser(prog="python -m blechannel_tools.docs", description=write.__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("docs"), help="where the pages are (docs)")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 where a page is stale")
    options = parser.parse_args(arguments)
    if not options.folder.is_dir():
        parser.error(f"no folder {options.folder}: run this from the checkout")
    if not options.check:
        write(options.folder)
        return 0
    for page in (pages := stale(options.folder)):
        print(f"{page} is stale: run `python -m blechannel_tools.docs` (or `make docs`)", file=sys.stderr)
    return 1 if pages else 0


def _pages(folder: Path) -> dict[str, str]:
    pages = {name: page() for name, page in PAGES.items()}
    if (folder / DISSECTOR).parent.is_dir():
        pages[DISSECTOR] = dissector()
    if (captures := _text(folder / CAPTURES)) is not None:
        pages[CAPTURES] = with_findings(with_schema(captures))
    threats, attacks = _text(folder / THREATS), folder.parent / "tests" / "attacks"
    if threats is not None and attacks.is_dir():
        pages[THREATS] = with_attacks(threats, attacks)
    return pages


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


if __name__ == "__main__":
    sys.exit(main())
