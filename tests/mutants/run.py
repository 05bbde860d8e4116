"""Applies each mutant to a copy of the checkout and runs the tests that should fail: `python -m tests.mutants.run`.

Two at a time, each in processes of its own. First, the same tests must pass on a copy without any change. A word on
the command line chooses the mutants whose check or file has it. The exit status is 1 when a mutant survives, is stale
or cannot be tried.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from tests.mutants.catalogue import MUTANTS
from tests.mutants.mutant import CHECKOUT, Mutant, Stale

COPIED: Final = (
    *("blechannel", "gatt_profiles", "tools", "tests", "docs", "hardware"),
    *("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile", "pyproject.toml", "constraints.txt"),
)
CORE: Final = [f"tests/{each}" for each in ("noise", "wire", "pairing", "session", "stores", "attacks", "model", "aio")]
"""What is tried when the named tests let a mutant pass."""
AT_ONCE: Final = 2
TEST_S: Final = 30
"""For one test: a mutant may wait forever."""
NAMED_S: Final = 90
CORE_S: Final = 240
FAILED, PASSED = 1, 0

NOT_FOR_MUTANTS: Final = ("CI", "BLECHANNEL_NO_SKIPS", "COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START")
"""What lines a mutant's tests run is nobody's business: the copies are gone when coverage is reported."""


class Verdict(Enum):
    """What became of a mutant."""

    CAUGHT = "caught"
    CAUGHT_LATE = "caught, by the other tests"
    TIMED_OUT = "caught, by the time-out"
    SURVIVED = "SURVIVED"
    STALE = "STALE"
    BROKEN = "BROKEN"


WELL: Final = frozenset({Verdict.CAUGHT, Verdict.CAUGHT_LATE, Verdict.TIMED_OUT})


@dataclass(frozen=True, slots=True)
class Result:
    """One mutant's verdict, and for who wants to know why, the end of the tests' output."""

    mutant: Mutant
    verdict: Verdict
    took_s: float
    output: str = ""

    def __str__(self) -> str:
        return f"{self.verdict.value:<26} {self.took_s:5.1f} s  {self.mutant.path}: {self.mutant.check}"


def run_tests(root: Path, tests: list[str], *, limit_s: float) -> tuple[int | None, str]:
    """pytest's exit status in the copy at `root`, None after `limit_s`, and the end of its output."""
    # A test that lacks third-party data skips here, where CI would make it fail: that would catch every mutant.
    environment = {k: v for k, v in os.environ.items() if k not in NOT_FOR_MUTANTS}
    environment |= {"PYTHONPATH": f"{root}{os.pathsep}{root / 'tools'}", "PYTHONDONTWRITEBYTECODE": "1"}
    # A traceback as Python has it: pytest's own reads the source again, which a mutant's deep recursion can break.
    options = ["-x", "-q", "--tb=native", "-p", "no:cacheprovider", f"--timeout={TEST_S}"]
    command = [sys.executable, "-m", "pytest", *options, *tests]
    # A session of its own, so that what the tests have started ends with them.
    with subprocess.Popen(
        command,
        cwd=root,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as running:
        try:
            output, _ = running.communicate(timeout=limit_s)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            return None, ""
    return running.returncode, output[-2000:]


def copied(to: Path) -> Path:
    """A copy of what the tests need, below `to`."""
    root = to / "checkout"
    root.mkdir()
    for name in COPIED:
        source = CHECKOUT / name
        if source.is_dir():
            shutil.copytree(source, root / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, root / name)
    with suppress(FileNotFoundError):
        (to / "shared").symlink_to((CHECKOUT.parent / "shared").resolve(strict=True))
    return root


def judged(root: Path, mutant: Mutant) -> tuple[Verdict, str]:
    """What the tests say of the mutant that was put into the copy at `root`."""
    for tests, limit_s, caught in ((mutant.test_paths, NAMED_S, Verdict.CAUGHT), (CORE, CORE_S, Verdict.CAUGHT_LATE)):
        status, output = run_tests(root, tests, limit_s=limit_s)
        if status is None:
            return Verdict.TIMED_OUT, output
        if status == FAILED:
            return caught, output
        if status != PASSED:
            return Verdict.BROKEN, output
    return Verdict.SURVIVED, ""


def attempt(mutant: Mutant) -> Result:
    """Try one mutant on a copy of its own."""
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        root = copied(Path(folder))
        try:
            (root / mutant.path).write_text(mutant.applied(root), encoding="utf-8")
        except Stale as stale:
            return Result(mutant, Verdict.STALE, 0.0, str(stale))
        verdict, output = judged(root, mutant)
    return Result(mutant, verdict, time.monotonic() - began_s, output)


def unchanged_passes(mutants: list[Mutant]) -> bool:
    """Whether the tests pass where nothing was changed; only then their failure says something."""
    tests = sorted({path.partition("::")[0] for mutant in mutants for path in mutant.test_paths})
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        status, output = run_tests(copied(Path(folder)), [*tests, "-n", str(AT_ONCE)], limit_s=CORE_S)
    if status != PASSED:
        print("the tests fail without any mutant:", output, sep="\n")
    return status == PASSED


def main(words: list[str]) -> int:
    """The exit status."""
    chosen = [each for each in MUTANTS if not words or any(word in f"{each.check} {each.path}" for word in words)]
    print(f"mutants: {len(chosen)}; first the tests without any of them", flush=True)
    if not chosen or not unchanged_passes(chosen):
        return 1
    results = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for number, result in enumerate(pool.map(attempt, chosen), start=1):
            print(f"{number:>4}/{len(chosen)}  {result}", flush=True)
            results.append(result)
    bad = [result for result in results if result.verdict not in WELL]
    print()
    for result in bad:
        print(result, result.output, sep="\n")
    print(f"mutants: {len(results) - len(bad)} of {len(results)} caught")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
