"""`capture cut`, `export`, `anonymise` and `report`: new files, and nothing but whole ones."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from blechannel_capture import AttPdu, open_capture
from blechannel_capture.packet import Packet
from tests.tools.commands.capture.recording import Recording
from tests.tools.programs import Run

WRITERS = {
    "cut": "out.pcapng",
    "export": "out.jsonl",
    "anonymise": "out.pcapng",
    "report": "out.html",
}
ENDINGS = ("jsonl", "csv", "pcapng")


@pytest.mark.parametrize(("command", "name"), WRITERS.items())
def test_a_new_file_is_written(
    programs: Run, people: Run, recorded: Recording, tmp_path: Path, command: str, name: str
) -> None:
    target = tmp_path / name
    ran = programs("capture", command, str(recorded.phone), str(target))
    assert ran.code == 0
    assert (ran.last["event"], ran.last["path"]) == ("written", str(target))
    assert target.stat().st_size > 1000
    target.unlink()
    assert str(target) in people("capture", command, str(recorded.phone), str(target)).out.replace("\n", "")


@pytest.mark.parametrize(("command", "name"), WRITERS.items())
def test_nothing_is_overwritten(programs: Run, recorded: Recording, tmp_path: Path, command: str, name: str) -> None:
    target = tmp_path / name
    target.write_text("mine")
    ran = programs("capture", command, str(recorded.phone), str(target))
    assert ran.code == 2
    assert "choose another name" in ran.last["message"]
    assert target.read_text() == "mine"


@pytest.mark.parametrize(("command", "name"), WRITERS.items())
def test_a_folder_that_is_missing(programs: Run, recorded: Recording, tmp_path: Path, command: str, name: str) -> None:
    target = tmp_path / "missing" / name
    ran = programs("capture", command, str(recorded.phone), str(target))
    assert (ran.code, ran.last["message"]) == (1, f"{target}: no such file or directory")


@pytest.mark.parametrize(("command", "name"), WRITERS.items())
def test_no_half_of_a_file_is_left(programs: Run, damaged: Path, tmp_path: Path, command: str, name: str) -> None:
    target = tmp_path / name
    assert programs("capture", command, str(damaged), str(target), "--strict").code == 7
    assert not target.exists()
    assert programs("capture", command, str(tmp_path / "missing"), str(target)).code == 7
    assert not target.exists()


def test_an_ending_that_says_no_format(programs: Run, recorded: Recording, tmp_path: Path) -> None:
    ran = programs("capture", "export", str(recorded.phone), str(tmp_path / "out.xlsx"))
    assert ran.code == 2
    assert ".jsonl, .csv, .parquet, .pcapng" in ran.last["message"]


def test_parquet_says_what_to_install(
    programs: Run, recorded: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    target = tmp_path / "out.parquet"
    ran = programs("capture", "export", str(recorded.phone), str(target))
    assert (ran.code, ran.last["error"]) == (1, "MissingExtra")
    assert "pip install 'blechannel[parquet]'" in ran.last["message"]
    assert not target.exists()


# --- cut ---


def packets(path: Path) -> Iterator[Packet]:
    with open_capture(path) as capture:
        for packet, _ in capture.steps():
            if packet is not None:
                yield packet


def test_one_connection_is_cut_out(programs: Run, recorded: Recording, tmp_path: Path) -> None:
    target = tmp_path / "second.pcapng"
    programs("capture", "cut", str(recorded.phone), str(target), "--connection", "2")
    ran = programs("capture", "conversation", str(target), "--keys", str(recorded.keys))
    assert ran.only("conversation")["events"][-1]["ending"] == "closed"
    assert [
        each["channel"][0]
        for each in programs("capture", "info", str(target), "--keys", str(recorded.keys)).only("connections")[
            "connections"
        ]
    ] == ["reconnect, verified"]


def test_packets_are_cut_out_by_number(programs: Run, recorded: Recording, tmp_path: Path) -> None:
    target = tmp_path / "middle.pcapng"
    ran = programs("capture", "cut", str(recorded.phone), str(target), "--first", "3", "--last", "7")
    assert ran.last["packets"] == 5
    whole = list(packets(recorded.phone))
    assert [each.time_ns for each in packets(target)] == [each.time_ns for each in whole[2:7]]
    assert [each.data[4:] for each in packets(target)] == [each.data for each in whole[2:7]]


# --- export ---


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_format(programs: Run, recorded: Recording, tmp_path: Path, ending: str) -> None:
    target = tmp_path / f"out.{ending}"
    ran = programs("capture", "export", *recorded.opened[:1], str(target), *recorded.opened[1:])
    assert ran.code == 0
    with open_capture(recorded.phone) as capture:
        pdus = sum(isinstance(event, AttPdu) for event in capture)
    if ending == "csv":
        with target.open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == ran.last["count"] == pdus
    elif ending == "jsonl":
        lines = [json.loads(line) for line in target.read_text().splitlines()]
        assert len(lines) == ran.last["count"]
        assert sum(line["type"] == "AttPdu" for line in lines) == pdus
        frames = programs("capture", "frames", *recorded.opened).events[:-1]
        assert lines == [{key: value for key, value in each.items() if key != "event"} for each in frames]
    else:
        with open_capture(target) as capture:
            assert sum(isinstance(event, AttPdu) for event in capture) == pdus


# --- anonymise ---


def test_what_was_replaced_is_counted(programs: Run, recorded: Recording, tmp_path: Path) -> None:
    without = programs("capture", "anonymise", str(recorded.phone), str(tmp_path / "a.pcapng")).last
    with_values = programs("capture", "anonymise", str(recorded.phone), str(tmp_path / "b.pcapng"), "--values").last
    assert 0 < without["replaced"] <= with_values["replaced"]
    assert without["packets"] == len(list(packets(recorded.phone)))


def test_two_copies_have_different_addresses(programs: Run, recorded: Recording, tmp_path: Path) -> None:
    addresses = set()
    for name in ("a.pcapng", "b.pcapng"):
        programs("capture", "anonymise", str(recorded.phone), str(tmp_path / name))
        [address] = {
            each["peripheral"]
            for each in programs("capture", "info", str(tmp_path / name)).only("connections")["connections"]
        }
        addresses.add(address)
    assert len(addresses) == 2
    assert not any(each.startswith("80:11:22:33:44:55") for each in addresses)


def test_an_anonymous_session_is_still_verified(programs: Run, recorded: Recording, tmp_path: Path) -> None:
    target = tmp_path / "a.pcapng"
    programs("capture", "anonymise", str(recorded.phone), str(target), "--values")
    before = programs("capture", "conversation", *recorded.opened).events
    assert programs("capture", "conversation", str(target), "--keys", str(recorded.keys)).events == before


# --- report ---


def test_a_report_stands_alone(programs: Run, attacked: Recording, tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    ran = programs("capture", "report", str(attacked.watch), str(target), *attacked.opened_watch[1:])
    assert ran.last["count"] == 2
    page = target.read_text(encoding="utf-8")
    assert "1 attack found" in page
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
