"""`capture diff`."""

from __future__ import annotations

from pathlib import Path

from blechannel.roles import Role
from tests.capture.writing import HCI_FILES
from tests.tools.commands.capture.recording import Recording
from tests.tools.programs import Run


def test_two_sides_of_one_session(programs: Run, people: Run, recorded: Recording) -> None:
    ran = programs("capture", "diff", str(recorded.phone), str(recorded.watch))
    assert ran.code == 0
    assert ran.last == {"event": "done", "same": True}
    assert ran.only("diff")["common"] > 20
    shown = people("capture", "diff", str(recorded.phone), str(recorded.watch)).out
    assert "Nothing is in one of them only." in shown
    assert "The second clock is +0.000 ms off" in shown


def test_what_only_one_has(programs: Run, people: Run, recorded: Recording, tmp_path: Path) -> None:
    said = recorded.world.taps[Role.PHONE].said
    shorter = tmp_path / "shorter.btsnoop"
    shorter.write_bytes(HCI_FILES["btsnoop H4"](said[: len(said) // 2]))
    ran = programs("capture", "diff", str(recorded.phone), str(shorter))
    assert (ran.code, ran.last["same"]) == (1, False)
    assert ran.only("diff")["only_second"] == []
    only_first = ran.only("diff")["only_first"]
    assert [packet for packet, _ in only_first] == sorted(packet for packet, _ in only_first)
    assert all(packet > len(said) // 2 - 1 for packet, _ in only_first)
    shown = people("capture", "diff", str(shorter), str(recorded.phone)).out
    assert f"Only in the second: {len(only_first)}" in shown


def test_nothing_in_common(programs: Run, sniffed: Path, recorded: Recording) -> None:
    ran = programs("capture", "diff", str(sniffed), str(recorded.phone))
    assert ran.code == 1
    assert ran.only("diff")["common"] == 0


def test_each_file_is_named_where_it_cannot_be_read(programs: Run, recorded: Recording, tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    for files in ((missing, recorded.phone), (recorded.phone, missing)):
        ran = programs("capture", "diff", *map(str, files))
        assert (ran.code, ran.last["message"]) == (7, f"{missing}: no such file or directory")
