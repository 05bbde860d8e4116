"""Fuzzes with atheris: `python -m tests.fuzz.run SECONDS [TARGET ...]` shares the time among the targets.

Each target runs in a process of its own, two at a time. What makes one fail is saved in the folder `fuzz-findings`
and printed; the exit status is then 1. `python -m tests.fuzz.run --minimise` brings the corpus back to what is
needed after new inputs were put into it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MAX_INPUT_BYTES: Final = 4096
AT_ONCE: Final = 2
START_S: Final = 60
"""For a process to import and instrument everything, on a busy machine."""
CHECKOUT: Final = Path(__file__).parents[2]
FINDINGS: Final = CHECKOUT / "fuzz-findings"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one target's time."""

    name: str
    found: list[Path]
    ended_well: bool
    executions: int
    features: int
    output: str

    def __str__(self) -> str:
        verdict = "ok" if self.ended_well and not self.found else "FAILED"
        return f"{self.name:<12} {self.executions:>9} runs  {self.features:>6} features  {verdict}"


def fuzz(name: str, seconds: int, grown: Path | None = None) -> Outcome:
    """Run one target for so long in its own process; new inputs go to `grown`, or nowhere."""
    FINDINGS.mkdir(exist_ok=True)
    prefix = FINDINGS / f"{name}-"
    with tempfile.TemporaryDirectory() as folder:
        limits = [f"-max_total_time={seconds}", f"-max_len={MAX_INPUT_BYTES}", "-timeout=20", "-rss_limit_mb=1024"]
        where = [str(grown or folder), str(CHECKOUT / "tests" / "fuzz" / "corpus" / name)]
        command = [sys.executable, "-m", "tests.fuzz.one", name, f"-artifact_prefix={prefix}", "-print_final_stats=1"]
        try:
            done = subprocess.run(
                [*command, *limits, *where], cwd=CHECKOUT, capture_output=True, text=True, timeout=seconds + START_S
            )
            output, ended_well = done.stdout + done.stderr, done.returncode == 0
        except subprocess.TimeoutExpired as late:
            output, ended_well = f"{name} did not end: {late}", False
    executions = re.findall(r"stat::number_of_executed_units: (\d+)", output)
    features = re.findall(r" ft: (\d+)", output)
    found = sorted(FINDINGS.glob(f"{name}-*"))
    return Outcome(name, found, ended_well, int([0, *executions][-1]), int([0, *features][-1]), output)


def minimise(name: str, grown: Path) -> None:
    """Replace the corpus of a target by the fewest inputs of it and of `grown` that reach as much."""
    corpus = CHECKOUT / "tests" / "fuzz" / "corpus" / name
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tests.fuzz.one", name, "-merge=1", folder, str(corpus), str(grown)]
        subprocess.run(command, cwd=CHECKOUT, check=True, capture_output=True, timeout=600)
        shutil.rmtree(corpus)
        shutil.copytree(folder, corpus)


def main(arguments: list[str]) -> int:
    """The exit status: 0, 1 after a finding, 2 where atheris is missing."""
    try:
        import atheris  # noqa: F401
    except ImportError:
        print("fuzzing needs atheris, which Linux has: make fuzz", file=sys.stderr)
        return 2
    from tests.fuzz.targets import TARGETS

    seconds, names = int(arguments[0]), arguments[1:] or list(TARGETS)
    each_s = max(1, seconds * AT_ONCE // len(names))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        outcomes = []
        for outcome in pool.map(lambda name: fuzz(name, each_s), names):
            print(outcome, flush=True)
            outcomes.append(outcome)
    failed = [outcome for outcome in outcomes if outcome.found or not outcome.ended_well]
    for outcome in failed:
        print(f"\n{outcome.output[-4000:]}", *(f"saved: {path}" for path in outcome.found), sep="\n")
    runs = sum(outcome.executions for outcome in outcomes)
    print(f"fuzz: {len(outcomes)} targets, {runs} runs, {len(failed)} failed")
    if not failed and not any(FINDINGS.iterdir()):
        FINDINGS.rmdir()
    return 1 if failed else 0


if __name__ == "__main__":
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    sys.exit(main(sys.argv[1:]))
