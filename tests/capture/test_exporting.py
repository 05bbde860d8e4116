"""Captures in other formats: JSON lines, CSV, Parquet and pcapng, and what can be read back of them."""

from __future__ import annotations

import csv
import io
import json
import struct
import sys
from pathlib import Path

import pytest
from pyarrow import parquet

from blechannel.errors import MissingExtra
from blechannel.roles import Role
from blechannel.wire.frames import RECORD_TYPE_OF, Nonce
from blechannel_capture import exporting
from blechannel_capture.capture import Capture
from blechannel_capture.channel.events import ChannelFrame
from blechannel_capture.containers.pcapng_writer import PcapngWriter, as_pcap_has_it
from blechannel_capture.events import AttPdu, Side
from blechannel_capture.exporting import COLUMNS, exported, write_csv, write_json_lines, write_parquet, write_pcapng
from blechannel_capture.ledger import Damage
from blechannel_capture.packet import LinkType, Packet
from blechannel_capture.selecting import Selection
from tests.capture.air.test_link import whole
from tests.capture.channel_traffic import CapturedWorld, honest_life
from tests.capture.reading import hear
from tests.capture.traffic import HostTraffic, small_talk
from tests.capture.writing import AIR_FILES, HCI_FILES, option, packet_logger

TALK = small_talk(HostTraffic(), [b"one", bytes(300)]).said


def capture_of(content: bytes) -> Capture:
    return Capture(io.BytesIO(content))


def test_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    content = HCI_FILES["btsnoop H4"](TALK)
    count = write_json_lines(capture_of(content), path)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert count == len(lines) == len(hear(content).events)
    assert next(line["value"] for line in lines if line["type"] == "AttPdu") == b"one".hex()
    with pytest.raises(FileExistsError):
        write_json_lines(capture_of(content), path)


def test_csv(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    assert write_csv(capture_of(HCI_FILES["btsnoop H4"](TALK)), path) == 4
    with path.open(newline="") as file:
        heading, *rows = list(csv.reader(file))
    assert tuple(heading) == COLUMNS
    assert [row[3:7] for row in rows[:2]] == [
        ["central", "82", "Write Command", "33"],
        ["peripheral", "27", "Notification", "36"],
    ]


def test_parquet_needs_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtra, match="parquet"):
        write_parquet(capture_of(HCI_FILES["btsnoop H4"](TALK)), tmp_path / "out.parquet")
    assert not (tmp_path / "out.parquet").exists()


