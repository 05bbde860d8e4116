"""The demo's own capture, read by a dissector that knows nothing of this project."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from blechannel.gatt import OUTBOX_UUID

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the demo has just written."""
    folder = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-m", "blechannel_tools.cli", "demo", "--json", "--out", str(folder)]
    subprocess.run(command, check=True, capture_output=True, timeout=50)
    return folder


def _fields(capture: Path, *fields: str, display_filter: str) -> list[list[str]]:
    tshark = shutil.which("tshark")
    if tshark is None:
        pytest.skip("tshark is not installed")
    wanted = [part for field in fields for part in ("-e", field)]
    command = [tshark, "-r", str(capture), "-Y", display_filter, "-T", "fields", *wanted]
    printed = subprocess.run(command, check=True, capture_output=True, text=True, timeout=50).stdout
    return [line.split("\t") for line in printed.splitlines()]


def _captures(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.read_bytes()[:8] == b"btsnoop\0")


def test_the_capture_opens_as_att(demo_folder: Path) -> None:
    captures = _captures(demo_folder)
    assert captures
    for capture in captures:
        opcodes = {int(row[0], 16) for row in _fields(capture, "btatt.opcode", display_filter="btatt")}
        assert {0x1B, 0x52} <= opcodes, "notifications and writes without response"


def test_the_capture_shows_our_service(demo_folder: Path) -> None:
    for capture in _captures(demo_folder):
        rows = _fields(capture, "btatt.uuid128", display_filter="btatt.uuid128")
        seen = {uuid.replace(":", "").lower() for row in rows for uuid in row[0].split(",")}
        assert OUTBOX_UUID.replace("-", "") in seen


def test_no_frame_is_malformed(demo_folder: Path) -> None:
    for capture in _captures(demo_folder):
        assert _fields(capture, "frame.number", display_filter="_ws.malformed") == []
