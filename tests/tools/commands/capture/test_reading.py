"""What all parts of `capture` do with their files: what cannot be read, keys, standard input, progress."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tools.commands.capture.recording import LINK_KEY, Pipe, Recording
from tests.tools.programs import Run

READERS = ("info", "frames", "conversation", "check", "decrypt", "timing", "gatt")


def _missing(folder: Path) -> Path:
    return folder / "missing.btsnoop"


def _folder(folder: Path) -> Path:
    return folder


def _empty(folder: Path) -> Path:
    path = folder / "empty.btsnoop"
    path.touch()
    return path


def _text(folder: Path) -> Path:
    path = folder / "notes.txt"
    path.write_text("not a capture at all\n")
    return path


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (_missing, "no such file"),
        (_folder, "is a directory"),
        (_empty, "the file is empty"),
        (_text, "this is no btsnoop, pcap, pcapng or PacketLogger file"),
    ],
)
@pytest.mark.parametrize("command", READERS)
def test_what_cannot_be_read(
    programs: Run, tmp_path: Path, command: str, make: Callable[[Path], Path], why: str
) -> None:
    path = make(tmp_path)
    ran = programs("capture", command, str(path))
    assert ran.code == 7
    assert ran.last["event"] == "error"
    assert ran.err == f"blechannel: {ran.last['message']}\n"
    assert ran.last["message"].startswith(f"{path}: ")
    assert why in ran.last["message"]


def test_damage_is_fatal_where_it_shall_be(programs: Run, damaged: Path) -> None:
    assert programs("capture", "frames", str(damaged)).code == 0
    ran = programs("capture", "frames", str(damaged), "--strict")
    assert ran.last["message"].startswith(f"{damaged}: packet ")
    assert (ran.code, ran.last["error"]) == (7, "DamagedCapture")
    assert "the file ends inside a record" in ran.last["message"]
    assert [event["event"] for event in ran.events].count("frame") > 10, "what stands before it is told"


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ("BLECHANNEL1_PAIR_PHONE 00 00\n", "line 1 of the key log is damaged"),
        ("# no line of ours\nCLIENT_RANDOM 00 00\n", "no line of it is ours"),
        ("é\n", "it is no text"),
    ],
)
def test_a_key_log_that_is_none(programs: Run, recorded: Recording, tmp_path: Path, lines: str, why: str) -> None:
    keys = tmp_path / "keys.log"
    keys.write_bytes(lines.encode())
    ran = programs("capture", "conversation", str(recorded.phone), "--keys", str(keys))
    assert ran.code == 7
    assert why in ran.last["message"]


def test_a_key_log_that_is_missing_and_one_that_has_no_line_yet(
    programs: Run, recorded: Recording, tmp_path: Path
) -> None:
    keys = tmp_path / "keys.log"
    ran = programs("capture", "conversation", str(recorded.phone), "--keys", str(keys))
    assert (ran.code, ran.last["message"]) == (7, f"{keys}: no such file or directory")
    keys.touch()
    assert programs("capture", "conversation", str(recorded.phone), "--keys", str(keys)).code == 0


@pytest.mark.parametrize("key", ["zz", "7f62", "7f62c053f104a5bbe68b1d896a2ed49c00"])
def test_a_link_key_that_is_none_is_wrong_usage(programs: Run, sniffed: Path, key: str) -> None:
    ran = programs("capture", "decrypt", str(sniffed), "--ltk", key)
    assert ran.code == 2
    assert "a long term key has 32 hexadecimal digits" in ran.err


def test_a_link_key_may_have_a_prefix(programs: Run, sniffed: Path) -> None:
    ran = programs("capture", "decrypt", str(sniffed), "--ltk", "0x" + LINK_KEY.hex())
    assert ran.code == 0
    assert ran.only("link-key")["source"] == "given"


# --- where the bytes come from ---


def test_standard_input(programs: Run, recorded: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    from_file = programs("capture", "frames", str(recorded.phone)).events
    monkeypatch.setattr("sys.stdin", Pipe(recorded.phone.read_bytes()))
    assert programs("capture", "frames", "-").events == from_file
    monkeypatch.setattr("sys.stdin", Pipe(b"nothing known"))
    ran = programs("capture", "frames", "-")
    assert ran.code == 7
    assert ran.last["message"].startswith("standard input: ")


def test_gzip(programs: Run, recorded: Recording, tmp_path: Path) -> None:
    path = tmp_path / "phone.btsnoop.gz"
    path.write_bytes(gzip.compress(recorded.phone.read_bytes()))
    assert programs("capture", "frames", str(path)).events == programs("capture", "frames", str(recorded.phone)).events


def test_a_long_file_shows_how_far_it_is(programs: Run, recorded: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    size_bytes = recorded.phone.stat().st_size
    monkeypatch.setattr("blechannel_tools.commands.capture.reading.LONG_FILE_BYTES", size_bytes)
    monkeypatch.setattr("blechannel_tools.commands.capture.reading.SHOWN_EVERY", 10)
    shown = [event for event in programs("capture", "info", str(recorded.phone)).events if event["event"] == "progress"]
    assert shown
    assert all(0 < each["done_bytes"] <= each["size_bytes"] == size_bytes for each in shown)
    monkeypatch.setattr("blechannel_tools.commands.capture.reading.LONG_FILE_BYTES", size_bytes + 1)
    events = programs("capture", "info", str(recorded.phone)).events
    assert "progress" not in {event["event"] for event in events}


def test_two_long_files_show_how_far_they_are(
    people: Run, recorded: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("blechannel_tools.commands.capture.reading.LONG_FILE_BYTES", 1)
    ran = people("capture", "diff", str(recorded.phone), str(recorded.watch))
    assert (ran.code, ran.err) == (0, "")
