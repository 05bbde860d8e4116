"""The desk: which adapter is the watch's and which the phone's.

`make test-hardware WATCH=usb:0 PHONE=usb:1` says it; each is what `blechannel --transport` takes.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hardware.desk import Desk


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("hardware")
    group.addoption("--watch", metavar="T", help="the watch's transport, such as usb:0")
    group.addoption("--phone", metavar="T", help="the phone's transport, such as hci-socket:0")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Say once what is missing, and not in each test."""
    wanted = any(item.get_closest_marker("hardware") for item in session.items)
    if wanted and not all(_transports(session.config)):
        raise pytest.UsageError("which adapters? make test-hardware WATCH=usb:0 PHONE=usb:1")


def _transports(config: pytest.Config) -> tuple[str, str]:
    return config.getoption("--watch", ""), config.getoption("--phone", "")


@pytest.fixture
def desk(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    for variable in ("BLECHANNEL_TRANSPORT", "BLECHANNEL_KEYLOG"):
        monkeypatch.delenv(variable, raising=False)
    return Desk(*_transports(request.config), tmp_path)
