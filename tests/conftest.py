"""Third-party data that is read in place, and the rule that nothing skips in continuous integration."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("short", max_examples=60)
settings.load_profile("short")
"""What a property is tried with where its test says nothing else; `make test` has two minutes for everything."""

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell that runs this in the background has Ctrl-C ignored, and what a test starts would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)

SHARED = Path(__file__).resolve().parents[2] / "shared"


def _folder(name: str) -> Path:
    folder = SHARED / name
    if folder.is_dir():
        return folder
    reason = f"../shared/{name} is not on this machine"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def vectors() -> Path:
    """The folder of published vectors."""
    return _folder("vectors")


@pytest.fixture(scope="session")
def captures() -> Path:
    """The folder of published radio captures."""
    return _folder("captures")


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """With BLECHANNEL_NO_SKIPS=1, make a failure of a skip: a test that did not run proves nothing."""
    if os.environ.get("BLECHANNEL_NO_SKIPS") != "1" or not report.skipped or hasattr(report, "wasxfail"):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
    report.outcome = "failed"
    report.longrepr = f"no test may skip here. {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _refuse_skip(report)
    return report
