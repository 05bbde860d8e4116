"""``python -m blechannel_tools.vectors [--check] [folder]``: write docs/vectors.md, or say that it is stale."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from blechannel_tools.vectors.page import vectors_page

NAME: Final = "vectors.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns 0, or 1 where the page is stale."""
    parser = argparse.ArgumentParser(prog="python -m blechannel_tools.vectors", description="Write the test vectors.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path("docs"), help="where the page is (docs)")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 where the page is stale")
    options = parser.parse_args(arguments)
    if not options.folder.is_dir():
        parser.error(f"no folder {options.folder}: run this from the checkout")
    page = options.folder / NAME
    if not options.check:
        page.write_text(vectors_page(), encoding="utf-8", newline="\n")
        return 0
    if page.is_file() and page.read_text(encoding="utf-8") == vectors_page():
        return 0
    print(f"{page} is stale: run `python -m blechannel_tools.vectors`", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
