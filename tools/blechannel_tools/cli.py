"""The entry point of ``blechannel``: everything else is imported where a Ctrl-C is already caught."""

from __future__ import annotations

import sys
from collections.abc import Sequence

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    try:
        from blechannel_tools.command_line import run

        return run(arguments)
    except KeyboardInterrupt:
        print("blechannel: interrupted", file=sys.stderr)
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
