"""The hardware tests on two virtual controllers in a process of their own: what runs on a desk is no untried code."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
SUITE_S = 550
DEAD = "tcp-client:127.0.0.1:1"

pytestmark = pytest.mark.system


@pytest.fixture
def desk() -> Iterator[tuple[str, str]]:
    """The transports of two virtual controllers that hear each other."""
    command = [sys.executable, "-m", "tests.hardware.virtual_desk"]
    with subprocess.Popen(command, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        watch, phone = process.stdout.readline().split()
        yield watch, phone
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(20) == 0


def suite(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "tests/hardware", "-m", "hardware", "-q", "-p", "no:cacheprovider"]
    return subprocess.run(
        [*command, *options], cwd=CHECKOUT, capture_output=True, text=True, timeout=SUITE_S, check=False
    )


def test_the_suite_passes_on_two_virtual_controllers(desk: tuple[str, str]) -> None:
    watch, phone = desk
    ran = suite(f"--watch={watch}", f"--phone={phone}")
    assert ran.returncode == 0, ran.stdout
    written = re.findall("^def test_", (CHECKOUT / "tests/hardware/test_scenarios.py").read_text(), re.MULTILINE)
    assert re.search(rf"^{len(written)} passed in ", ran.stdout, re.MULTILINE), "none was skipped"


def test_the_suite_fails_where_an_adapter_is_missing(desk: tuple[str, str]) -> None:
    watch, _ = desk
    ran = suite(f"--watch={watch}", f"--phone={DEAD}", "-k", "qr")
    assert ran.returncode == 1
    assert "nobody listens there" in ran.stdout


def test_the_suite_asks_for_the_adapters() -> None:
    ran = suite()
    assert ran.returncode == pytest.ExitCode.USAGE_ERROR
    assert "which adapters? make test-hardware WATCH=usb:0 PHONE=usb:1" in ran.stderr
