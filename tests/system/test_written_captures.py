"""Files of every container and link type, opened by a dissector that knows nothing of this project: the same ATT."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from blechannel_capture.events import AttPdu
from blechannel_capture.exporting import write_pcapng
from tests.capture.air.test_link import whole
from tests.capture.reading import Heard, hear
from tests.capture.test_exporting import capture_of
from tests.capture.traffic import HostTraffic, small_talk
from tests.capture.writing import AIR_FILES, HCI_FILES

pytestmark = pytest.mark.system

VALUES = [b"\x01", b"twenty bytes, no more", bytes(range(256))]
FILES = {name: write(small_talk(HostTraffic(), VALUES).said) for name, write in HCI_FILES.items()} | {
    name: write(whole().said) for name, write in AIR_FILES.items()
}
UNKNOWN_TO_IT = {"pcap 192"}
"""Ubertooth's link type inside PPI is one of those that are free for everybody's own use."""
KNOWN_TO_IT = [name for name in FILES if name not in UNKNOWN_TO_IT]
WITH_HANDLE = (0x12, 0x1B, 0x1D, 0x52)
"""What names one attribute, and carries a value of it."""


def dissected(path: Path) -> list[tuple[int, int, str]]:
    """Opcode, handle and value of each ATT PDU."""
    tshark = shutil.which("tshark")
    if tshark is None:
        pytest.skip("tshark is not installed")
    fields = ("btatt.opcode", "btatt.handle", "btatt.value")
    wanted = [part for field in fields for part in ("-e", field)]
    command = [tshark, "-r", str(path), "-Y", "btatt", "-T", "fields", *wanted]
    printed = subprocess.run(command, check=True, capture_output=True, text=True, timeout=50).stdout
    rows = [line.split("\t") for line in printed.splitlines()]
    return [
        (int(opcode, 16), int(handle, 16), value) if int(opcode, 16) in WITH_HANDLE else (int(opcode, 16), 0, "")
        for opcode, handle, value in rows
    ]


def read(heard: Heard) -> list[tuple[int, int, str]]:
    return [
        (pdu.opcode, pdu.handle, pdu.value.hex()) if pdu.opcode in WITH_HANDLE else (pdu.opcode, 0, "")
        for pdu in heard.all(AttPdu)
    ]


@pytest.mark.parametrize("name", KNOWN_TO_IT)
def test_every_file_is_dissected_as_it_is_read(name: str, tmp_path: Path) -> None:
    path = tmp_path / "capture"
    path.write_bytes(FILES[name])
    expected = read(hear(FILES[name]))
    assert len(expected) == 6
    assert dissected(path) == expected


@pytest.mark.parametrize("name", KNOWN_TO_IT)
def test_every_copy_is_dissected_as_its_original(name: str, tmp_path: Path) -> None:
    path = tmp_path / "copy.pcapng"
    write_pcapng(capture_of(FILES[name]), path)
    assert dissected(path) == read(hear(FILES[name]))


def test_every_real_capture_has_the_same_att(captures: Path) -> None:
    """Where it knows what a value means it shows that instead: such a value is not compared."""
    for path in sorted(captures.glob("*_hci.log")):
        theirs, ours = dissected(path), read(hear(path.read_bytes()))
        assert [each[:2] for each in theirs] == [each[:2] for each in ours], path.name
        assert all(one[2] in ("", other[2]) for one, other in zip(theirs, ours, strict=True)), path.name
