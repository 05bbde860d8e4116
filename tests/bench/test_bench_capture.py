"""Captures against `tshark -T fields`, in processor time of the whole program and in memory."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, repeat
from pathlib import Path
from typing import Final

import pytest

from blechannel.roles import Role
from tests.bench.capture_files import att_traffic, of_said, record
from tests.bench.children import use
from tests.bench.ratio import Figures
from tests.capture.channel_traffic import CapturedWorld, honest_life
from tests.session.sides import join

pytestmark = pytest.mark.bench

PDUS: Final = 200_000
SESSIONS: Final = 100
MOST_BYTES: Final = 64 << 20
FIELDS: Final = ("frame.number", "frame.time_epoch", "btatt.opcode", "btatt.handle", "btatt.value")

COUNT: Final = """
import sys
from blechannel_capture import AttPdu, open_capture
with open_capture(sys.argv[1]) as capture:
    print(sum(type(event) is AttPdu for event in capture))
"""
EXPORT: Final = """
import sys
from pathlib import Path
from blechannel_capture import open_capture
from blechannel_capture.exporting import write_json_lines
with open_capture(sys.argv[1]) as capture:
    print(write_json_lines(capture, Path(sys.argv[2])))
Path(sys.argv[2]).unlink()
"""
OPEN: Final = """
import sys
from blechannel_capture import ChannelFrame, load_key_log, open_capture
with open_capture(sys.argv[1], key_log=load_key_log(sys.argv[2])) as capture:
    print(sum(isinstance(event, ChannelFrame) and event.body is not None for event in capture))
"""
PIPED: Final = """
import re, sys
from blechannel_capture import AttPdu, Capture
with Capture(sys.stdin.buffer) as capture:
    print(sum(type(event) is AttPdu for event in capture))
with open("/proc/self/status") as status:
    print(re.search(r"VmHWM:\\s+(\\d+) kB", status.read())[1])
"""
"""Its own peak: what the system reports of a child also counts its parent's memory at the fork."""
SCAPY: Final = """
import struct, sys
from scapy.layers.bluetooth import ATT_Hdr, HCI_Hdr
with open(sys.argv[1], "rb") as file:
    file.read(16)
    count = 0
    while header := file.read(24):
        length = struct.unpack(">I", header[4:8])[0]
        count += ATT_Hdr in HCI_Hdr(file.read(length))
print(count)
"""
PYSHARK: Final = """
import sys
from pyshark import FileCapture
with FileCapture(sys.argv[1], display_filter="btatt", keep_packets=False) as capture:
    print(sum("btatt" in packet for packet in capture))
"""
OTHERS: Final = {"scapy": SCAPY, "pyshark": PYSHARK}


def tshark(path: Path) -> list[str]:
    """Prints one line an ATT PDU."""
    program = shutil.which("tshark")
    if program is None:
        pytest.skip("tshark is not installed")
    fields = [part for field in FIELDS for part in ("-e", field)]
    return [program, "-n", "-r", str(path), "-Y", "btatt", "-T", "fields", *fields]


def python(program: str, *arguments: Path) -> list[str]:
    return [sys.executable, "-c", program, *map(str, arguments)]


def compared(work: Mapping[str, Sequence[str]], *, count: int, batches: int = 3) -> tuple[dict[str, float], ...]:
    """Processor seconds a counted thing of each program, in turn."""
    return tuple({name: use(command).seconds / count for name, command in work.items()} for _ in range(batches))


@pytest.fixture(scope="module")
def long_capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("long") / "att.btsnoop"
    with path.open("wb") as file:
        file.writelines(att_traffic(PDUS))
    return path


def test_all_hear_the_same(long_capture: Path) -> None:
    assert int(use(python(COUNT, long_capture)).printed) == PDUS
    assert len(use(tshark(long_capture)).printed.splitlines()) == PDUS


def test_att_pdus(long_capture: Path, tmp_path: Path, report: Callable[[Figures], None]) -> None:
    work = {
        "tshark": tshark(long_capture),
        "events": python(COUNT, long_capture),
        "JSON lines": python(EXPORT, long_capture, tmp_path / "out.jsonl"),
    }
    batches = compared(work, count=PDUS)
    report(Figures("ATT PDU of a capture", batches, {"events": 0.5, "JSON lines": 1.0}, floor="tshark"))


@pytest.mark.parametrize(("package", "count"), [("scapy", 20_000), ("pyshark", 2000)])
def test_other_packages(package: str, count: int, tmp_path: Path, report: Callable[[Figures], None]) -> None:
    """On shorter files, and figures a PDU: the long one takes them minutes, and pyshark ever longer a PDU."""
    pytest.importorskip(package, reason=f"{package} is not installed: `make bench` has it")
    path = tmp_path / "short.btsnoop"
    with path.open("wb") as file:
        file.writelines(att_traffic(count))
    work = {"tshark": tshark(path), "events": python(COUNT, path), package: python(OTHERS[package], path)}
    assert int(use(work[package]).printed) == count
    report(Figures(f"ATT PDU, of {count:,} for {package}", compared(work, count=count), floor="tshark"))


def long_life(folder: Path, length_bytes: int, count: int) -> tuple[Path, Path]:
    """The capture of many sessions, each as long as the credit that nobody renews, and its key log."""
    world = honest_life(world=CapturedWorld("long life"))
    for _ in range(SESSIONS):
        phone, watch = world.reconnecting()
        with world.connection(phone, watch):
            join(phone, watch)
            port = phone.session.traffic.open("talk")
            for number in range(count // SESSIONS):
                phone.session.traffic.send(port, bytes(length_bytes))
                if number % 10 == 9:
                    join(phone, watch)
            join(phone, watch)
    capture, keys = folder / "phone.btsnoop", folder / "keys.log"
    with capture.open("wb") as file:
        file.writelines(of_said(world.taps[Role.PHONE].said))
    keys.write_text("".join(line + "\n" for line in world.lines[Role.PHONE]))
    return capture, keys


@pytest.mark.parametrize(("length_bytes", "count", "most"), [(100, 50_000, 1.0), (1000, 6000, 1.0)])
def test_records_are_opened(
    length_bytes: int, count: int, most: float, tmp_path: Path, report: Callable[[Figures], None]
) -> None:
    capture, keys = long_life(tmp_path, length_bytes, count)
    opened = int(use(python(OPEN, capture, keys)).printed)
    assert opened > count
    work = {"tshark": tshark(capture), "opened": python(OPEN, capture, keys)}
    batches = compared(work, count=opened)
    report(Figures(f"record of {length_bytes} bytes, opened", batches, {"opened": most}, floor="tshark"))


def gibibyte() -> Iterator[bytes]:
    """A file of that size, whose packets are 4 KiB each."""
    beginning = iter(att_traffic(0))
    att = b"\x1b\x24\x00" + bytes(4096 - 3)
    pdu = len(att).to_bytes(2, "little") + b"\x04\x00" + att
    packet = b"\x02" + b"\x40\x20" + len(pdu).to_bytes(2, "little") + pdu
    piece = b"".join(repeat(record(1, 1, packet), 256))
    return chain(beginning, repeat(piece, (1 << 30) // len(piece) + 1))


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of memory is read from /proc")
def test_memory() -> None:
    used = use(python(PIPED), fed=gibibyte())
    pdus, peak_kib = map(int, used.printed.split())
    print(f"1 GiB: {peak_kib / 1024:.1f} MiB at most, {used.seconds:.1f} s of processor time")
    assert pdus > PDUS
    assert peak_kib * 1024 <= MOST_BYTES