def test_parquet_has_the_rows_of_csv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Written in several groups, read back by pyarrow: a row an ATT PDU, with types."""
    monkeypatch.setattr(exporting, "ROWS_AT_ONCE", 3)
    content = HCI_FILES["btsnoop H4"](TALK)
    count = write_parquet(capture_of(content), tmp_path / "out.parquet")
    write_csv(capture_of(content), tmp_path / "out.csv")
    table = parquet.read_table(tmp_path / "out.parquet")
    assert parquet.ParquetFile(tmp_path / "out.parquet").num_row_groups > 1
    assert tuple(table.column_names) == COLUMNS
    assert str(table.schema.field("time_ns").type) == "timestamp[ns, tz=UTC]"
    assert str(table.schema.field("packet").type) == "int64"
    times = table.column("time_ns").cast("int64").to_pylist()
    dated = zip(table.to_pylist(), times, strict=True)
    rows = [[str(value) for value in {**row, "time_ns": ns}.values()] for row, ns in dated]
    with (tmp_path / "out.csv").open(encoding="ascii", newline="") as file:
        assert rows == list(csv.reader(file))[1:]
    assert len(rows) == count > 3


def test_parquet_of_nothing_is_an_empty_table(tmp_path: Path) -> None:
    assert write_parquet(capture_of(HCI_FILES["btsnoop H4"]([])), tmp_path / "none.parquet") == 0
    assert parquet.read_table(tmp_path / "none.parquet").num_rows == 0


@pytest.mark.parametrize("name", HCI_FILES)
def test_host_captures_come_back_the_same(name: str, tmp_path: Path) -> None:
    content, path = HCI_FILES[name](TALK), tmp_path / "out.pcapng"
    assert write_pcapng(capture_of(content), path) == len(TALK)
    before, after = hear(content), hear(path.read_bytes())
    assert list(map(repr, after.all(AttPdu))) == list(map(repr, before.all(AttPdu)))
    assert after.damage() == {}


@pytest.mark.parametrize("name", AIR_FILES)
def test_captures_of_the_air_come_back_the_same(name: str, tmp_path: Path) -> None:
    content, path = AIR_FILES[name](whole().said), tmp_path / "out.pcapng"
    assert write_pcapng(capture_of(content), path) == len(whole().said)
    before, after = hear(content), hear(path.read_bytes())
    assert list(map(repr, after.events)) == list(map(repr, before.events))


def test_opened_records_are_exported(tmp_path: Path) -> None:
    world = honest_life(world=CapturedWorld("exported"))
    content, path = HCI_FILES["btsnoop H4"](world.taps[Role.PHONE].said), tmp_path / "out.pcapng"
    capture = Capture(io.BytesIO(content), key_log=world.key_log(Role.PHONE))
    count = write_pcapng(capture, path)
    opened = [each for each in world.heard_by(Role.PHONE).all(ChannelFrame) if each.body is not None]
    assert count == len(world.taps[Role.PHONE].said) + len(opened)
    first = exported(opened[0])
    assert first is not None
    assert first in path.read_bytes()
    tags, at = {}, 0
    while 0 not in tags:
        tag, length = struct.unpack_from(">HH", first, at)
        tags[tag] = first[at + 4 : at + 4 + length]
        at += 4 + length
    assert tags[12].rstrip(b"\0") == b"blechannel.record"
    assert tags[30] == struct.pack(">I", opened[0].packet)
    body = opened[0].body
    assert isinstance(body, Nonce)
    kind = RECORD_TYPE_OF[Nonce]
    assert struct.unpack_from(">BQB", first, at) == (1, 0, kind), "the watch's first record"
    assert exported(hear(content).all(ChannelFrame)[0]) is None


def test_notes_have_no_place_in_pcapng(tmp_path: Path) -> None:
    content, path = packet_logger([(0, 0xFC, b"a note"), (0, 3, b"\x40\x20\x00\x00")]), tmp_path / "out.pcapng"
    assert write_pcapng(capture_of(content), path) == 1


def test_comments_secrets_and_missing_bytes_are_written() -> None:
    file = io.BytesIO()
    writer = PcapngWriter(file)
    writer.secrets(5, b"lines")
    packet = Packet(1, 9, LinkType.H4, 0, b"\x04", 3, 0)
    assert writer.packet(packet, comment="here")
    writer.raw(252, b"more", 10)
    capture = capture_of(file.getvalue())
    assert list(capture) == []
    assert capture.comments == [(1, "here")]
    assert option(1, b"here") in file.getvalue()
    assert as_pcap_has_it(packet) == (187, b"\x04")


def test_a_length_that_no_format_can_say_is_the_largest() -> None:
    """A damaged btsnoop file may say it of a packet."""
    file = io.BytesIO()
    PcapngWriter(file).packet(Packet(1, 9, LinkType.H4, 0, b"\x04\x0e", 0xFFFFFFFF, 0))
    capture = capture_of(file.getvalue())
    assert list(capture) == []
    [entry] = capture.ledger.entries
    assert entry.damage is Damage.SNAPPED
    assert "4,294,967,293 bytes" in entry.detail


# --- parts ---


def selected(connection: int | None, first: int = 1, last: int | None = None) -> list[int]:
    traffic = HostTraffic()
    small_talk(traffic, [b"one"])
    small_talk(traffic, [bytes(300)])
    traffic.att(Side.CENTRAL, b"\x0a\x01\x00", handle=9)
    selection = Selection(connection, first, last)
    steps = capture_of(HCI_FILES["btsnoop H4"](traffic.said)).steps()
    return [packet.number for packet, events in steps if packet is not None and selection.has(packet, events)]


def test_selections() -> None:
    assert selected(None) == list(range(1, 12))
    assert selected(None, 3, 5) == [3, 4, 5]
    assert selected(1) == [1, 2, 3, 4]
    assert selected(2) == list(range(5, 11))
    assert selected(2, 6, 7) == [6, 7]
    assert selected(3) == [11]
    assert selected(9) == []
