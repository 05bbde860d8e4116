"""Fuzzes with atheris: `python -m tests.fuzz.run SECONDS [TARGET ...]` shares the time among the targets.

Each target runs in a process of its own, two at a time. What makes one fail is saved in the folder `fuzz-findings` and
printed; the exit status is then 1. Other new inputs are forgotten with the run.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from tests.fuzz.targets import CORPUS, TARGETS

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

    @property
    def failed(self) -> bool:
        """Whether an input made the target fail, or the process did."""
        return bool(self.found) or not self.ended_well

    def __str__(self) -> str:
        verdict = "FAILED" if self.failed else "ok"
        return f"{self.name:<12} {self.executions:>9} runs  {self.features:>6} features  {verdict}"


def fuzz(name: str, seconds: int, grown: Path) -> Outcome:
    """Run one target for so long in its own process; new inputs go to `grown`."""
    FINDINGS.mkdir(exist_ok=True)
    known = set(FINDINGS.glob(f"{name}-*"))
    limits = [f"-max_total_time={seconds}", f"-max_len={MAX_INPUT_BYTES}", "-timeout=20", "-rss_limit_mb=1024"]
    where = [str(grown), str(CORPUS / name)]
    command = [
        sys.executable,
        "-m",
        "tests.fuzz.one",
        name,
        f"-artifact_prefix={FINDINGS / name}-",
        "-print_final_stats=1",
    ]
    try:
        done = subprocess.run(
            [*command, *limits, *where], cwd=CHECKOUT, capture_output=True, text=True, timeout=seconds + START_S
        )
        output, ended_well = done.stdout + done.stderr, done.returncode == 0
    except subprocess.TimeoutExpired as late:
        output, ended_well = f"{name} did not end: {late}", False
    executions = re.findall(r"stat::number_of_executed_units: (\d+)", output)
    features = re.findall(r" ft: (\d+)", output)
    found = sorted(set(FINDINGS.glob(f"{name}-*")) - known)
    return Outcome(name, found, ended_well, int([0, *executions][-1]), int([0, *features][-1]), output)


def main(arguments: list[str]) -> int:
    """The exit status: 0, 1 after a finding, 2 where atheris is missing."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.run")
    parser.add_argument("seconds", type=int)
    parser.add_argument("names", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    asked = parser.parse_args(arguments)
    if find_spec("atheris") is None:
        print("fuzzing needs atheris, which has wheels for Linux: make fuzz", file=sys.stderr)
        return 2
    names = asked.names or list(TARGETS)
    if unknown := set(names) - TARGETS.keys():
        parser.error(f"no such target: {', '.join(sorted(unknown))}")
    each_s = max(1, asked.seconds * AT_ONCE // len(names))

    def one(name: str) -> Outcome:
        with tempfile.TemporaryDirectory() as grown:
            outcome = fuzz(name, each_s, Path(grown))
        print(outcome, flush=True)
        return outcome

    with ThreadPoolExecutor(AT_ONCE) as pool:
        outcomes = list(pool.map(one, names))
    return report(outcomes)


def report(outcomes: list[Outcome]) -> int:
    """Say what was found; the exit status."""
    failed = [outcome for outcome in outcomes if outcome.failed]
    for outcome in failed:
        print(f"\n{outcome.output[-4000:]}", *(f"saved: {path}" for path in outcome.found), sep="\n")
    runs = sum(outcome.executions for outcome in outcomes)
    print(f"fuzz: {len(outcomes)} targets, {runs} runs, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
