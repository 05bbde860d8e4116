"""Compare what the hot paths do with what they did: ``python -m tests.bench.counts --check`` or ``--write``.

The counts are kept in counts.json, for each version of Python that they were made with.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Final

from tests.bench.counting import Counts, count
from tests.bench.hot_paths import HOT_PATHS

KEPT: Final = Path(__file__).with_name("counts.json")
TOLERANCE: Final = 0.05
"""So much more is a regression; so much less is told, so that it is kept."""
PYTHON: Final = f"{sys.version_info.major}.{sys.version_info.minor}"

Kept = dict[str, dict[str, dict[str, int]]]
"""By version of Python, by hot path, by what was counted."""


def slower(now: Mapping[str, int], kept: Mapping[str, int]) -> list[str]:
    """What of one hot path is done more often than it was, beyond the tolerance; in words."""
    return [
        f"{number:,} {what} instead of {kept[what]:,} ({number / kept[what] - 1:+.1%})"
        for what, number in now.items()
        if number > kept[what] * (1 + TOLERANCE)
    ]


def counted() -> Iterator[tuple[str, Counts]]:
    """Each hot path, made ready and counted."""
    for name, make in HOT_PATHS.items():
        yield name, count(make())


def check(kept: Mapping[str, Mapping[str, int]]) -> int:
    """Print a line a hot path; the exit code."""
    failed = False
    for name, counts in counted():
        now, before = asdict(counts), kept.get(name)
        if before is None:
            print(f"  new      {name}: not kept yet")
            failed = True
        elif more := slower(now, before):
            print(f"  SLOWER   {name}: {'; '.join(more)}")
            failed = True
        elif slower(before, now):
            less = now["opcodes"] / before["opcodes"] - 1
            print(f"  faster   {name}: {less:+.1%} opcodes; `make bench-counts` keeps it")
        else:
            print(f"  the same {name}")
    if failed:
        print("make it do less, or keep what it does now with `make bench-counts` and say why in the commit")
    return int(failed)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--check", action="store_true", help="compare with what is kept")
    what.add_argument("--write", action="store_true", help="keep what is counted now")
    options = parser.parse_args()
    kept: Kept = json.loads(KEPT.read_text(encoding="utf-8"))
    if options.check and PYTHON not in kept:
        print(f"nothing is kept for Python {PYTHON} (but for {', '.join(kept)}): `make bench-counts` keeps it")
        return 1
    if options.check:
        return check(kept[PYTHON])
    kept[PYTHON] = {name: asdict(counts) for name, counts in counted()}
    KEPT.write_text(json.dumps(kept, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
