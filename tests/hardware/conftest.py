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


@pytest.fixture
def desk(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    watch, phone = request.config.getoption("--watch"), request.config.getoption("--phone")
    if not watch or not phone:
        pytest.fail("which adapters? make test-hardware WATCH=usb:0 PHONE=usb:1", pytrace=False)
    for variable in ("BLECHANNEL_TRANSPORT", "BLECHANNEL_KEYLOG"):
        monkeypatch.delenv(variable, raising=False)
    return Desk(watch, phone, tmp_path)
