"""Randomness, clock and stores are injected: the same seeds give the same bytes on the air, fragment for fragment."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.aio.replayed import on_air

ROOT = Path(__file__).resolve().parents[2]


def test_the_same_seed_gives_the_same_air() -> None:
    once = on_air("a seed")
    assert len(once) > 100
    assert on_air("a seed") == once


def test_another_seed_gives_another_air_of_the_same_shape() -> None:
    one, other = ([line.split() for line in on_air(seed)] for seed in ("one", "other"))
    assert [line[:3] for line in one] == [line[:3] for line in other]
    differing = [left[3] != right[3] for left, right in zip(one, other, strict=True)]
    assert sum(differing) > len(differing) // 2


def test_another_process_with_other_hashes_gives_the_same_air() -> None:
    here = on_air("a seed")
    for hash_seed in ("1", "2"):
        ran = subprocess.run(
            [sys.executable, "-m", "tests.aio.replayed", "a seed"],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            timeout=50,
            check=True,
        )
        assert ran.stdout.splitlines() == here
