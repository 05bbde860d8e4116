"""The dissector for Wireshark, on the demo's capture as it was recorded and as `capture export` opens it."""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from blechannel.wire.frames import KINDS, RECORD_TYPES
from blechannel_capture import ChannelFrame, load_key_log, open_capture
from blechannel_tools.cli import main

pytestmark = pytest.mark.system

LUA = Path(__file__).parents[2] / "tools" / "wireshark" / "blechannel.lua"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("demo") / "out"
    assert main(["demo", "--out", str(made)]) == 0
    assert (
        main(["capture", "export", f"{made}/phone.btsnoop", f"{made}/opened.pcapng", "--keys", f"{made}/keys.log"]) == 0
    )
    return made


def column(capture: Path, field: str) -> Counter[int]:
    """How often each value stands in a field, as Wireshark shows the capture with our dissector."""
    tshark = shutil.which("tshark")
    if tshark is None:
        pytest.skip("tshark is not installed")
    command = [tshark, "-X", f"lua_script:{LUA}", "-r", str(capture), "-Y", field, "-T", "fields", "-e", field]
    ran = subprocess.run(command, check=True, capture_output=True, text=True, timeout=50)
    assert "Lua" not in ran.stderr, ran.stderr
    return Counter(int(value, 0) for value in ran.stdout.split())


def heard(folder: Path) -> list[ChannelFrame]:
    with open_capture(folder / "phone.btsnoop", key_log=load_key_log(folder / "keys.log")) as capture:
        return [event for event in capture if isinstance(event, ChannelFrame)]


@pytest.mark.parametrize("name", ["phone.btsnoop", "opened.pcapng"])
def test_wireshark_joins_the_frames_that_we_join(folder: Path, name: str) -> None:
    kind_of = {cls: number for number, cls in KINDS.items()}
    expected = Counter(kind_of[type(each.frame)] for each in heard(folder) if each.frame is not None)
    assert column(folder / name, "blechannel.kind") == expected


def test_wireshark_shows_the_records_that_were_opened(folder: Path) -> None:
    type_of = {cls: number for number, cls in RECORD_TYPES.items()}
    expected = Counter(type_of[type(each.body)] for each in heard(folder) if each.body is not None)
    assert sum(expected.values()) > 100
    assert column(folder / "opened.pcapng", "blechannel.record.type") == expected
    assert not column(folder / "opened.pcapng", "_ws.malformed")
